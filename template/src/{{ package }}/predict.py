"""Rows -> scores: the API and a batch ask the same object."""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline

from .artifacts import MODEL
from .contract import Contract
from .train import TRUSTED, load_model


@dataclass(frozen=True)
class Prediction:
    """An answer for one row; `probabilities` is None for a regression."""

    prediction: Any
    probabilities: dict[str, float] | None
    prediction_id: str


@dataclass(frozen=True)
class Predictor:
    """A fitted model with the contract it was trained under."""

    model: Pipeline
    contract: Contract
    version: str

    @classmethod
    def load(cls, contract: Contract, folder: Path = MODEL.parent, trusted: Path = TRUSTED) -> "Predictor":
        """Load model.skops and meta.json from a folder."""
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        return cls(load_model(folder / "model.skops", trusted), contract, meta["version"])

    def predict(self, features: pd.DataFrame) -> list[Prediction]:
        """Predict each row.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_features)
            As `contract.parse` gives them.
        """
        features = features[self.contract.features]
        if self.contract.task == "regression":
            return [Prediction(float(value), None, str(uuid.uuid4())) for value in self.model.predict(features)]
        original = self.contract.columns[self.contract.target].labels
        names = [str(label) for label in self.model.classes_]
        return [
            Prediction(original[names[row.argmax()]], dict(zip(names, map(float, row), strict=True)), str(uuid.uuid4()))
            for row in self.model.predict_proba(features)
        ]
