"""The evaluation in full, as one page: how good, where weak, whether fair, what has moved, what is different."""

from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from ..columns import Contract
from ..judging.gate import PASS, REPORTED, Family, Gate
from ..metrics import HEADLINE
from .comment import SIGNS, VERDICTS, changes, counted, scores
from .drawing import curve, lines, number, table
from .report import calibrated, one_by_one

STYLE = Path(__file__).with_suffix(".css")


def calibration(predictions: pd.DataFrame, contract: Contract) -> str:
    """Draw predicted against observed, in ten groups of equal size."""
    pairs = {label: (predictions[f"p {label}"], predictions["truth"] == label) for label in one_by_one(contract)}
    pairs = pairs or {contract.target: (predictions["prediction"], predictions["truth"])}
    series = {label: calibrated(told, seen) for label, (told, seen) in pairs.items()}
    return curve(
        "Calibration: predicted against observed, in ten groups of rows", series, "predicted", "observed", diagonal=True
    )


def sections(
    metrics: dict[str, Any], families: dict[str, Family], predictions: pd.DataFrame, contract: Contract
) -> list[tuple[str, str]]:
    """Give the parts of the page below the verdict: heading and body."""
    compared, found = families["compare"].details, {name: family.details for name, family in families.items()}
    name = HEADLINE[contract.task][0]
    score, theirs = metrics[name], compared.get("headline", {}).get("champion")
    rows = [{"label": f"candidate, {name}", **{k: score[k] for k in ("value", "low", "high")}}]
    rows += (
        [{"label": f"champion, {compared['champion']['release']}", "value": theirs, "open": True}]
        if theirs is not None
        else []
    )
    rows.append({"label": "a constant guess", "value": score["baseline"], "open": True})
    head = ["metric", "value", "interval", "champion", "baseline"]
    parts = [
        (
            "How good is it?",
            lines(f"{name} with its interval, against champion and guess", rows, {}, name)
            + table(head, scores(metrics, compared))
            + calibration(predictions, contract),
        )
    ]
    worst = sorted(found["slices"]["table"], key=lambda row: (not row["gated"], -(row["loss"] or 0)))[:25]
    rows = [
        {
            "label": f"{r['column']} = {r['group']}",
            "value": r["loss"],
            "low": r["loss_low"],
            "high": r["loss_high"],
            "n": r["n"],
            "open": not r["gated"],
        }
        for r in worst
    ]
    told = "<p class='soft'>Loss in units of guessing: 0 is right and sure, 1 is a guess. "
    told += "Slices with rows enough come first; open squares are too small to decide.</p>"
    if rows:
        parts.append(
            (
                "Where is it weak?",
                told + lines("Loss by slice, the 25 weakest", rows, {"all rows": found["slices"]["loss"]}, "loss"),
            )
        )
    parts.append(("Are groups treated alike?", bias(found["bias"], families["bias"].gates)))
    effects = sorted(found["drift"]["effects"], key=lambda e: -((e["distance"] or 0) / e["threshold"]))[:25]
    rows = [
        {
            "label": e["column"],
            "value": (e["distance"] or 0) / e["threshold"],
            "low": 0.0,
            "high": (e["distance"] or 0) / e["threshold"],
            "mark": 1.0,
        }
        for e in effects
    ]
    drift = lines(
        "Drift by column, test rows against train rows, in shares of what is allowed", rows, {}, "of what is allowed"
    )
    if over := found["drift"].get("over_time"):
        rows = [
            {
                "label": w["span"],
                "value": w["loss"],
                "low": w["low"],
                "high": w["high"],
                "n": w["n"],
                "open": w["split"] == "train",
            }
            for w in over
        ]
        told = "By models that have not learnt these rows. Open squares are train rows."
        drift += f"<h3>Over time</h3><p class='soft'>{told}</p>" + lines("Loss by window of time", rows, {}, "loss")
    parts.append(("Has the data moved?", drift))
    parts.append(("What is different?", difference(compared)))
    return parts


def bias(details: dict[str, Any], gates: list[Gate]) -> str:
    """Show groups with their sizes, label bias said as such, and what leaving protected columns out did."""
    if not details["table"]:
        return "<p>contract.yaml names no protected column: nothing was looked at.</p>"
    keys = [key for key in details["table"][0] if key != "gated"]
    body = [table([key.replace("_", " ") for key in keys], [[row[key] for key in keys] for row in details["table"]])]
    for gate in gates:
        if gate.name == "bias.base_rate":
            body.append(
                f"<p><b>Labels, before any model</b>, by {escape(gate.slice)}: {escape(gate.said)}. "
                "No gate on the model sees this.</p>"
            )
    if out := details.get("without_protected"):
        names = ", ".join(out["columns"])
        body.append(
            f"<p>Leaving out {escape(names)} changed the loss by {number(out['change'])} [{number(out['low'])}, "
            f"{number(out['high'])}] (trained on {out['rows']} rows; below 0 is better without).</p>"
        )
    return "".join(body)


