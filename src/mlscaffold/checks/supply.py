"""Supply chain and security: what runs here that nobody here has written."""

import ast
import re
from collections.abc import Iterator

from ..credentials import TOKENS
from . import cluster, code, forge, locks
from .repository import Repository, remembered
from .sources import (
    ACTIONS,
    NETWORK_POLICIES,
    PIP_HASHES,
    SCORECARD,
    SKLEARN_PICKLE,
    SLSA,
    TWELVE_FACTORS,
)
from .standard import Finding, Findings, family
from .untrusted_yaml import items, mapping, mappings, within
from .vulnerabilities import VULNERABILITIES, Vulnerability

FAMILY = family("SC", "Supply chain and security", "Does anything run here that nobody has chosen?")
_PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
_LOADS = re.compile(
    r"^(pickle|dill|cloudpickle|joblib|marshal|shelve)\.(load|loads|open|dump|dumps|Unpickler)$"
    r"|^(pandas\.read_pickle|sklearn\.externals\.joblib\.load)$"
)
_MODELS = ("*.pkl", "*.pickle", "*.joblib", "*.dill", "*.pt", "*.pth")
_SHA = re.compile(r"@[0-9a-f]{40}$")
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_CALLERS_WORDS = re.compile(
    r"\$\{\{\s*(github\.event\.(issue|pull_request|comment|review|head_commit|discussion)\.[\w.]*(title|body|message|ref|label|name)"
    r"|github\.head_ref)"
)
_SECRETS = {
    **TOKENS,
    "a password in a URL": re.compile(r"\b[a-z][a-z0-9+]*://[\w.-]+:(?![$<{*x])[^\s/:@'\"{}$<>]{6,}@[\w.-]+"),
}
_HINTS = (
    "AKIA",
    "ASIA",
    "PRIVATE KEY",
    "ghp_",
    "gho_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xox",
    "AIza",
    "hf_",
    "@",
)
_SCANNERS = ("detect-secrets", "gitleaks", "trufflehog", "ggshield", "secretlint")
_AUDITS = ("pip-audit", "osv-scanner", "safety check", "safety scan", "make audit", "trivy", "grype", "uv audit")
_SECRET_NAME = re.compile(r"(TOKEN|SECRET|PASSWORD|PASSWD|API_KEY|ACCESS_KEY|PRIVATE_KEY)(_|$)")


@FAMILY.rule(
    1, "high",
    why="Loading a pickle runs whatever code its author put in: a model file becomes a program.",
    source=SKLEARN_PICKLE,
    fix="Save models with skops (and a list of trusted types), ONNX or safetensors; torch.load(weights_only=True).",
    needs="a Python file",
)  # fmt: skip
def no_pickle(repository: Repository) -> Findings:
    """No pickle in the code."""
    if not repository.python:
        return None
    words = (*_PICKLES, "read_pickle", "torch.load", "allow_pickle")
    hopeful = [path for path in repository.python if repository.holds(path, *words)]
    return [finding for path in hopeful for finding in _pickles(repository, path)]


def _pickles(repository: Repository, path: str) -> Iterator[Finding]:
    for name, call in code.calls(repository, path):
        if _LOADS.match(name):
            yield Finding(f"{name}() runs what the file says", path, call.lineno)
        elif name == "torch.load" and not _is_true(code.keyword(call, "weights_only")):
            yield Finding("torch.load() without weights_only=True", path, call.lineno)
        elif name == "numpy.load" and _is_true(code.keyword(call, "allow_pickle")):
            yield Finding("numpy.load() with allow_pickle", path, call.lineno)


