"""Tables and plots as HTML and SVG that need nothing else: no script, no font, no picture from elsewhere."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

import numpy as np

WIDTH, LABEL, ROW = 720, 260, 24  # of a plot, of its labels, and the height of a line in it
LEFT, RIGHT = 90, WIDTH - 150  # between them are the points of a curve, beside them its figures and names
MOST = 30  # letters of a label: more are cut off where the font is wide


def number(value: Any) -> str:
    """Write a figure with four digits, or whole where it has five to seven of them, and nothing where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    if isinstance(value, int) or 1e4 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def table(head: list[str], rows: Iterable[Iterable[Any]], sortable: bool = False) -> str:
    """Lay rows out as an HTML table that scrolls by itself."""
    mark = " data-sort" if sortable else ""
    top = "".join(f'<th scope="col"{mark}>{escape(name)}</th>' for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(number(value))}</td>" for value in row) + "</tr>" for row in rows)
    return f'<div class="wide" tabindex="0"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


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
    x, left, right = scale([p[0] for p in points], LEFT, RIGHT)
    y, low, high = scale([p[1] for p in points], 300, 10)
    body = [
        f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="300" y2="300"/>'
        f'<line class="axis" x1="{LEFT}" x2="{LEFT}" y1="10" y2="300"/>'
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
    for value, place, anchor in ((left, LEFT, "start"), (right, RIGHT, "end")):
        body.append(f'<text x="{place}" y="318" text-anchor="{anchor}">{number(value)}</text>')
    for value, place in ((low, 300), (high, 20)):
        body.append(f'<text x="{LEFT - 6}" y="{place}" text-anchor="end">{number(value)}</text>')
    body.append(f'<text x="{(LEFT + RIGHT) / 2:.0f}" y="318" text-anchor="middle">{escape(across)}</text>')
    body.append(f'<text x="{LEFT + 6}" y="22">{escape(up)}</text>')
    rows = [(name, a, b) for name, found in series.items() for a, b in found]
    return plot(title, "".join(body), 330, ["series", across, up], rows)
