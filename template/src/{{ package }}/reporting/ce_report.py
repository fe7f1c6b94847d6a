"""What people read about the evaluation: ce.md for a pull request, ce.html in full, journal.html for all runs."""

import argparse
import json
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..artifacts import META, METRICS, VERDICT
from ..columns import Contract, run
from ..evaluate import read_predictions
from ..experimenting.journal import Run, figures, runs
from ..judging.champion import FOLDER as CHAMPION
from ..judging.gate import FAIL, FAMILIES, INCONCLUSIVE, NOT_COMPARABLE, PASS, REPORTED, Family, Gate
from ..metrics import HEADLINE
from ..params import load
from . import report

COMMENT, PAGE, JOURNAL = (Path("reports") / name for name in ("ce.md", "ce.html", "journal.html"))
SIGNS = {PASS: "✔", FAIL: "✘", INCONCLUSIVE: "?", NOT_COMPARABLE: "≠", REPORTED: "·"}
VERDICTS = {"blessed": "✔", "inconclusive": "?", "rejected": "✘"}
WIDTH, LABEL, ROW = 720, 260, 24  # of a plot, of its labels, and the height of a line in it
MOST = 30  # letters of a label: more are cut off where the font is wide
BESIDE = Path(__file__).parent  # ce_report.css and ce_report.js go into the pages


def number(value: Any) -> str:
    """Write a figure with four digits, and nothing where there is none."""
    return (
        ""
        if value is None
        else f"{value:.4g}"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else str(value)
    )


def cell(value: Any) -> str:
    """Write a value into a cell of a Markdown table of a forge, which would take `<` for HTML."""
    return report.cell(number(value)).replace("<", "&lt;").replace(">", "&gt;")


