"""Packaging and service: what answers, and what it can bear."""

import re
from collections.abc import Callable
from typing import Any

from . import cluster, code
from .repository import Repository
from .sources import (
    DISRUPTIONS,
    HIDDEN_DEBT,
    KUBERNETES_PROBES,
    KUBERNETES_RESOURCES,
    ML_TEST_SCORE,
    POD_SECURITY,
    RULES_OF_ML,
)
from .standard import Finding, Findings, family
from .untrusted_yaml import items, mapping, within

FAMILY = family("SV", "Packaging and service", "Does it answer, and can it bear what callers send?")
SERVERS = (
    "bentoml",
    "fastapi",
    "flask",
    "litestar",
    "ray.serve",
    "kserve",
    "mlserver",
    "tornado",
    "aiohttp.web",
    "grpc",
)
_SCHEMAS = ("pydantic", "marshmallow", "jsonschema", "msgspec", "cerberus")
_CALLERS = re.compile(r"\b(TestClient|AsyncClient|test_client|SyncHTTPClient|http_client|\w*\bservice\b|/predict)")
_SIZE = re.compile(
    r"max_body|max_content_length|client_max_body_size|max_request_size|limit_max|max_records", re.IGNORECASE
)


def services(repository: Repository) -> list[str]:
    """Return the modules that serve."""
    return code.importing(repository, repository.python, *SERVERS)


@FAMILY.rule(
    1, "medium",
    why="A model that nobody can ask has no users; the hand-over to a second code base is where it breaks.",
    source=RULES_OF_ML,
    fix="Add a service that loads the packaged model (BentoML, FastAPI), in the same repository.",
    needs="code that fits a model",
)  # fmt: skip
def served(repository: Repository) -> Findings:
    """The model is served from this repository."""
    if not code.trains(repository):
        return None
    return [] if services(repository) else [Finding("no module serves the model")]


@FAMILY.rule(
    2, "high",
    why="Whatever a caller sends is scored unless something refuses it: text in a number, a missing field.",
    source=ML_TEST_SCORE,
    fix="Validate each request with a schema (pydantic), derived from the contract of the data.",
    needs="a service",
)  # fmt: skip
def validated(repository: Repository) -> Findings:
    """Requests are validated by a schema."""
    if not services(repository) or repository.hidden:
        return None
    return [] if code.importing(repository, repository.code, *_SCHEMAS) else [Finding("no module validates requests")]


@FAMILY.rule(
    3, "medium",
    why="The path from request to answer is code like any other, and the only code that callers see.",
    source=ML_TEST_SCORE,
    fix="Write a test that sends records to the service, sound and broken ones.",
    needs="a service",
)  # fmt: skip
def service_tested(repository: Repository) -> Findings:
    """A test talks to the service."""
    if not services(repository):
        return None
    return [] if any(repository.finds(path, _CALLERS) for path in repository.tests) else [Finding("no test does")]


@FAMILY.rule(
    4, "medium",
    why="One slow request holds a worker for ever, and then there is none left.",
    source=HIDDEN_DEBT,
    fix="Set a timeout on the service (BentoML: traffic={'timeout': 10}) or in its server.",
    needs="a service",
)  # fmt: skip
def timeout(repository: Repository) -> Findings:
    """The service gives up after a time."""
    found = services(repository)
    if not found or (repository.hidden and "params.yaml" not in repository.known):
        return None
    places = [
        *found,
        *repository.library,
        *repository.matching("params.yaml", "gunicorn.conf.py", "*Dockerfile*", "bentofile.yaml", "config*.y*ml"),
    ]
    return (
        []
        if any(repository.holds(path, "timeout") for path in places)
        else [Finding("nothing sets a timeout", found[0])]
    )


@FAMILY.rule(
    5, "medium",
    why="One request of a gigabyte takes the memory of all others.",
    source=HIDDEN_DEBT,
    fix="Refuse what is too large with 413, by bytes and by records.",
    needs="a service",
)  # fmt: skip
def size_limit(repository: Repository) -> Findings:
    """The size of a request is limited."""
    found = services(repository)
    if not found or (repository.hidden and "params.yaml" not in repository.known):
        return None
    places = [*repository.code, *repository.matching("params.yaml", "*nginx*", "gunicorn.conf.py", "config*.y*ml")]
    return [] if any(repository.finds(path, _SIZE) for path in places) else [Finding("nothing limits it", found[0])]


