"""The journal as a page: the headline metric of each run, champions and failures marked, and all of it as a table."""

from pathlib import Path
from typing import Any

from ..experimenting.journal import Run, figures
from ..metrics import HEADLINE
from .drawing import lines, table
from .page import document

SCRIPT = Path(__file__).with_suffix(".js")


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
    script = f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>"
    drawn = lines("The headline metric of each run", rows, {}, "metric") if rows else "<p>No run yet.</p>"
    return document(
        "journal",
        f"<h1>Every run, failures too</h1>{told}{drawn}<h2>Runs</h2>{table(head, listed[::-1], sortable=True)}{script}",
    )


def _headline(found: Run) -> list[float]:
    return [found.metrics[name] for name, _ in HEADLINE.values() if name in found.metrics]


def _reigns(found: Run, champion: str) -> bool:
    return found.status == "shipped" or bool(found.model and found.model == champion)
