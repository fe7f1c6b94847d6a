"""The evaluation in full, as one page: how good, where weak, whether fair, what has moved, what is different."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mlproduct.contract.columns import Contract
from mlproduct.evaluation.gates import PASS, REPORTED, Family, Gate
from mlproduct.evaluation.metrics import HEADLINE
from mlproduct.reports.comment import COUNTED, SCORED, SIGNS, VERDICTS, changes, counted, scores
from mlproduct.reports.drawing import Curve, Estimate, Intervals, Table
from mlproduct.reports.rendering import render
from mlproduct.reports.report import calibrated, one_by_one
from mlproduct.reports.sections import Section

MOST = 25  # slices and columns in a plot


@dataclass(frozen=True)
class Checks:
    """The gates of a family as a table, those that need a look first."""

    name: str
    table: Table
    opened: bool


@dataclass(frozen=True)
class Page:
    """What the page shows, in its order; None where there is nothing to show."""

    target: str
    sign: str
    headline: Intervals
    scores: Table
    calibration: Curve
    slices: Intervals | None
    groups: Table | None
    base_rates: list[Gate]
    without_protected: dict[str, Any] | None
    drift: Intervals
    over_time: Intervals | None
    changes: Table | None
    code: str
    moved: Intervals | None
    flips: Table | None
    alternatives: Table
    settings: Table | None
    sections: Sequence[Section]
    counts: Table
    families: list[Checks]


def page(
    verdict: dict[str, Any],
    metrics: dict[str, Any],
    families: dict[str, Family],
    predictions: pd.DataFrame,
    contract: Contract,
    others: Family,
    sections: Sequence[Section] = (),
) -> str:
    """Render the whole report as one page."""
    found = {name: family.details for name, family in families.items()}
    compared, drift, fair = found["compare"], found["drift"], found["bias"]
    shown = Page(
        target=contract.target,
        sign=VERDICTS[verdict["verdict"]],
        headline=headline(metrics, compared, HEADLINE[contract.task][0]),
        scores=Table(SCORED, scores(metrics, compared)),
        calibration=calibration(predictions, contract),
        slices=weakest(found["slices"]),
        groups=groups(fair["table"]),
        base_rates=[gate for gate in families["bias"].gates if gate.name == "bias.base_rate"],
        without_protected=fair.get("without_protected"),
        drift=moved_columns(drift["effects"]),
        over_time=over_time(drift.get("over_time")),
        changes=filled(["what", "change"], changes(compared["axes"])),
        code="\n".join(compared["axes"].get("code", [])),
        moved=moved_slices(compared.get("slices")),
        flips=filled(
            ["row", "truth", "champion", "candidate", "loss more"],
            [(f["row"], f["truth"], f["before"], f["now"], f["worse"]) for f in compared.get("flips") or []],
        ),
        alternatives=looked_at(others.gates),
        settings=filled(
            ["set", "gain", "low", "high"],
            [(row["set"], row["value"], row["low"], row["high"]) for row in others.details["settings"]],
        ),
        sections=sections,
        counts=Table(["family", *COUNTED[1:]], counted(families)),
        families=[checks(name, family.gates) for name, family in families.items()],
    )
    return render("ce.html", page=shown, verdict=verdict, compared=compared)


def filled(head: list[str], rows: list[tuple[Any, ...]]) -> Table | None:
    """Return a table, or None if it has no rows."""
    return Table(head, rows) if rows else None


def headline(metrics: dict[str, Any], compared: dict[str, Any], name: str) -> Intervals:
    """Compare the headline metric with the champion's and with that of a guess."""
    score, theirs = metrics[name], compared.get("headline", {}).get("champion")
    rows = [Estimate(f"candidate, {name}", score["value"], score["low"], score["high"])]
    if theirs is not None:
        rows.append(Estimate(f"champion, {compared['champion']['release']}", theirs, open=True))
    rows.append(Estimate("a constant guess", score["baseline"], open=True))
    return Intervals(f"{name} with its interval, against champion and guess", rows, name)


