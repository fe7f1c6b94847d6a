"""FastAPI as its documentation has it: a plain `def` for work that blocks, run in its thread pool."""

from typing import Any

import frame
from fastapi import FastAPI

model = frame.load()
app = FastAPI()


@app.post("/predict")
def predict(record: dict[str, Any]) -> dict[str, Any]:
    """Answer one record."""
    return frame.predict(model, record)
