"""The comment for a pull request, in Markdown: the verdict first, then what fails and what is different."""

from collections.abc import Iterable
from typing import Any

from ..judging.gate import FAIL, INCONCLUSIVE, NOT_COMPARABLE, PASS, REPORTED, Family
from . import report
from .drawing import number

SIGNS = {PASS: "✔", FAIL: "✘", INCONCLUSIVE: "?", NOT_COMPARABLE: "≠", REPORTED: "·"}
VERDICTS = {"blessed": "✔", "inconclusive": "?", "rejected": "✘"}


def cell(value: Any) -> str:
    """Write a value into a cell of a Markdown table of a forge, which would take `<` for HTML."""
    return report.cell(number(value)).replace("<", "&lt;").replace(">", "&gt;")


def markdown(head: list[str], rows: Iterable[Iterable[Any]]) -> str:
    """Lay rows out as a Markdown table."""
    lines = [head, ["---"] * len(head), *([cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def changes(axes: dict[str, Any]) -> list[tuple[str, str]]:
    """Say, axis by axis, what differs from the champion."""
    if not axes:
        return []
    pairs = {"params": axes["params"], "seed": axes["seed"], "environment": axes["environment"]["packages"]}
    told = {
        name: "; ".join(f"{key}: {old} → {new}" for key, (old, new) in found.items()) for name, found in pairs.items()
    }
    told["environment"] = told["environment"] or ("the lock" if axes["environment"]["lock"] else "")
    told |= {name: "changed" if axes[name] else "" for name in ("data", "split", "contract")}
    told["code"] = axes["code"][-1].strip() if axes["code"] else ""
    order = ("data", "split", "contract", "params", "seed", "code", "environment")
    return [(name, told[name] or "the same") for name in order]


def scores(metrics: dict[str, Any], compared: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Give the metrics with interval, champion and baseline."""
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
    """Write the comment for a pull request: the verdict, what fails, what is different."""
    compared = families["compare"].details
    open_gates = [
        gate
        for found in families.values()
        for gate in found.gates
        if gate.verdict in (FAIL, NOT_COMPARABLE, INCONCLUSIVE) or gate.alarm
    ]
    open_gates.sort(key=lambda gate: (gate.alarm, gate.verdict == INCONCLUSIVE, gate.title))
    parts = [
        f"## {VERDICTS[verdict['verdict']]} {verdict['verdict']}\n\n{cell(verdict['said'])} {cell(compared['said'])}",
        markdown(["metric", "value", "interval", "champion", "baseline"], scores(metrics, compared)),
    ]
    if open_gates:
        accepted = {w["gate"] for w in verdict["waived"]}
        rows = [
            (f"{SIGNS[g.verdict]} {g.verdict}{', waived' if g.title in accepted else ''}", g.title, g.said, g.next)
            for g in open_gates[:15]
        ]
        parts.append(markdown(["verdict", "gate", "measured", "next"], rows))
        parts += [f"and {len(open_gates) - 15} more, in reports/ce.html"] if len(open_gates) > 15 else []
    parts += [
        f"Waived until {w['expires']}: {cell(w['gate'])}. {cell(w['reason'])} ({cell(w['owner'])})"
        for w in verdict["waived"][:10]
    ]
    parts += [f"and {n - 10} more waivers, in reports/ce.html"] if (n := len(verdict["waived"])) > 10 else []
    parts.append(markdown(["checks", *(name.lower() for name in SIGNS)], counted(families)))
    if told := changes(compared["axes"]):
        release = compared["champion"]["release"]
        parts.append(f"Against {cell(release)}: {cell(compared['why'])}.\n\n" + markdown(["what", "change"], told))
    return "\n\n".join([*parts, "Model `" + verdict["model"] + "`; figures and plots: `reports/ce.html`."]) + "\n"
