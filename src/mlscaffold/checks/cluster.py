"""What Kubernetes and compose are told: objects and containers, as values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .repository import Repository
from .untrusted_yaml import mapping, mappings, within

_WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet"}


@dataclass(frozen=True)
class Object:
    """An object of Kubernetes, and the file it stands in."""

    path: str
    kind: str
    body: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(within(self.body, "metadata", "name") or "?")

    @property
    def spec(self) -> dict[str, Any]:
        """What is wanted of it."""
        return mapping(self.body.get("spec"))

    @property
    def pod(self) -> dict[str, Any]:
        """What is wanted of its pods."""
        return mapping(within(self.spec, "template", "spec"))

    @property
    def containers(self) -> list[dict[str, Any]]:
        """Its containers."""
        return mappings(self.pod.get("containers"))


def objects(repository: Repository) -> list[Object]:
    """Return every object that stands in a YAML file."""
    return list(_objects(repository))


def _objects(repository: Repository) -> Iterator[Object]:
    for path in repository.containing("apiVersion:", "*.yaml", "*.yml"):
        for body in repository.documents(path):
            if isinstance(body, dict) and body.get("apiVersion") and body.get("kind"):
                yield Object(path, str(body["kind"]), body)


def workloads(repository: Repository) -> list[Object]:
    """Return what runs pods for as long as it is there."""
    return [each for each in _objects(repository) if each.kind in _WORKLOADS and each.containers]


def compose(repository: Repository) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give the services of compose files: path, name, settings."""
    for path in repository.matching("*compose*.yaml", "*compose*.yml"):
        for name, settings in mapping(within(repository.yaml(path), "services")).items():
            if isinstance(settings, dict):
                yield path, str(name), settings
