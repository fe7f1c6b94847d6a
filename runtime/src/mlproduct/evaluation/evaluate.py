"""Model and test rows -> an Evaluation: how good the model is, beside guessing."""

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlproduct import team
from mlproduct.artifacts import METRICS, PREDICTIONS
from mlproduct.config import Evaluate, load
from mlproduct.contract.columns import Contract
from mlproduct.data.prepare import TEST, TRAIN, clusters
from mlproduct.evaluation.metrics import Score, classification, regression, score, score_all
from mlproduct.evaluation.own import Evaluated, Metrics, compute_metrics, own_family
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


def evaluate(
    model: Any,
    train: pd.DataFrame,
    test: pd.DataFrame,
    contract: Contract,
    params: Evaluate,
    metrics: Metrics | None = None,
) -> Evaluation:
    """Score a fitted model, and a dummy that knows no feature, on the test rows; predict the train rows as well.

    Parameters
    ----------
    metrics : function, optional
        The team's own metrics, beside the standard's.
    """
    labels = [str(label) for label in contract.labels]
    predictions = [kept(model, train, contract, "train"), kept(model, test, contract, "test")]
    truth, ours, theirs = _scored(predictions[1], train, test, contract)
    entity = clusters(test, contract)
    standard = classification(labels, _positive(contract)) if labels else regression()
    scores = score(standard, truth, ours, theirs, params, entity)
    if metrics is not None:
        compute = compute_metrics(metrics, labels, set(scores))
        scores |= score_all(compute, truth, ours, theirs, params, entity)
    return Evaluation(scores, pd.concat(predictions))


def _positive(contract: Contract) -> str | None:
    return None if contract.positive is None else str(contract.positive)


def _scored(
    predictions: pd.DataFrame, train: pd.DataFrame, test: pd.DataFrame, contract: Contract
) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]:
    """Return the truth, and predictions and scores of the model and of the dummy baseline, as `score` takes them."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    labels = [str(label) for label in contract.labels]
    known, nothing = np.zeros((len(train), 1)), np.zeros((len(test), 1))
    if not labels:
        constant = DummyRegressor().fit(known, train[contract.target]).predict(nothing)
        truth, value = (predictions[name].to_numpy("float64") for name in ("truth", "prediction"))
        return truth, (value, value), (constant, constant)
    dummy = DummyClassifier(strategy="prior").fit(known, train[contract.target])
    ours = predictions[[f"p {label}" for label in labels]].to_numpy()
    theirs = aligned(dummy.predict_proba(nothing), dummy.classes_, labels)
    truth = test[contract.target].map({label: code for code, label in enumerate(labels)}).to_numpy()
    return truth, (ours.argmax(axis=1), ours), (theirs.argmax(axis=1), theirs)


def main() -> None:
    """Evaluate models/model.skops on data/prepared/test.parquet; judge by the team's own gates."""
    from mlproduct.training.train import load_model  # takes a second, which those who read the predictions are spared

    contract, params = load()
    train, test = pd.read_parquet(TRAIN), pd.read_parquet(TEST)
    metrics, gates = team.extension("metrics", params.own), team.extension("gates", params.own)
    evaluation = evaluate(load_model(), train, test, contract, params.evaluate, metrics)
    evaluation.write()
    for name, found in evaluation.scores.items():
        print(f"{name:18} {found.value:.4g}  [{found.low:.4g}, {found.high:.4g}]  baseline {found.baseline:.4g}")
    tested = evaluation.predictions[evaluation.predictions["split"] == "test"]
    shown = tested.drop(columns=["split", "key", "inputs"])
    own_family(gates, Evaluated(test, shown, evaluation.scores, clusters(test, contract), contract)).write()
