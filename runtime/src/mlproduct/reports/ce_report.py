"""What people read about a model: the model card, ce.md for a pull request, ce.html in full."""

import json
from pathlib import Path

from mlproduct.artifacts import METRICS, VERDICT
from mlproduct.config import load
from mlproduct.evaluation.gates import FAMILIES, Family
from mlproduct.evaluation.predictions import read_predictions
from mlproduct.reports import report
from mlproduct.reports.comment import comment
from mlproduct.reports.page import page

COMMENT, PAGE = Path("reports/ce.md"), Path("reports/ce.html")


def main() -> None:
    """Write the model card, its plots, reports/ce.md and ce.html."""
    report.main()
    contract, _ = load()
    verdict, metrics = (json.loads(path.read_text(encoding="utf-8")) for path in (VERDICT, METRICS))
    families = {name: Family.read(name) for name in FAMILIES}
    COMMENT.write_text(comment(verdict, metrics, families), encoding="utf-8")
    others = Family.read("alternatives")
    PAGE.write_text(page(verdict, metrics, families, read_predictions(), contract, others), encoding="utf-8")
