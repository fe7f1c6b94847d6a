"""Model and test rows -> an Evaluation: how good the model is, beside guessing."""

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlproduct.artifacts import METRICS, PREDICTIONS
from mlproduct.config import Evaluate, load
from mlproduct.contract.columns import Contract
from mlproduct.data.prepare import TEST, TRAIN, clusters
from mlproduct.evaluation.metrics import Score, classification, regression, score
from mlproduct.evaluation.predictions import aligned, kept

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Evaluation:
    """What was measured on the test rows.

    Attributes
    ----------
    scores : dict of str to Score
    predictions : DataFrame of shape (n_rows, 4 or 4 + n_classes)
        `truth`, `prediction`, a column `p LABEL` for each class, `split` (train or test), and hashes of the row's
        content by which a later model's rows are told to be the same: `key`, and `inputs` without the target; under
        the row number of the raw file.
    """

    scores: dict[str, Score]
    predictions: pd.DataFrame

    def write(self) -> None:
        """Write reports/metrics.json and models/predictions.parquet."""
        METRICS.parent.mkdir(exist_ok=True)
        text = json.dumps({name: asdict(found) for name, found in self.scores.items()}, indent=2)
        METRICS.write_text(text.replace("NaN", "null") + "\n", encoding="utf-8")
        self.predictions.to_parquet(PREDICTIONS, index=True)  # as a column: rows are chosen by `split`


def evaluate(model: Any, train: pd.DataFrame, test: pd.DataFrame, contract: Contract, params: Evaluate) -> Evaluation:
    """Score a fitted model, and a dummy that knows no feature, on the test rows; predict the train rows as well."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    labels = [str(label) for label in contract.labels]
    both = [kept(model, train, contract, "train"), kept(model, test, contract, "test")]
    entity = clusters(test, contract)
    known, nothing = np.zeros((len(train), 1)), np.zeros((len(test), 1))
    if not labels:
        constant = DummyRegressor().fit(known, train[contract.target]).predict(nothing)
        truth, value = (both[1][name].to_numpy("float64") for name in ("truth", "prediction"))
        scores = score(regression(), truth, (value, value), (constant, constant), params, entity)
        return Evaluation(scores, pd.concat(both))
    dummy = DummyClassifier(strategy="prior").fit(known, train[contract.target])
    ours = both[1][[f"p {label}" for label in labels]].to_numpy()
    theirs = aligned(dummy.predict_proba(nothing), dummy.classes_, labels)
    truth = test[contract.target].map({label: code for code, label in enumerate(labels)}).to_numpy()
    metrics = classification(labels, None if contract.positive is None else str(contract.positive))
    scores = score(metrics, truth, (ours.argmax(axis=1), ours), (theirs.argmax(axis=1), theirs), params, entity)
    return Evaluation(scores, pd.concat(both))


def main() -> None:
    """Evaluate models/model.skops on data/prepared/test.parquet."""
    from mlproduct.training.train import load_model  # takes a second, which those who read the predictions are spared

    contract, params = load()
    evaluation = evaluate(load_model(), pd.read_parquet(TRAIN), pd.read_parquet(TEST), contract, params.evaluate)
    evaluation.write()
    for name, found in evaluation.scores.items():
        print(f"{name:18} {found.value:.4g}  [{found.low:.4g}, {found.high:.4g}]  baseline {found.baseline:.4g}")
