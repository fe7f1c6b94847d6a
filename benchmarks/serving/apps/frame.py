"""The model of the generated repository on a data frame, as any tutorial of the servers measured here does it."""

import os
from pathlib import Path
from typing import Any

import pandas as pd
import skops.io
from sklearn.pipeline import Pipeline

MODEL = Path(os.environ["BENCH_MODEL"])


def load() -> Pipeline:
    """Load the fitted pipeline; it is our own file, so all of its types are trusted."""
    model: Pipeline = skops.io.load(MODEL, trusted=skops.io.get_untrusted_types(file=MODEL))
    return model


def predict(model: Pipeline, record: dict[str, Any]) -> dict[str, Any]:
    """Answer one record."""
    row = model.predict_proba(pd.DataFrame([record]))[0]
    names = [str(label) for label in model.classes_]
    return {"prediction": names[row.argmax()], "probabilities": dict(zip(names, map(float, row), strict=True))}
