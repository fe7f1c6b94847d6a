"""Model and test rows -> an Evaluation: how good the model is, beside guessing."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor

from .contract import Contract, run
from .metrics import Score, classification, regression, score
from .params import Evaluate, Params
from .prepare import TEST, TRAIN
from .train import load_model

METRICS = Path("reports/metrics.json")
PREDICTIONS = Path("models/predictions.parquet")
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Evaluation:
    """What was measured on the test rows.

    Attributes
    ----------
    scores : dict of str to Score
    predictions : DataFrame of shape (n_rows, 2 or 2 + n_classes)
        `truth`, `prediction`, and a column `p LABEL` for each class, under the row number of the raw file.
    """

    scores: dict[str, Score]
    predictions: pd.DataFrame

    def write(self) -> None:
        """Write reports/metrics.json and models/predictions.parquet."""
        METRICS.parent.mkdir(exist_ok=True)
        text = json.dumps({name: asdict(found) for name, found in self.scores.items()}, indent=2)
        METRICS.write_text(text.replace("NaN", "null") + "\n", encoding="utf-8")
        self.predictions.to_parquet(PREDICTIONS)


def evaluate(model: Any, train: pd.DataFrame, test: pd.DataFrame, contract: Contract, params: Evaluate) -> Evaluation:
    """Score a fitted model, and a dummy that knows no feature, on the test rows."""
    labels = [str(label) for label in contract.labels]
    target, features, nothing = test[contract.target], test[contract.features], np.zeros((len(test), 1))
    if not labels:
        constant = DummyRegressor().fit(np.zeros((len(train), 1)), train[contract.target]).predict(nothing)
        value = model.predict(features)
        scores = score(regression(), target.to_numpy("float64"), (value, value), (constant, constant), params)
        return Evaluation(scores, pd.DataFrame({"truth": target, "prediction": value}, index=test.index))
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((len(train), 1)), train[contract.target])
    ours = aligned(model.predict_proba(features), model.classes_, labels)
    theirs = aligned(dummy.predict_proba(nothing), dummy.classes_, labels)
    truth = target.map({label: code for code, label in enumerate(labels)}).to_numpy()
    metrics = classification(labels, None if contract.positive is None else str(contract.positive))
    scores = score(metrics, truth, (ours.argmax(axis=1), ours), (theirs.argmax(axis=1), theirs), params)
    predictions = pd.DataFrame(ours, columns=[f"p {label}" for label in labels], index=test.index)
    predictions.insert(0, "truth", target)
    predictions.insert(1, "prediction", np.array(labels)[ours.argmax(axis=1)])
    return Evaluation(scores, predictions)


def aligned(probabilities: Array, classes: Array, labels: list[str]) -> Array:
    """Put probabilities into the order of the contract's labels; a class never seen in training has 0."""
    table = pd.DataFrame(probabilities, columns=[str(name) for name in classes])
    return table.reindex(columns=labels, fill_value=0.0).to_numpy()


def main() -> None:
    """Evaluate models/model.skops on data/prepared/test.parquet."""
    contract, params = Contract.load(), Params.load()
    evaluation = evaluate(load_model(), pd.read_parquet(TRAIN), pd.read_parquet(TEST), contract, params.evaluate)
    evaluation.write()
    for name, found in evaluation.scores.items():
        print(f"{name:18} {found.value:.4g}  [{found.low:.4g}, {found.high:.4g}]  baseline {found.baseline:.4g}")


if __name__ == "__main__":
    run(main)