def difference(compared: dict[str, Any]) -> str:
    """Show what changed from the champion, which rows flipped, and which slices gained and lost."""
    body = f"<p>{escape(compared['said'])} {escape(compared['why'][:1].upper() + compared['why'][1:])}.</p>"
    if told := changes(compared["axes"]):
        body += table(["what", "change"], told)
        code = "\n".join(compared["axes"]["code"])
        body += f"<details><summary>git diff --stat</summary><pre>{escape(code)}</pre></details>" if code else ""
    if compared.get("slices"):
        rows = [
            {"label": f"{r['column']} = {r['group']}", "value": r["worse"], "n": r["n"]} for r in compared["slices"]
        ]
        body += "<h3>Slices that gained and lost most</h3>"
        body += lines(
            "Loss minus the champion's, by slice: below 0 is a gain",
            rows,
            {"no change": 0.0},
            "worse than the champion",
        )
    if compared.get("flips"):
        said = (
            f"{compared['flipped']} rows are predicted otherwise"
            if compared["flipped"] is not None
            else "Rows that changed most"
        )
        shown = [(f["row"], f["truth"], f["before"], f["now"], f["worse"]) for f in compared["flips"]]
        listed = table(["row", "truth", "champion", "candidate", "loss more"], shown)
        body += f"<details><summary>{said}</summary>{listed}</details>"
    return body


def beside(others: Family) -> str:
    """Show what is simpler, set otherwise or older next to the model; it decides nothing."""
    told = [
        (gate.name.partition(".")[2], gate.said, "" if gate.verdict == PASS else gate.next) for gate in others.gates
    ]
    body = "<p class='soft'>This decides nothing.</p>" + table(["looked at", "found", "next"], told)
    rows = [(row["set"], row["value"], row["low"], row["high"]) for row in others.details["settings"]]
    listed = table(["set", "gain", "low", "high"], rows)
    return body + (f"<details><summary>the settings nearby</summary>{listed}</details>" if rows else "")


def document(title: str, body: str) -> str:
    """Wrap a body as a page that needs nothing else."""
    style = STYLE.read_text(encoding="utf-8")
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head = f"<head>{meta}<title>{escape(title)}</title><style>\n{style}</style></head>"
    return f'<!doctype html>\n<html lang="en">{head}<body>\n{body}\n</body></html>\n'


def page(
    verdict: dict[str, Any],
    metrics: dict[str, Any],
    families: dict[str, Family],
    predictions: pd.DataFrame,
    contract: Contract,
    others: Family,
) -> str:
    """Write the whole report as one page."""
    sign, compared = VERDICTS[verdict["verdict"]], families["compare"].details
    body = [
        f"<h1>{escape(contract.target)}: model {verdict['model']}</h1>",
        f'<p class="verdict {verdict["verdict"]}"><b>{sign} {verdict["verdict"]}.</b> '
        f"{escape(verdict['said'])} {escape(compared['said'])}</p>",
    ]
    body += [
        f"<p>Waived until {w['expires']}: {escape(w['gate'])}. {escape(w['reason'])} ({escape(w['owner'])})</p>"
        for w in verdict["waived"]
    ]
    body += [f"<h2>{heading}</h2>\n{part}" for heading, part in sections(metrics, families, predictions, contract)]
    body.append("<h2>Is something else better?</h2>" + beside(others))
    body.append("<h2>All checks</h2>" + table(["family", *(name.lower() for name in SIGNS)], counted(families)))
    for name, family in families.items():
        order = sorted(family.gates, key=lambda gate: (gate.verdict in (PASS, REPORTED), not gate.alarm, gate.title))
        rows = [
            (
                f"{SIGNS[gate.verdict]} {gate.verdict}",
                gate.title,
                gate.said,
                "" if gate.verdict in (PASS, REPORTED) and not gate.alarm else gate.next,
            )
            for gate in order
        ]
        opened = " open" if any(gate.verdict not in (PASS, REPORTED) or gate.alarm for gate in order) else ""
        body.append(
            f"<details{opened}><summary>{name}: {len(rows)} checks</summary>"
            f"{table(['verdict', 'gate', 'measured', 'next'], rows)}</details>"
        )
    return document(f"{verdict['verdict']}: {contract.target}", "\n".join(body))