def calibration(predictions: pd.DataFrame, contract: Contract) -> Curve:
    """Compare predicted with observed, in ten groups of equal size."""
    pairs = {label: (predictions[f"p {label}"], predictions["truth"] == label) for label in one_by_one(contract)}
    pairs = pairs or {contract.target: (predictions["prediction"], predictions["truth"])}
    series = {label: calibrated(predicted, observed) for label, (predicted, observed) in pairs.items()}
    return Curve("Calibration: predicted against observed, in ten groups of rows", series, "predicted", "observed")


def weakest(slices: dict[str, Any]) -> Intervals | None:
    """Return the slices that lose most, those with rows enough to decide first."""
    worst = sorted(slices["table"], key=lambda row: (not row["gated"], -(row["loss"] or 0)))[:MOST]
    rows = [Estimate(_slice(r), r["loss"], r["loss_low"], r["loss_high"], n=r["n"], open=not r["gated"]) for r in worst]
    title = f"Loss by slice, the {MOST} weakest"
    return Intervals(title, rows, "loss", {"all rows": slices["loss"]}) if rows else None


def groups(rows: list[dict[str, Any]]) -> Table | None:
    """Return the groups of the protected columns with their sizes and rates."""
    keys = [key for key in rows[0] if key != "gated"] if rows else []
    return filled([key.replace("_", " ") for key in keys], [tuple(row[key] for key in keys) for row in rows])


def moved_columns(effects: list[dict[str, Any]]) -> Intervals:
    """Return how far each column has moved, in shares of what is allowed."""
    shares = sorted(((e["column"], (e["distance"] or 0) / e["threshold"]) for e in effects), key=lambda pair: -pair[1])
    rows = [Estimate(column, share, 0.0, share, mark=1.0) for column, share in shares[:MOST]]
    title = "Drift by column, test rows against train rows, in shares of what is allowed"
    return Intervals(title, rows, "of what is allowed")


def over_time(windows: Iterable[dict[str, Any]] | None) -> Intervals | None:
    """Return the loss by window of time."""
    rows = [
        Estimate(w["span"], w["loss"], w["low"], w["high"], n=w["n"], open=w["split"] == "train") for w in windows or ()
    ]
    return Intervals("Loss by window of time", rows, "loss") if rows else None


def moved_slices(slices: Iterable[dict[str, Any]] | None) -> Intervals | None:
    """Return the slices that gained and lost most against the champion."""
    rows = [Estimate(_slice(r), r["worse"], n=r["n"]) for r in slices or ()]
    title = "Loss minus the champion's, by slice: below 0 is a gain"
    return Intervals(title, rows, "worse than the champion", {"no change": 0.0}) if rows else None


def looked_at(gates: list[Gate]) -> Table:
    """Return what is simpler, set otherwise or older next to the model; it decides nothing."""
    rows = [(gate.name.partition(".")[2], gate.said, "" if gate.verdict == PASS else gate.next) for gate in gates]
    return Table(["looked at", "found", "next"], rows)


def checks(name: str, gates: list[Gate]) -> Checks:
    """Return the gates of a family, with what to do where one needs a look."""
    order = sorted(gates, key=lambda gate: (gate.verdict in (PASS, REPORTED), not gate.alarm, gate.title))
    rows = [
        (f"{SIGNS[gate.verdict]} {gate.verdict}", gate.title, gate.said, gate.next if _needs_a_look(gate) else "")
        for gate in order
    ]
    return Checks(name, Table(["verdict", "gate", "measured", "next"], rows), any(map(_needs_a_look, order)))


def _needs_a_look(gate: Gate) -> bool:
    return gate.verdict not in (PASS, REPORTED) or gate.alarm


def _slice(row: dict[str, Any]) -> str:
    return f"{row['column']} = {row['group']}"
