"""What people read: the model card, ce.md for a pull request, ce.html in full, journal.html for all runs."""

import argparse
import json
from pathlib import Path

from ..artifacts import META, METRICS, VERDICT
from ..columns import run
from ..evaluate import read_predictions
from ..experimenting.journal import runs
from ..judging.champion import FOLDER as CHAMPION
from ..judging.gate import FAMILIES, Family
from ..params import load
from . import report
from .comment import comment
from .journal_page import journal_page
from .page import page

COMMENT, PAGE, JOURNAL = (Path("reports") / name for name in ("ce.md", "ce.html", "journal.html"))


def write_journal() -> None:
    """Write reports/journal.html."""
    meta = CHAMPION / META.name
    champion = json.loads(meta.read_text(encoding="utf-8"))["version"] if meta.exists() else ""
    JOURNAL.parent.mkdir(exist_ok=True)
    JOURNAL.write_text(journal_page(runs(), champion), encoding="utf-8")


def main() -> None:
    """Write the model card, its plots, reports/ce.md, ce.html and journal.html; with --journal, that alone."""
    parser = argparse.ArgumentParser(prog=f"{__package__}.ce_report", description=__doc__)
    parser.add_argument("--journal", action="store_true", help="the journal alone")
    write_journal()
    if parser.parse_args().journal:
        return
    report.main()
    contract, _ = load()
    verdict, metrics = (json.loads(path.read_text(encoding="utf-8")) for path in (VERDICT, METRICS))
    families = {name: Family.read(name) for name in FAMILIES}
    COMMENT.write_text(comment(verdict, metrics, families), encoding="utf-8")
    others = Family.read("alternatives")
    PAGE.write_text(page(verdict, metrics, families, read_predictions(), contract, others), encoding="utf-8")


if __name__ == "__main__":
    run(main)
