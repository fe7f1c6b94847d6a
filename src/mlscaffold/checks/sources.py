"""What the checks rest on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A text that says why, and where it is."""

    title: str
    url: str


ML_TEST_SCORE = Source(
    "Breck et al. (2017), The ML Test Score",
    "https://research.google/pubs/the-ml-test-score-a-rubric-for-ml-production-readiness-and-technical-debt-reduction/",
)
HIDDEN_DEBT = Source(
    "Sculley et al. (2015), Hidden Technical Debt in Machine Learning Systems",
    "https://papers.nips.cc/paper/5656-hidden-technical-debt-in-machine-learning-systems",
)
RULES_OF_ML = Source(
    "Zinkevich, Rules of Machine Learning", "https://developers.google.com/machine-learning/guides/rules-of-ml"
)
MODEL_CARDS = Source("Mitchell et al. (2019), Model Cards for Model Reporting", "https://arxiv.org/abs/1810.03993")
DATASHEETS = Source("Gebru et al. (2021), Datasheets for Datasets", "https://arxiv.org/abs/1803.09010")
SRE_ALERTS = Source("Google, The SRE Workbook: Alerting on SLOs", "https://sre.google/workbook/alerting-on-slos/")
SRE_ON_CALL = Source("Google, The SRE Workbook: On-Call", "https://sre.google/workbook/on-call/")
SRE_CANARY = Source("Google, The SRE Workbook: Canarying Releases", "https://sre.google/workbook/canarying-releases/")
SCORECARD = Source("OpenSSF Scorecard, checks", "https://github.com/ossf/scorecard/blob/main/docs/checks.md")
SLSA = Source("SLSA, Supply-chain Levels for Software Artifacts", "https://slsa.dev/spec/v1.0/levels")
PIP_HASHES = Source("pip, Secure installs", "https://pip.pypa.io/en/stable/topics/secure-installs/")
PIP_REPEAT = Source("pip, Repeatable installs", "https://pip.pypa.io/en/stable/topics/repeatable-installs/")
PYTHON_PATH = Source(
    "Python, The module search path", "https://docs.python.org/3/tutorial/modules.html#the-module-search-path"
)
DVC_DATA = Source("DVC, Versioning data and models", "https://dvc.org/doc/use-cases/versioning-data-and-models")
DVC_PIPELINES = Source("DVC, Pipelines", "https://dvc.org/doc/user-guide/pipelines")
DVC_REMOTE = Source("DVC, Remote storage", "https://dvc.org/doc/user-guide/data-management/remote-storage")
PROMTOOL = Source(
    "Prometheus, Unit testing for rules",
    "https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/",
)
PROMETHEUS_RULES = Source(
    "Prometheus, Alerting rules", "https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/"
)
ACTIONS = Source(
    "GitHub, Secure use reference for Actions", "https://docs.github.com/en/actions/reference/security/secure-use"
)
KUBERNETES_PROBES = Source(
    "Kubernetes, Liveness, readiness and startup probes",
    "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
)
KUBERNETES_RESOURCES = Source(
    "Kubernetes, Resource management for pods and containers",
    "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
)
POD_SECURITY = Source(
    "Kubernetes, Pod security standards", "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
)
NETWORK_POLICIES = Source(
    "Kubernetes, Network policies", "https://kubernetes.io/docs/concepts/services-networking/network-policies/"
)
DISRUPTIONS = Source("Kubernetes, Disruptions", "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/")
SKLEARN_PICKLE = Source("scikit-learn, Model persistence", "https://scikit-learn.org/stable/model_persistence.html")
SKLEARN_RANDOM = Source(
    "scikit-learn, Controlling randomness",
    "https://scikit-learn.org/stable/common_pitfalls.html#controlling-randomness",
)
NUMPY_RANDOM = Source(
    "NumPy, NEP 19: Random number generator policy", "https://numpy.org/neps/nep-0019-rng-policy.html"
)
PYPROJECT = Source(
    "PyPA, Writing your pyproject.toml", "https://packaging.python.org/en/latest/guides/writing-pyproject-toml/"
)
TWELVE_FACTORS = Source("The Twelve-Factor App", "https://12factor.net/config")
CODEOWNERS = Source(
    "GitHub, About code owners",
    "https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners",
)
COPIER_UPDATE = Source("copier, Updating a project", "https://copier.readthedocs.io/en/stable/updating/")
DECISIONS = Source(
    "Nygard (2011), Documenting architecture decisions",
    "https://cognitect.com/blog/2011/11/15/documenting-architecture-decisions",
)