def markdown(head: list[str], rows: Iterable[Iterable[Any]]) -> str:
    """Lay rows out as a Markdown table."""
    lines = [head, ["---"] * len(head), *([cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def table(head: list[str], rows: Iterable[Iterable[Any]], sortable: bool = False) -> str:
    """Lay rows out as an HTML table that scrolls by itself."""
    mark = " data-sort" if sortable else ""
    top = "".join(f'<th scope="col"{mark}>{escape(name)}</th>' for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(number(value))}</td>" for value in row) + "</tr>" for row in rows)
    return f'<div class="wide" tabindex="0"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


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
        if gate.verdict in (FAIL, NOT_COMPARABLE, INCONCLUSIVE)
    ]
    open_gates.sort(key=lambda gate: (gate.verdict == INCONCLUSIVE, gate.title))
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


def plot(title: str, body: str, height: float, head: list[str], rows: list[tuple[Any, ...]]) -> str:
    """Put a drawing into a figure that scales, with its numbers as a table below."""
    told = f'role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>'
    drawn = f'<div class="wide" tabindex="0"><svg viewBox="0 0 {WIDTH} {height:.0f}" {told}{body}</svg></div>'
    return f"<figure>{drawn}<details><summary>the numbers</summary>{table(head, rows)}</details></figure>"


def scale(values: Iterable[float | None], start: float, end: float) -> tuple[Callable[[float], float], float, float]:
    """Map values onto a stretch of the drawing, with some room at both ends."""
    known = [float(value) for value in values if value is not None and np.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    low, high = low - room, high + room
    return lambda value: start + (end - start) * (value - low) / (high - low), low, high


def lines(title: str, rows: list[dict[str, Any]], marks: dict[str, float | None], unit: str) -> str:
    """Draw figures with intervals, one line each: `label`, `value`, `low`, `high`, and perhaps `mark`, `open`, `n`."""
    values = [row.get(key) for row in rows for key in ("value", "low", "high", "mark")] + list(marks.values())
    x, low, high = scale(values, LABEL, WIDTH - 20)
    bottom = ROW * len(rows) + 14
    body = []
    for i, row in enumerate(rows):
        y = ROW * i + 16
        name, rows_of = row["label"], f" ({row['n']})" if row.get("n") is not None else ""
        label = (name if len(name) + len(rows_of) <= MOST else name[: MOST - 1 - len(rows_of)] + "…") + rows_of
        body.append(f'<text x="{LABEL - 10}" y="{y + 4}" text-anchor="end">{escape(label)}</text>')
        if row.get("low") is not None and row.get("high") is not None:
            body.append(f'<line class="bar" x1="{x(row["low"]):.1f}" x2="{x(row["high"]):.1f}" y1="{y}" y2="{y}"/>')
        if row.get("mark") is not None:
            body.append(
                f'<line class="mark" x1="{x(row["mark"]):.1f}" x2="{x(row["mark"]):.1f}" y1="{y - 9}" y2="{y + 9}"/>'
            )
        if row.get("value") is not None:
            at, shape = x(row["value"]), "other" if row.get("open") else "dot"
            drawn = (
                f'<rect class="{shape}" x="{at - 5:.1f}" y="{y - 5}" width="10" height="10"/>'
                if row.get("open")
                else (f'<circle class="{shape}" cx="{at:.1f}" cy="{y}" r="5"/>')
            )
            body.append(drawn)
        elif row.get("failed"):
            body.append(f'<text class="failed" x="{LABEL + 4}" y="{y + 5}">✕ no metric</text>')
    for i, (name, value) in enumerate(marks.items()):
        if value is not None:
            at = x(value)
            body.append(f'<line class="mark" x1="{at:.1f}" x2="{at:.1f}" y1="4" y2="{bottom}"/>')
            anchor = "end" if at > (LABEL + WIDTH) / 2 else "start"
            body.append(
                f'<text x="{at:.1f}" y="{bottom + 34 + 16 * i}" text-anchor="{anchor}">'
                f"{escape(name)} {number(value)}</text>"
            )
    body.append(f'<line class="axis" x1="{LABEL}" x2="{WIDTH - 20}" y1="{bottom}" y2="{bottom}"/>')
    for value, anchor in ((low, "start"), (high, "end")):
        body.append(f'<text x="{x(value):.1f}" y="{bottom + 16}" text-anchor="{anchor}">{number(value)}</text>')
    body.append(f'<text x="{(LABEL + WIDTH) / 2:.0f}" y="{bottom + 16}" text-anchor="middle">{escape(unit)}</text>')
    told = [
        (row["label"], row.get("n"), row.get("value"), row.get("low"), row.get("high"), row.get("mark")) for row in rows
    ]
    height = bottom + 24 + 16 * len(marks) + 8
    return plot(title, "".join(body), height, ["what", "rows", "value", "low", "high", "allowed"], told)


def curve(title: str, series: dict[str, list[tuple[float, float]]], across: str, up: str, diagonal: bool) -> str:
    """Draw points joined by lines, one series a label, told apart by their marks."""
    points = [point for found in series.values() for point in found]
    x, left, right = scale([p[0] for p in points], 60, WIDTH - 150)
    y, low, high = scale([p[1] for p in points], 300, 10)
    body = [
        f'<line class="axis" x1="60" x2="{WIDTH - 150}" y1="300" y2="300"/>'
        '<line class="axis" x1="60" x2="60" y1="10" y2="300"/>'
    ]
    if diagonal:
        a, b = max(left, low), min(right, high)
        body.append(f'<line class="mark" x1="{x(a):.1f}" y1="{y(a):.1f}" x2="{x(b):.1f}" y2="{y(b):.1f}"/>')
    for i, (name, found) in enumerate(series.items()):
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in found)
        dash = ("", "6 3", "2 3", "8 3 2 3")[i % 4]
        body.append(f'<polyline class="bar" fill="none" stroke-dasharray="{dash}" points="{path}"/>')
        body += [
            f'<circle class="{"dot" if i % 2 == 0 else "other"}" cx="{x(a):.1f}" cy="{y(b):.1f}" r="4"/>'
            for a, b in found
        ]
        last = found[-1]
        body.append(
            f'<text x="{x(last[0]) + 10:.1f}" y="{y(last[1]) + 4 + 16 * (i % 4):.1f}">{escape(name[:16])}</text>'
        )
    for value, place, anchor in ((left, 60, "start"), (right, WIDTH - 150, "end")):
        body.append(f'<text x="{place}" y="318" text-anchor="{anchor}">{number(value)}</text>')
    for value, place in ((low, 300), (high, 20)):
        body.append(f'<text x="54" y="{place}" text-anchor="end">{number(value)}</text>')
    body.append(f'<text x="{(WIDTH - 90) / 2:.0f}" y="318" text-anchor="middle">{escape(across)}</text>')
    body.append(f'<text x="66" y="22">{escape(up)}</text>')
    rows = [(name, a, b) for name, found in series.items() for a, b in found]
    return plot(title, "".join(body), 330, ["series", across, up], rows)


def calibration(predictions: pd.DataFrame, contract: Contract) -> str:
    """Draw predicted against observed, in ten groups of equal size."""
    shown = [str(contract.positive)] if contract.positive is not None else [str(label) for label in contract.labels[:4]]
    pairs = {label: (predictions[f"p {label}"], (predictions["truth"] == label).astype("float64")) for label in shown}
    if not contract.labels:
        pairs = {contract.target: (predictions["prediction"], predictions["truth"])}
    series = {}
    for label, (told, seen) in pairs.items():
        band = pd.qcut(told.rank(method="first"), min(10, len(told)), labels=False)
        means = pd.DataFrame({"told": told, "seen": seen}).groupby(band).mean()
        series[label] = [(float(a), float(b)) for a, b in means.to_numpy()]
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
    worst = sorted(found["slices"]["table"], key=lambda row: -(row["loss"] or 0))[:25]
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
    told += "Open squares are too small to decide.</p>"
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
                "label": f"{w['from'][:10]} to {w['to'][:10]}",
                "value": w["loss"],
                "low": w["low"],
                "high": w["high"],
                "n": w["n"],
            }
            for w in over
        ]
        drift += "<h3>Over time</h3>" + lines("Loss by window of time in the test rows", rows, {}, "loss")
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


