"""What people read about a model: the model card, ce.md for a pull request, ce.html in full."""

import json
from pathlib import Path

import pandas as pd

from mlproduct import team
from mlproduct.artifacts import METRICS, VERDICT
from mlproduct.config import load
from mlproduct.data.prepare import TEST, clusters
from mlproduct.evaluation.gates import FAMILIES, Family
from mlproduct.evaluation.own import OWN, Evaluated, scores_of
from mlproduct.evaluation.predictions import read_predictions
from mlproduct.reports import report
from mlproduct.reports.comment import comment
from mlproduct.reports.page import page
from mlproduct.reports.sections import own_sections

COMMENT, PAGE = Path("reports/ce.md"), Path("reports/ce.html")


def main() -> None:
    """Write the model card, its plots, reports/ce.md and ce.html."""
    contract, params = load()
    verdict, metrics = (json.loads(path.read_text(encoding="utf-8")) for path in (VERDICT, METRICS))
    predictions, test = read_predictions(), pd.read_parquet(TEST)
    shown = predictions.drop(columns=["split", "key", "inputs"])
    evaluated = Evaluated(test, shown, scores_of(metrics), clusters(test, contract), contract)
    sections = own_sections(team.extension("report", params.own), evaluated)
    report.write(sections, own_split=team.extension("split", params.own) is not None)
    families = {name: family for name in FAMILIES if (family := Family.read(name)).gates or name != OWN}
    COMMENT.write_text(comment(verdict, metrics, families), encoding="utf-8")
    others = Family.read("alternatives")
    PAGE.write_text(page(verdict, metrics, families, predictions, contract, others, sections), encoding="utf-8")
