"""What a release changes, in words: CHANGELOG.md from the journal, the verdict, and what was released before."""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from mlproduct.artifacts import METRICS, VERDICT
from mlproduct.config import PARAMS
from mlproduct.evaluation.champion import git
from mlproduct.experiments.runs import Run, runs

CHANGELOG = Path("CHANGELOG.md")
HEAD = (
    "# Changelog\n\nOne entry a release, written by `make release`: "
    "what the model is, how it was judged, what is other than before.\n"
)
NAMES = {"data": "Data", "contract": "Contract", "code": "Code of the model", "lock": "Packages"}  # of a run's hashes


@dataclass(frozen=True)
class Release:
    """What is known of a release.

    Attributes
    ----------
    version : str
    verdict : dict
        reports/verdict.json.
    metrics : dict of str to float
    params : dict of str to Any
        `section.name` -> value, all of params.yaml.
    run : Run or None
        Its run in the journal.
    """

    version: str
    verdict: dict[str, Any]
    metrics: dict[str, float]
    params: dict[str, Any] = field(default_factory=dict)
    run: Run | None = None

    @classmethod
    def of(cls, version: str, commit: str) -> "Release":
        """Read a commit, and the journal."""
        verdict = json.loads(_show(commit, VERDICT) or "{}")
        scores = json.loads(_show(commit, METRICS) or "{}")
        metrics = {name: float(score["value"]) for name, score in scores.items() if score["value"] is not None}
        sections = yaml.safe_load(_show(commit, PARAMS) or "{}")
        params = {
            f"{section}.{key}": value for section, values in sections.items() for key, value in (values or {}).items()
        }
        run = next((run for run in reversed(runs()) if verdict and run.model == verdict["model"]), None)
        return cls(version, verdict, metrics, params, run)


def _show(commit: str, path: Path) -> str | None:
    return git("show", f"{commit}:{path.as_posix()}")


def entry(new: Release, old: Release | None, day: date) -> str:
    """Tell a release: the verdict first, then what is served, then what is other than in the release before."""
    lines = [f"## {new.version} - {day}", "", new.verdict["said"], ""]
    lines += [f"- Model: {_now(new.verdict['model'], old.verdict.get('model') if old else None)}"]
    if new.run and new.run.hypothesis:
        lines += [f"- Why: {new.run.hypothesis}"]
    if new.run and new.run.lesson:
        lines += [f"- Learnt: {new.run.lesson}"]
    if new.run:
        before = old.run.hashes if old and old.run else {}
        hashes = {name: (new.run.hashes[key][:12], before.get(key, "")[:12]) for key, name in NAMES.items()}
        lines += [f"- {name}: {_now(*pair)}" for name, pair in hashes.items()]
    lines += [f"- Parameter {change}" for change in (changes(old.params, new.params) if old else [])]
    waivers = [f"{w['expires']}: {w['gate']} ({w['reason']}; {w['owner']})" for w in new.verdict["waived"]]
    lines += [f"- Accepted until {waiver}" for waiver in waivers]
    return "\n".join([*lines, "", *table(new, old)]) + "\n"


def _now(value: str, before: str | None) -> str:
    return value + (" (as before)" if value == before else f" (was {before})" if before else "")


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Say which parameters differ."""
    names = [*new, *(name for name in old if name not in new)]
    return [
        f"{name}: {old.get(name, 'none')} -> {new.get(name, 'none')}"
        for name in names
        if old.get(name) != new.get(name)
    ]


def table(new: Release, old: Release | None) -> list[str]:
    """Lay out the metrics of the test rows, beside those of the release before (measured on its own test rows)."""
    if old is None:
        return ["| metric | value |", "| --- | --- |", *(f"| {name} | {v:.4g} |" for name, v in new.metrics.items())]
    rows = [
        f"| {name} | {_figure(old.metrics.get(name))} | {_figure(new.metrics.get(name))} |"
        for name in [*new.metrics, *(name for name in old.metrics if name not in new.metrics)]
    ]
    return [f"| metric | {old.version} | {new.version} |", "| --- | --- | --- |", *rows]


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def added(text: str, new_entry: str) -> str:
    """Put an entry above those that are there."""
    text = text or HEAD
    place = text.find("\n## ")
    head, rest = (text, "") if place < 0 else (text[: place + 1], "\n" + text[place + 1 :])
    return head.rstrip("\n") + "\n\n" + new_entry + rest