def _each_container(repository: Repository, lacks: Callable[[dict[str, Any], dict[str, Any]], list[str]]) -> Findings:
    found = cluster.workloads(repository)
    if not found:
        return None
    return [
        Finding(f"container {container.get('name')} {lack}", each.path, repository.line(each.path, "containers:"))
        for each in found
        for container in each.containers
        for lack in lacks(container, each.pod)
    ]


@FAMILY.rule(
    6, "high",
    why="Without a readiness probe requests reach a pod that is still loading its model.",
    source=KUBERNETES_PROBES,
    fix="Give each container a readinessProbe and a livenessProbe.",
    needs="a workload of Kubernetes",
)  # fmt: skip
def probes(repository: Repository) -> Findings:
    """Containers have readiness and liveness probes."""
    return _each_container(
        repository,
        lambda container, _: [
            f"has no {name}" for name in ("readinessProbe", "livenessProbe") if not container.get(name)
        ],
    )


@FAMILY.rule(
    7, "medium",
    why="A container without limits takes down its neighbours, one without requests is put where there is no room.",
    source=KUBERNETES_RESOURCES,
    fix="Say resources.requests and resources.limits of memory and CPU.",
    needs="a workload of Kubernetes",
)  # fmt: skip
def resources(repository: Repository) -> Findings:
    """Containers say what they need and may use."""

    def lacks(container: dict[str, Any], _: dict[str, Any]) -> list[str]:
        declared = mapping(container.get("resources"))
        required = [("requests", "cpu"), ("requests", "memory"), ("limits", "memory")]
        return [f"says no {kind}.{what}" for kind, what in required if what not in mapping(declared.get(kind))]

    return _each_container(repository, lacks)


@FAMILY.rule(
    8, "high",
    why="A hole in a dependency is a hole in the node where the container is root.",
    source=POD_SECURITY,
    fix="Set runAsNonRoot, allowPrivilegeEscalation: false, readOnlyRootFilesystem and capabilities.drop: [ALL].",
    needs="a workload of Kubernetes",
)  # fmt: skip
def restricted(repository: Repository) -> Findings:
    """Containers run without rights they do not need."""

    def lacks(container: dict[str, Any], pod: dict[str, Any]) -> list[str]:
        rights = {**mapping(pod.get("securityContext")), **mapping(container.get("securityContext"))}
        dropped = items(within(rights, "capabilities", "drop"))
        wrong = [] if rights.get("runAsNonRoot") is True else ["may run as root"]
        wrong += [] if rights.get("allowPrivilegeEscalation") is False else ["may gain rights"]
        wrong += [] if rights.get("readOnlyRootFilesystem") is True else ["may write to its image"]
        return wrong + ([] if "ALL" in dropped else ["keeps capabilities"])

    return _each_container(repository, lacks)


@FAMILY.rule(
    9, "medium",
    why="One replica is none while its node is drained or its image is pulled.",
    source=DISRUPTIONS,
    fix="Run two replicas at least (minReplicas: 2) and add a PodDisruptionBudget.",
    needs="a workload of Kubernetes",
)  # fmt: skip
def replicas(repository: Repository) -> Findings:
    """More than one replica answers, also while nodes are drained."""
    found = cluster.workloads(repository)
    if not found:
        return None
    objects = cluster.objects(repository)
    scaled = [each for each in objects if each.kind in ("HorizontalPodAutoscaler", "ScaledObject")]
    few = [Finding(f"{each.name} may go down to one replica", each.path) for each in scaled if _fewest(each) < 2]
    if not scaled:
        few = [
            Finding(f"{each.name} runs {each.spec.get('replicas', 1)} replica", each.path)
            for each in found
            if _number(each.spec.get("replicas", 1)) < 2
        ]
    budgets = [each for each in objects if each.kind == "PodDisruptionBudget"]
    return few + ([] if budgets else [Finding("there is no PodDisruptionBudget")])


def _fewest(scaler: cluster.Object) -> int:
    return _number(scaler.spec.get("minReplicas", scaler.spec.get("minReplicaCount", 1)))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
