"""The ML Test Score of Breck et al. (2017), as ml_test_score.yaml of a repository claims it."""

from dataclasses import dataclass
from typing import Any

from ..checks.repository import Repository

FILE = "ml_test_score.yaml"


@dataclass(frozen=True)
class Section:
    """One of the four sections.

    Attributes
    ----------
    name : str
        Data, model, infrastructure or monitoring.
    points : float
        One for each item that tests automate, a half for each that a person has checked.
    items : int
        How many there are.
    missing : tuple of str
        The items without a point.
    """

    name: str
    points: float
    items: int
    missing: tuple[str, ...]


def read_score(repository: Repository) -> tuple[Section, ...]:
    """Count the points that a repository claims; whether the tests pass is known where they run (`make ce`)."""
    body = repository.yaml(FILE)
    if not isinstance(body, dict):
        return ()
    return tuple(_section(str(name), items) for name, items in body.items() if isinstance(items, list))


def _section(name: str, items: list[Any]) -> Section:
    entries = [item for item in items if isinstance(item, dict)]
    points = sum(1.0 if item.get("tests") else 0.5 if item.get("checked") else 0.0 for item in entries)
    missing = tuple(str(item.get("item")) for item in entries if not item.get("tests") and not item.get("checked"))
    return Section(name, points, len(items), missing)


def lowest(sections: tuple[Section, ...]) -> float:
    """Return the score: the lowest section, as the rubric has it."""
    return min((section.points for section in sections), default=0.0)