def document(title: str, body: str) -> str:
    """Wrap a body as a page that needs nothing else."""
    style = (BESIDE / "ce_report.css").read_text(encoding="utf-8")
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head = f"<head>{meta}<title>{escape(title)}</title><style>\n{style}</style></head>"
    return f'<!doctype html>\n<html lang="en">{head}<body>\n{body}\n</body></html>\n'


def page(
    verdict: dict[str, Any],
    metrics: dict[str, Any],
    families: dict[str, Family],
    predictions: pd.DataFrame,
    contract: Contract,
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
    body.append("<h2>All checks</h2>" + table(["family", *(name.lower() for name in SIGNS)], counted(families)))
    for name, family in families.items():
        order = sorted(family.gates, key=lambda gate: (gate.verdict in (PASS, REPORTED), gate.title))
        rows = [
            (
                f"{SIGNS[gate.verdict]} {gate.verdict}",
                gate.title,
                gate.said,
                "" if gate.verdict in (PASS, REPORTED) else gate.next,
            )
            for gate in order
        ]
        opened = " open" if any(gate.verdict in (FAIL, NOT_COMPARABLE, INCONCLUSIVE) for gate in order) else ""
        body.append(
            f"<details{opened}><summary>{name}: {len(rows)} checks</summary>"
            f"{table(['verdict', 'gate', 'measured', 'next'], rows)}</details>"
        )
    return document(f"{verdict['verdict']}: {contract.target}", "\n".join(body))


def journal_page(found: list[Run], champion: str) -> str:
    """Write the journal as a page: the headline metric of each run, champions and failures marked, and a table."""
    rows = [
        {
            "label": f"{r.when[:16].replace('T', ' ')} {r.status}",
            "value": next(iter(_headline(r)), None),
            "n": None,
            "open": r.status in ("crashed", "rejected"),
            "mark": next(iter(_headline(r)), None) if _reigns(r, champion) else None,
            "failed": r.status == "crashed",
        }
        for r in found
    ]
    told = "<p class='soft'>Oldest first. Squares failed; a dashed line through a dot marks a champion; "
    told += "✕ at the edge: it crashed.</p>"
    before: dict[str, Any] = {}
    listed = []
    for r in found:
        now = {
            f"{part}.{key}": value
            for part, inner in r.params.items()
            if isinstance(inner, dict)
            for key, value in inner.items()
        }
        differs = ", ".join(f"{key}={value}" for key, value in now.items() if before.get(key, value) != value)
        before = now
        listed.append(
            (
                r.fingerprint[:8],
                r.when[:16].replace("T", " "),
                r.who,
                r.status,
                figures(r),
                r.hypothesis,
                differs,
                ", ".join(r.failing[:5]),
                r.forced,
                r.lesson,
            )
        )
    head = ["run", "when", "who", "status", "metric", "why", "changed", "failing", "forced", "lesson"]
    script = f"<script>{(BESIDE / 'ce_report.js').read_text(encoding='utf-8')}</script>"
    drawn = lines("The headline metric of each run", rows, {}, "metric") if rows else "<p>No run yet.</p>"
    return document(
        "journal",
        f"<h1>Every run, failures too</h1>{told}{drawn}<h2>Runs</h2>{table(head, listed[::-1], sortable=True)}{script}",
    )


def _headline(found: Run) -> list[float]:
    return [found.metrics[name] for name, _ in HEADLINE.values() if name in found.metrics]


def _reigns(found: Run, champion: str) -> bool:
    return found.status == "shipped" or bool(found.model and found.model == champion)


def write_journal() -> None:
    """Write reports/journal.html."""
    meta = CHAMPION / META.name
    champion = json.loads(meta.read_text(encoding="utf-8"))["version"] if meta.exists() else ""
    JOURNAL.parent.mkdir(exist_ok=True)
    JOURNAL.write_text(journal_page(runs(), champion), encoding="utf-8")


def main() -> None:
    """Write reports/ce.md, ce.html and journal.html; with --journal, that alone."""
    parser = argparse.ArgumentParser(prog=f"{__package__}.ce_report", description=__doc__)
    parser.add_argument("--journal", action="store_true", help="the journal alone")
    write_journal()
    if parser.parse_args().journal:
        return
    contract, _ = load()
    verdict, metrics = (json.loads(path.read_text(encoding="utf-8")) for path in (VERDICT, METRICS))
    families = {name: Family.read(name) for name in FAMILIES}
    COMMENT.write_text(comment(verdict, metrics, families), encoding="utf-8")
    PAGE.write_text(page(verdict, metrics, families, read_predictions(), contract), encoding="utf-8")


if __name__ == "__main__":
    run(main)
