"""The comment for a pull request, in Markdown: the verdict first, then what fails and what is different."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlproduct.evaluation.gates import FAIL, INCONCLUSIVE, NOT_COMPARABLE, PASS, REPORTED, Family, Gate
from mlproduct.reports.drawing import Table
from mlproduct.reports.rendering import number, render

SIGNS = {PASS: "✔", FAIL: "✘", INCONCLUSIVE: "?", NOT_COMPARABLE: "≠", REPORTED: "·"}
VERDICTS = {"blessed": "✔", "inconclusive": "?", "rejected": "✘"}

SCORED = ("metric", "value", "interval", "champion", "baseline")
COUNTED = ("checks", *(name.lower() for name in SIGNS))
MOST_GATES, MOST_WAIVERS = 15, 10  # in a comment, which should be read


@dataclass(frozen=True)
class Comment:
    """What the comment shows, in its order; what is left out of it is counted."""

    sign: str
    scores: Table
    gates: Table
    gates_left: int
    waived: Sequence[dict[str, str]]
    waived_left: int
    counts: Table
    changes: Table


def changes(axes: dict[str, Any]) -> list[tuple[str, str]]:
    """Say, axis by axis, what differs from the champion."""
    if not axes:
        return []
    pairs = {"params": axes["params"], "seed": axes["seed"], "environment": axes["environment"]["packages"]}
    differences = {
        name: "; ".join(f"{key}: {old} → {new}" for key, (old, new) in found.items()) for name, found in pairs.items()
    }
    differences["environment"] = differences["environment"] or ("the lock" if axes["environment"]["lock"] else "")
    differences |= {name: "changed" if axes[name] else "" for name in ("data", "split", "contract")}
    differences["code"] = axes["code"][-1].strip() if axes["code"] else ""
    order = ("data", "split", "contract", "params", "seed", "code", "environment")
    return [(name, differences[name] or "the same") for name in order]


def scores(metrics: dict[str, Any], compared: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the metrics with interval, champion and baseline."""
    theirs = {compared["headline"]["name"]: compared["headline"]["champion"]} if "headline" in compared else {}
    return [
        (name, m["value"], f"{number(m['low'])} to {number(m['high'])}", theirs.get(name), m["baseline"])
        for name, m in metrics.items()
        if m["value"] is not None
    ]


def counted(families: dict[str, Family]) -> list[tuple[Any, ...]]:
    """Count the verdicts of each family."""
    order = (PASS, FAIL, INCONCLUSIVE, NOT_COMPARABLE, REPORTED)
    return [
        (name, *(sum(gate.verdict == verdict for gate in found.gates) for verdict in order))
        for name, found in families.items()
    ]


def comment(verdict: dict[str, Any], metrics: dict[str, Any], families: dict[str, Family]) -> str:
    """Render the comment for a pull request: the verdict, what fails, what is different."""
    compared, found, waived = families["compare"].details, open_gates(families), verdict["waived"]
    accepted = {waiver["gate"] for waiver in waived}
    rows = [
        (f"{SIGNS[g.verdict]} {g.verdict}{', waived' if g.title in accepted else ''}", g.title, g.said, g.next)
        for g in found[:MOST_GATES]
    ]
    shown = Comment(
        sign=VERDICTS[verdict["verdict"]],
        scores=Table(SCORED, scores(metrics, compared)),
        gates=Table(["verdict", "gate", "measured", "next"], rows),
        gates_left=max(0, len(found) - MOST_GATES),
        waived=waived[:MOST_WAIVERS],
        waived_left=max(0, len(waived) - MOST_WAIVERS),
        counts=Table(COUNTED, counted(families)),
        changes=Table(["what", "change"], changes(compared["axes"])),
    )
    return render("ce.md", comment=shown, verdict=verdict, compared=compared)


def open_gates(families: dict[str, Family]) -> list[Gate]:
    """Return the gates that need a look: what fails, then what cannot be decided, then what decides nothing."""
    found = [
        gate
        for family in families.values()
        for gate in family.gates
        if gate.verdict in (FAIL, NOT_COMPARABLE, INCONCLUSIVE) or gate.alarm
    ]
    return sorted(found, key=lambda gate: (gate.alarm, gate.verdict == INCONCLUSIVE, gate.title))
