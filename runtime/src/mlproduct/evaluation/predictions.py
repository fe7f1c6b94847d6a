"""Predictions of rows whose truth is known: made here, kept by the evaluation, read by the stages after it."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlproduct.artifacts import PREDICTIONS
from mlproduct.contract.columns import Contract

Array = npt.NDArray[Any]


def predicted(model: Any, frame: pd.DataFrame, contract: Contract, features: list[str] | None = None) -> pd.DataFrame:
    """Predict rows whose truth is known: `truth`, `prediction`, and `p LABEL` for each class."""
    inputs = frame[features or contract.features]
    labels, target = [str(label) for label in contract.labels], frame[contract.target]
    if not labels:
        return pd.DataFrame({"truth": target, "prediction": model.predict(inputs)}, index=frame.index)
    p = aligned(model.predict_proba(inputs), model.classes_, labels)
    found = pd.DataFrame(p, columns=[f"p {label}" for label in labels], index=frame.index)
    found.insert(0, "truth", target)
    found.insert(1, "prediction", np.array(labels)[p.argmax(axis=1)])
    return found


def keys(frame: pd.DataFrame, contract: Contract, without: str | None = None) -> pd.Series:
    """Return a hash of each row's content, without the columns that nobody looks at, and perhaps without one more."""
    names = sorted(name for name, column in contract.columns.items() if column.role != "ignore" and name != without)
    return pd.util.hash_pandas_object(frame[names], index=False)


def kept(model: Any, frame: pd.DataFrame, contract: Contract, split: str) -> pd.DataFrame:
    """Predict rows, and add what tells them to be the same later."""
    hashes = {"key": keys(frame, contract), "inputs": keys(frame, contract, contract.target)}
    return predicted(model, frame, contract).assign(split=split, **hashes)


def read_predictions(path: Path = PREDICTIONS, split: str = "test") -> pd.DataFrame:
    """Read the predictions that an evaluation kept, of one split."""
    return pd.read_parquet(path, filters=[("split", "==", split)])


def aligned(probabilities: Array, classes: Array, labels: list[str]) -> Array:
    """Put probabilities into the order of the contract's labels; a class never seen in training has 0."""
    table = pd.DataFrame(probabilities, columns=[str(name) for name in classes])
    return table.reindex(columns=labels, fill_value=0.0).to_numpy()
