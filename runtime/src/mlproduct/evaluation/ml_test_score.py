"""The ML Test Score of Breck et al. (2017, a rubric for production readiness), computed from tests that ran."""

from dataclasses import dataclass
from pathlib import Path

import yaml

PATH = Path("ml_test_score.yaml")
PROOFS = ("tests", "library", "checked", "missing")


@dataclass(frozen=True)
class Item:
    """One of the 28: tests that automate it, a test of the library, what a person has checked, or what is missing."""

    section: str
    name: str
    tests: tuple[str, ...] = ()
    library: str = ""
    checked: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Point:
    """What an item earns: 1 where its tests ran and passed, 0.5 where a person has checked it, else 0."""

    item: Item
    points: float
    why: str


def read(path: Path) -> list[Item]:
    """Read ml_test_score.yaml; each item names tests, `checked` (who and when), or what is `missing`."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    items = []
    for section, entries in document.items():
        for entry in entries:
            if set(entry) - {"item", *PROOFS} or "item" not in entry or not set(entry) & {*PROOFS}:
                raise ValueError(f"{path}, {section}: {entry} needs `item`, and one of {', '.join(PROOFS)}")
            tests, others = tuple(entry.get("tests", ())), (entry.get(name, "") for name in PROOFS[1:])
            items.append(Item(section, entry["item"], tests, *others))
    return items


def counted(items: list[Item], outcomes: dict[str, list[str]]) -> list[Point]:
    """Count the points of each item.

    Parameters
    ----------
    outcomes : dict of str to list of str
        How each test that ran ended, once for each of its parameters; a test stands as `ce/test_bias.py::test_x`, and
        an item may name a whole file.
    """
    return [_point(item, outcomes) for item in items]


def _point(item: Item, outcomes: dict[str, list[str]]) -> Point:
    for name in item.tests:
        ends = [
            end for test, found in outcomes.items() if test == name or test.startswith(f"{name}::") for end in found
        ]
        if not ends:
            return Point(item, 0.0, f"{name} did not run")
        if "failed" in ends:
            return Point(item, 0.0, f"{name} failed")
        if "passed" not in ends:
            return Point(item, 0.0, f"{name} had nothing to look at")
    if item.tests or item.library:
        return Point(item, 1.0, "automated")
    return Point(item, 0.5, f"checked: {item.checked}") if item.checked else Point(item, 0.0, item.missing)


def render(points: list[Point]) -> str:
    """Lay the score out: each section, what is missing, and the score, which is the lowest section."""
    sections: dict[str, list[Point]] = {}
    for point in points:
        sections.setdefault(point.item.section, []).append(point)
    totals = {name: sum(point.points for point in found) for name, found in sections.items()}
    lines = ["ML Test Score (Breck et al., 2017)"]
    for name, found in sections.items():
        lines.append(f"  {name:15} {totals[name]:3.1f} of {len(found)}")
        lines += [f"    {point.points:.1f}  {point.item.name}: {point.why}" for point in found if point.points < 1]
    return "\n".join([*lines, f"  score           {min(totals.values()):3.1f}, the lowest section"])
