"""What CI does: the jobs of GitHub's workflows and of GitLab's pipeline, as values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .repository import Repository
from .untrusted_yaml import items, mapping, mappings, within


@dataclass(frozen=True)
class Job:
    """A job of CI.

    Attributes
    ----------
    path, name : str
        The file it stands in, and its name there.
    commands : tuple of str
        What it runs in a shell.
    steps : tuple of dict
        Its steps, where the forge has such.
    settings : dict
        All that stands under its name.
    workflow : dict
        The file it stands in.
    """

    path: str
    name: str
    commands: tuple[str, ...]
    steps: tuple[dict[str, Any], ...]
    settings: dict[str, Any]
    workflow: dict[Any, Any]

    @property
    def triggers(self) -> set[str]:
        """What starts its workflow."""
        on = self.workflow.get("on", self.workflow.get(True))  # YAML 1.1 takes `on` for true
        return {on} if isinstance(on, str) else {str(each) for each in (items(on) or mapping(on))}

    def runs(self, *words: str) -> bool:
        """Whether one of its commands holds one of some words."""
        return any(word in command for word in words for command in self.commands)


_GITLAB_WORDS = {
    "default",
    "variables",
    "stages",
    "workflow",
    "include",
    "image",
    "cache",
    "before_script",
    "after_script",
}


def workflows(repository: Repository) -> list[str]:
    """Return GitHub's workflows."""
    return repository.matching(".github/workflows/*.yml", ".github/workflows/*.yaml")


def jobs(repository: Repository) -> list[Job]:
    """Return all jobs of CI."""
    return [*_of_github(repository), *_of_gitlab(repository)]


def github_jobs(repository: Repository) -> list[Job]:
    """Return the jobs of GitHub's workflows."""
    return list(_of_github(repository))


def _of_github(repository: Repository) -> Iterator[Job]:
    for path in workflows(repository):
        workflow = repository.yaml(path)
        for name, settings in mapping(within(workflow, "jobs")).items():
            if isinstance(settings, dict):
                steps = tuple(mappings(settings.get("steps")))
                commands = tuple(str(step["run"]) for step in steps if step.get("run"))
                yield Job(path, str(name), commands, steps, settings, workflow)


def _of_gitlab(repository: Repository) -> Iterator[Job]:
    path = ".gitlab-ci.yml"
    pipeline = repository.yaml(path)
    for name, settings in mapping(pipeline).items():
        if isinstance(settings, dict) and name not in _GITLAB_WORDS and settings.get("script"):
            script = settings["script"]
            commands = tuple(str(line) for line in ([script] if isinstance(script, str) else items(script)))
            yield Job(path, str(name), commands, (), settings, pipeline)


def hooks(repository: Repository) -> list[dict[str, Any]]:
    """Return the hooks of pre-commit."""
    repos = mappings(within(repository.yaml(".pre-commit-config.yaml"), "repos"))
    return [hook for repo in repos for hook in mappings(repo.get("hooks"))]