def _is_true(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


@FAMILY.rule(
    2, "high",
    why="A binary in git was reviewed by nobody, and as a pickle it is a program.",
    source=SCORECARD,
    fix="git rm --cached FILE, and let the pipeline make it; DVC keeps what it made.",
    needs="a git repository with files",
)  # fmt: skip
def no_model_files(repository: Repository) -> Findings:
    """No pickled models in git."""
    if not repository.in_git or not repository.files:
        return None
    return [Finding("a model that is a program", path) for path in repository.matching(*_MODELS)]


@FAMILY.rule(
    3, "high",
    why="Whoever takes over an action moves its tag; a commit cannot be moved.",
    source=ACTIONS,
    fix="Write the commit's SHA with the tag as a comment: uses: owner/action@SHA # v1.2.3",
    needs="a workflow of GitHub that uses actions",
)  # fmt: skip
def actions_pinned(repository: Repository) -> Findings:
    """Actions are pinned by SHA."""
    used = [
        (job.path, str(use))
        for job in forge.github_jobs(repository)
        for use in [job.settings.get("uses"), *(step.get("uses") for step in job.steps)]
        if use
    ]
    if not used:
        return None
    loose = {
        (path, use)
        for path, use in used
        if not use.startswith("./") and not _SHA.search(use) and not _DIGEST.search(use)
    }
    return [Finding(f"{use} is no commit", path, repository.line(path, use)) for path, use in sorted(loose)]


@FAMILY.rule(
    4, "high",
    why="A step that was taken over has all the rights of the job's token.",
    source=SCORECARD,
    fix="Begin each workflow with `permissions: {}` and give each job what it needs.",
    needs="a workflow of GitHub",
)  # fmt: skip
def permissions(repository: Repository) -> Findings:
    """Workflows have no more rights than they need."""
    paths = forge.workflows(repository)
    if not paths:
        return None
    found = {path: repository.yaml(path) for path in paths}
    jobs = {job.path: job.workflow for job in forge.github_jobs(repository)}
    wide = [
        Finding("sets no permissions", path)
        for path in paths
        if path in jobs and "permissions" not in mapping(found[path])
    ]
    wide += [
        Finding("may write everything", path, repository.line(path, "permissions: write-all"))
        for path, body in found.items()
        if isinstance(body, dict) and body.get("permissions") == "write-all"
    ]
    return wide


@FAMILY.rule(
    5, "high",
    why="The title of a pull request that lands in a shell is a shell for whoever writes the title.",
    source=ACTIONS,
    fix="Pass it through env: and use \"$NAME\" in the script; never check out a fork under pull_request_target.",
    needs="a job of GitHub with steps",
)  # fmt: skip
def no_injection(repository: Repository) -> Findings:
    """No words of strangers in scripts of CI."""
    found = [job for job in forge.github_jobs(repository) if job.steps]
    if not found:
        return None
    inside = [
        Finding(
            f"job {job.name} puts {match[0][3:].strip()} into a script", job.path, repository.line(job.path, match[0])
        )
        for job in found
        for command in job.commands
        if (match := _CALLERS_WORDS.search(command))
    ]
    forks = [
        Finding(f"job {job.name} runs a fork's code with this repository's rights", job.path)
        for job in found
        if "pull_request_target" in job.triggers
        and any("pull_request.head" in str(within(step, "with", "ref")) for step in job.steps)
    ]
    return inside + forks


@FAMILY.rule(
    6, "low",
    why="The token that checkout leaves in .git/config is there for every later step.",
    source=ACTIONS,
    fix="Set persist-credentials: false on actions/checkout.",
    needs="a checkout in a workflow of GitHub",
)  # fmt: skip
def credentials(repository: Repository) -> Findings:
    """Checkout leaves no token behind."""
    found = [
        (job, step)
        for job in forge.github_jobs(repository)
        for step in job.steps
        if str(step.get("uses", "")).startswith("actions/checkout@")
    ]
    if not found:
        return None
    return [
        Finding(f"job {job.name} keeps the token", job.path, repository.line(job.path, f"{job.name}:"))
        for job, step in found
        if within(step, "with", "persist-credentials") is not False
    ]


@FAMILY.rule(
    7, "high",
    why="A secret in git is public to all who will ever have a clone, also after it was deleted.",
    source=TWELVE_FACTORS,
    fix="Make it invalid where it was issued, then take it out; read it from the environment.",
    needs="a text file",
)  # fmt: skip
def no_secrets(repository: Repository) -> Findings:
    """No secrets in files."""
    paths = [
        path for path in repository.files if not path.endswith((".lock", ".secrets.baseline")) and repository.text(path)
    ]
    if not paths:
        return None
    return [
        Finding(f"looks like {what}", path, line) for path in paths for what, line in _secrets(repository.text(path))
    ]


@remembered
def _secrets(text: str) -> tuple[tuple[str, int], ...]:
    if not any(hint in text for hint in _HINTS):
        return ()
    found = []
    for what, pattern in _SECRETS.items():
        # A line that says so was looked at by a person: the word of detect-secrets.
        match = next(
            (each for each in pattern.finditer(text) if "pragma: allowlist secret" not in _line(text, each)), None
        )
        if match:
            found.append((what, text.count("\n", 0, match.start()) + 1))
    return tuple(found)


def _line(text: str, match: re.Match[str]) -> str:
    return text[text.rfind("\n", 0, match.start()) + 1 :].partition("\n")[0]


@FAMILY.rule(
    8, "medium",
    why="The day somebody commits a key is the day nobody looks.",
    source=SCORECARD,
    fix="Run detect-secrets or gitleaks as a pre-commit hook and in CI.",
    needs="a Python file",
)  # fmt: skip
def scanned(repository: Repository) -> Findings:
    """Commits are scanned for secrets."""
    if not repository.python:
        return None
    hooked = any(
        tool in f"{hook.get('id')} {hook.get('entry')}" for hook in forge.hooks(repository) for tool in _SCANNERS
    )
    hooked = hooked or any(job.runs(*_SCANNERS) for job in forge.jobs(repository))
    hooked = hooked or any(
        tool in str(step.get("uses")) for job in forge.jobs(repository) for step in job.steps for tool in _SCANNERS
    )
    return [] if hooked else [Finding("neither a hook nor CI looks for secrets")]


@FAMILY.rule(
    9, "high",
    why="These vulnerabilities are public, also to those who scan the internet for them.",
    source=SCORECARD,
    fix="Raise the version in pyproject.toml and make the lock again.",
    needs="a lock that pins a package whose vulnerabilities are listed here",
)  # fmt: skip
def no_vulnerabilities(repository: Repository) -> Findings:
    """No pinned version has a known vulnerability."""
    names = {vulnerability.package for vulnerability in VULNERABILITIES}
    pins = [pin for pin in locks.pins(repository) if pin.name in names]
    if not pins:
        return None
    return [
        Finding(
            f"{pin.name} {pin.version} {vulnerability.what} ({vulnerability.cve}, fixed in {vulnerability.fixed})",
            pin.path,
            pin.line,
        )
        for pin in pins
        for vulnerability in VULNERABILITIES
        if vulnerability.package == pin.name and _within(pin.version, vulnerability)
    ]


def _within(version: str, vulnerability: Vulnerability) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(vulnerability.since) <= Version(version) < Version(vulnerability.fixed)
    except InvalidVersion:
        return False


@FAMILY.rule(
    10, "medium",
    why="A lock that was safe when it was made can have a known vulnerability a month later.",
    source=SCORECARD,
    fix="Run pip-audit over the locks in CI, or let Renovate or Dependabot do so.",
    needs="a lock",
)  # fmt: skip
def audited(repository: Repository) -> Findings:
    """The lock is audited."""
    if not locks.pins(repository):
        return None
    bots = repository.matching("renovate.json*", ".github/renovate.json*", ".github/dependabot.y*ml", ".renovaterc*")
    # The standard's own renovate.json looks at the standard alone.
    bots = [path for path in bots if not repository.holds(path, '"enabledManagers": ["copier"]')]
    run = bots or any(job.runs(*_AUDITS) for job in forge.jobs(repository))
    return [] if run else [Finding("nothing checks for known vulnerabilities")]


@FAMILY.rule(
    11, "medium",
    why="An image called latest is another one tomorrow, on some nodes.",
    source=SLSA,
    fix="Name images by a version or, better, by digest.",
    needs="an image in a Dockerfile, in compose or in manifests",
)  # fmt: skip
def images_named(repository: Repository) -> Findings:
    """Images are named by version or digest."""
    found = [*_from_docker(repository), *_from_compose(repository), *_from_cluster(repository)]
    if not found:
        return None
    return [
        Finding(f"{image} may be anything", path, _line_of(repository, path, image))
        for path, image in found
        if _floats(image)
    ]


def _line_of(repository: Repository, path: str, image: str) -> int:
    name = image.partition("@")[0]
    return repository.line(path, f"image: {name}") or repository.line(path, name)


def _from_docker(repository: Repository) -> Iterator[tuple[str, str]]:
    for path in repository.matching("*Dockerfile", "*Dockerfile.*", "*Containerfile"):
        stages = {"scratch"}
        for image, name in re.findall(
            r"^FROM\s+(?:--\S+\s+)?(\S+)(?:\s+[Aa][Ss]\s+(\S+))?", repository.text(path), re.MULTILINE
        ):
            if image not in stages and "$" not in image:
                yield path, image
            stages.add(name)


def _from_compose(repository: Repository) -> Iterator[tuple[str, str]]:
    for path, _, settings in cluster.compose(repository):
        image = str(settings.get("image", ""))
        if image and "$" not in image and "build" not in settings:
            yield path, image


def _from_cluster(repository: Repository) -> Iterator[tuple[str, str]]:
    # An image without any tag is a name that kustomize fills in.
    replaced = {
        str(image.get("name")) for each in cluster.objects(repository) for image in mappings(each.body.get("images"))
    }
    for each in cluster.workloads(repository):
        for container in each.containers:
            if container.get("image") and str(container["image"]) not in replaced:
                yield each.path, str(container["image"])
    for each in cluster.objects(repository):
        for image in mappings(each.body.get("images")) if each.kind == "Kustomization" else ():
            yield each.path, f"{image.get('newName', image.get('name'))}{_version(image)}"


def _version(image: dict[str, str]) -> str:
    return f"@{image['digest']}" if image.get("digest") else f":{image['newTag']}" if image.get("newTag") else ""


def _floats(image: str) -> bool:
    return "@sha256:" not in image and (":" not in image.rsplit("/", 1)[-1] or image.endswith(":latest"))


@FAMILY.rule(
    12, "high",
    why="eval, exec and the unsafe loader of YAML run what a file or a caller says.",
    source=SCORECARD,
    fix="Use yaml.safe_load and ast.literal_eval; parse instead of running.",
    needs="a Python file",
)  # fmt: skip
def no_running_of_text(repository: Repository) -> Findings:
    """No text is run as code."""
    if not repository.python:
        return None
    words = re.compile(r"\beval\(|\bexec\(|yaml\.(load|unsafe_load|full_load)\(|os\.system\(")
    hopeful = [path for path in repository.python if repository.finds(path, words)]
    return [
        Finding(f"{name}() runs text", path, call.lineno)
        for path in hopeful
        for name, call in code.calls(repository, path)
        if name in ("eval", "exec", "os.system", "yaml.unsafe_load") or (name == "yaml.load" and not _safe(call))
    ]


def _safe(call: ast.Call) -> bool:
    loader = code.keyword(call, "Loader") or (call.args[1] if len(call.args) > 1 else None)
    return loader is not None and "Safe" in ast.unparse(loader)


@FAMILY.rule(
    13, "medium",
    why="With an extra index anybody may upload a package of your private one's name, and the higher version wins.",
    source=PIP_HASHES,
    fix="Use one index that serves both, and keep --extra-index-url and --trusted-host out of the lock.",
    needs="a requirements file",
)  # fmt: skip
def one_index(repository: Repository) -> Findings:
    """Packages come from one index, by TLS."""
    paths = locks.texts(repository)
    if not paths:
        return None
    words = ("--extra-index-url", "--trusted-host", "--index-url http://", "--find-links http://")
    return [
        Finding(f"holds {word}", path, repository.line(path, word))
        for path in paths
        for word in words
        if word in repository.text(path)
    ]


@FAMILY.rule(
    14, "high",
    why="A manifest is read by all who deploy, and kept for ever.",
    source=TWELVE_FACTORS,
    fix="Take the value from a Secret (valueFrom.secretKeyRef) or from the environment.",
    needs="containers with an environment",
)  # fmt: skip
def secrets_by_reference(repository: Repository) -> Findings:
    """Secrets reach containers by reference."""
    found = [(each.path, container) for each in cluster.workloads(repository) for container in each.containers]
    variables = [
        (path, str(variable.get("name")), variable.get("value"))
        for path, container in found
        for variable in mappings(container.get("env"))
    ]
    for path, _, settings in cluster.compose(repository):
        env = settings.get("environment")
        pairs = env.items() if isinstance(env, dict) else (str(each).partition("=")[::2] for each in items(env))
        variables += [(path, str(name), None if "$" in str(value) else value) for name, value in pairs]
    if not variables:
        return None
    return [
        Finding(f"{name} stands there in clear", path, repository.line(path, name))
        for path, name, value in variables
        if value and _SECRET_NAME.search(name)
    ]


@FAMILY.rule(
    15, "low",
    why="A pod that may talk to everything is a door to everything.",
    source=NETWORK_POLICIES,
    fix="Add a NetworkPolicy with policyTypes Ingress and Egress.",
    needs="a workload of Kubernetes",
)  # fmt: skip
def network(repository: Repository) -> Findings:
    """A network policy says who may talk to whom."""
    if not cluster.workloads(repository):
        return None
    policies = [each for each in cluster.objects(repository) if each.kind == "NetworkPolicy"]
    if not policies:
        return [Finding("there is no NetworkPolicy")]
    kinds = {str(kind) for each in policies for kind in items(each.spec.get("policyTypes"))}
    return [
        Finding(f"does not mention {kind}", policies[0].path) for kind in ("Ingress", "Egress") if kind not in kinds
    ]
