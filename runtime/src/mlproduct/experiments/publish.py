"""reports/journal.html: the page about the journal, written when a run has ended, never by a stage of the pipeline."""

import json
from pathlib import Path

from mlproduct.artifacts import META
from mlproduct.evaluation.champion import FOLDER as CHAMPION
from mlproduct.experiments.runs import (
    CRASHED,
    MOST,
    REJECTED,
    RUNNING,
    SHIPPED,
    Run,
    figures,
    headline,
    runs,
    status_here,
)
from mlproduct.reports.journal_page import Entry, journal_page

PAGE = Path("reports/journal.html")


def write_page() -> None:
    """Write reports/journal.html; whatever changes the journal calls this at its end."""
    meta = CHAMPION / META.name
    reigning = json.loads(meta.read_text(encoding="utf-8"))["version"] if meta.exists() else ""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(journal_page([entry(run, reigning) for run in runs()]), encoding="utf-8")


def entry(run: Run, reigning: str) -> Entry:
    """Return what the page says of a run; `reigning` is the version of the champion's model."""
    crashed, ended = run.status == CRASHED, run.status != RUNNING
    sections = {part: inner for part, inner in run.params.items() if isinstance(inner, dict)}
    more = [f"and {left} more"] if (left := len(run.failing) - MOST) > 0 else []
    status = status_here(run)
    last = run.said.strip().splitlines()[-1:] if crashed else []
    return Entry(
        run=run.fingerprint[:8],
        when=run.when[:16].replace("T", " "),
        who=run.who,
        status=status if ended else "not ended",
        metric=figures(run),
        value=headline(run)[1],
        why=run.hypothesis,
        settings={f"{part}.{key}": value for part, inner in sections.items() for key, value in inner.items()},
        failing=", ".join([*run.failing[:MOST], *more, *last]),
        forced=run.forced,
        lesson=run.lesson,
        failed=crashed or status == REJECTED,
        crashed=crashed,
        ended=ended,
        champion=status == SHIPPED or bool(run.model and run.model == reigning),
    )
