"""The model card and the pictures hold whatever a column or a label is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from mlproduct.contract import validation as contract
from mlproduct.evaluation import evaluate
from mlproduct.reports import report
from mlproduct.training import train


def test_odd_names_stay_in_their_cell_of_the_model_card(small, tuned):
    odd = contract.Column("a|b`c", "feature", "number", description="one | two\nthree")
    meta = {"version": "v", "data": "d", "contract": "c", "params": "p", "lock": "l", "python": "3", "libraries": {}}
    score = {"value": 0.8, "low": 0.7, "high": 0.9, "baseline": 0.5}
    schema = replace(small, columns=small.columns | {odd.name: odd})
    card = report.model_card(
        {"roc_auc": score}, schema, meta, tuned, (80, 20), {"said": "This model may ship.", "waived": []}
    )
    assert "| `a\\|b'c` | feature | number | one \\| two three |" in card.splitlines()


def test_labels_with_dollars_are_drawn(small, frame: pd.DataFrame, tuned, tmp_path: Path, monkeypatch):
    labels = ("$1$\\foo$", "2 | b")
    target = replace(small.columns["left"], categories=labels)
    dear = replace(small, columns=small.columns | {"left": target}, positive=labels[1])
    rows = frame.assign(left=frame["left"].map({"No": labels[0], "Yes": labels[1]}))
    model = train.train(rows, dear, tuned.replace(model=tuned.model.replace(max_iter=5)))
    found = evaluate.evaluate(model, rows, rows, dear, tuned.evaluate.replace(bootstrap=5))
    monkeypatch.setattr(report, "REPORTS", tmp_path)
    report.draw_classification(found.predictions, dear)
    assert (tmp_path / "confusion.png").stat().st_size > 1000


def test_calibration_is_that_of_sklearn_and_equal_scores_stay_together():
    from sklearn.calibration import calibration_curve

    rng = np.random.default_rng(1)
    scores = rng.random(500)
    hit = rng.random(500) < scores
    observed, predicted = calibration_curve(hit, scores, n_bins=10, strategy="quantile")
    assert np.allclose(report.calibrated(scores, hit), np.column_stack([predicted, observed]))
    assert report.calibrated(np.full(40, 0.25), np.arange(40) < 10) == [(0.25, 0.25)]
