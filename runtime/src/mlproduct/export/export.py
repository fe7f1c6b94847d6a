"""The fitted pipeline -> models/serving: a form that answers without a data frame, where one is proven to be equal.

Tables say what each value of a column becomes before the estimator; the estimator itself becomes an ONNX graph. Whether
both together answer as the pipeline does is proven on every test row, and on probes: rows of the training set, missing
and unseen values, and values beside the thresholds of the model's trees. Where they do not, or where an estimator has
no graph, the service takes the next best way, and /version says which:

- onnx: tables, then the graph
- columns: tables, then the estimator on an array
- frame: the pipeline on a data frame
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlproduct.artifacts import META, SERVING
from mlproduct.config import load
from mlproduct.contract.columns import Contract
from mlproduct.data.prepare import TEST, TRAIN
from mlproduct.evaluation.drift.detection import scored
from mlproduct.evaluation.metrics import guessing, losses
from mlproduct.evaluation.predictions import read_predictions
from mlproduct.export.bins import reference
from mlproduct.export.probes import Probes, probes
from mlproduct.export.splits import parts_missing
from mlproduct.export.tables import Before, encoding
from mlproduct.inference.encode import encoder
from mlproduct.inference.predict import estimated, frame_of, graphed
from mlproduct.inference.request import examples, values
from mlproduct.training.train import load_model

Array = npt.NDArray[np.float64]
BACKGROUND = 200  # records behind /explain
GRAPH, TABLE, ABOUT = "model.onnx", "encoding.json", "serving.json"


class UnequalError(Exception):
    """A form that answers otherwise than the pipeline."""


@dataclass(frozen=True)
class Serving:
    """How the service computes an answer, and how that was proven.

    Attributes
    ----------
    path : str
        `onnx`, `columns` or `frame`.
    why : str
        Why it is not the one before.
    rows : int
        Test rows on which it was compared with the pipeline.
    difference : float
        The largest difference of a probability, or of a value in units of the spread.
    probes : int
        Records besides the test rows on which it was compared, those at the thresholds of trees among them.
    """

    path: str
    why: str
    rows: int
    difference: float
    probes: int = 0


def graph(estimator: Any, width: int) -> bytes:
    """Convert a fitted estimator to ONNX in double precision.

    Raises
    ------
    Exception
        Whatever the converter raises for an estimator that it does not know.
    """
    from mlproduct.export.trees import NotConvertibleError, convert

    try:
        return convert(estimator, width).SerializeToString()
    except (NotConvertibleError, AttributeError):
        pass
    if parts_missing(estimator):  # skl2onnx 1.20 looks for the double beside an infinite threshold without end
        raise NotConvertibleError("skl2onnx does not convert a split on missing values")
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType

    options = {"zipmap": False} if hasattr(estimator, "predict_proba") else None
    found = to_onnx(estimator, initial_types=[("X", DoubleTensorType([None, width]))], options=options)
    content: bytes = found.SerializeToString()
    return content


def answers(model: Any, rows: Any) -> Array:
    """Ask a fitted model or step for probabilities, or for values as a column."""
    found = model.predict_proba(rows) if hasattr(model, "predict_proba") else model.predict(rows).reshape(-1, 1)
    return np.asarray(found, dtype="float64")


@dataclass(frozen=True)
class Proof:
    """Test rows, then probes, with the answers of the pipeline.

    Attributes
    ----------
    records : list of dict
        As `request.Reader.read` gives them.
    wanted : ndarray of shape (n_records, n_answers)
        What the pipeline answers.
    rows : int
        How many of the records are test rows.
    tolerance : float
        The largest difference that counts as equal.
    """

    records: list[dict[str, Any]]
    wanted: Array
    rows: int
    tolerance: float
    drawn: Probes

    @classmethod
    def of(cls, model: Any, test: pd.DataFrame, drawn: Probes, contract: Contract, tolerance: float) -> "Proof":
        """Ask the pipeline about test rows and probes."""
        expected = [answers(model, rows) for rows in (test[contract.features], frame_of(drawn.records, contract))]
        records = values(contract, test) + drawn.records
        return cls(records, np.concatenate(expected), len(test), tolerance, drawn)

    def difference(self, found: Array) -> float:
        """Return the largest difference: of probabilities as it is, of values in units of their spread.

        Raises
        ------
        UnequalError
            If it is above the tolerance.
        """
        test = self.wanted[: self.rows]
        spread = 1.0 if test.shape[1] > 1 else float(np.std(test)) or 1.0
        apart = np.abs(found - self.wanted).max(axis=1) / spread
        worst = int(np.argmax(apart))  # a NaN counts as the largest
        if apart[worst] <= self.tolerance:
            return float(apart[worst])
        where = "a test row" if worst < self.rows else self.drawn.said(worst - self.rows)
        raise UnequalError(f"other answers for {(~(apart <= self.tolerance)).sum()} of {len(apart)} records, by up to "
                           f"{apart[worst]:.2g}, where {where}")  # fmt: skip


def export(
    model: Any, contract: Contract, train: pd.DataFrame, test: pd.DataFrame, tolerance: float, folder: Path
) -> Serving:
    """Write the quickest form that answers as the pipeline does, and say which it is.

    Parameters
    ----------
    train, test : DataFrame of shape (n_rows, n_columns)
        As prepared.
    tolerance : float
        The largest difference that counts as equal.
    """
    try:
        table = encoding(Before(model[:-1], contract, train))
        encode = encoder(table)
        proof = Proof.of(model, test, probes(model[-1], table, encode, train, contract), contract, tolerance)
        rows = encode(proof.records)
        apart = proof.difference(estimated(model[-1])(rows))
    except Exception as error:  # whatever a changed model.py brings: the frame always works
        return Serving("frame", f"no tables: {_said(error)}", len(test), 0.0)
    (folder / TABLE).write_text(json.dumps(table, ensure_ascii=False) + "\n", encoding="utf-8")
    probed = len(proof.drawn.records)
    try:
        content = graph(model[-1], rows.shape[1])
        closer = proof.difference(graphed(content)(rows))
    except Exception as error:
        return Serving("columns", f"no graph: {_said(error)}", len(test), apart, probed)
    (folder / GRAPH).write_bytes(content)
    return Serving("onnx", "", len(test), closer, probed)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]


def background(train: pd.DataFrame, contract: Contract, seed: int) -> list[dict[str, Any]]:
    """Draw records for /explain from the reference, each value on its own: none of them is anybody's."""
    drawn = [
        train[name].sample(BACKGROUND, replace=True, random_state=seed + i) for i, name in enumerate(contract.features)
    ]
    rows = pd.concat([column.reset_index(drop=True) for column in drawn], axis=1)
    return examples(contract, rows)


def main() -> None:
    """Export the model of the last training."""
    contract, params = load()
    shutil.rmtree(SERVING, ignore_errors=True)
    SERVING.mkdir(parents=True)
    train, test = pd.read_parquet(TRAIN), pd.read_parquet(TEST)
    model, labels = load_model(), [str(label) for label in contract.labels]
    found = export(model, contract, train, test, params.service.tolerance, SERVING)
    predictions = read_predictions()
    about = asdict(found) | {
        "version": json.loads(META.read_text(encoding="utf-8"))["version"],
        "labels": [str(label) for label in getattr(model, "classes_", [])],
        "guess": guessing(predictions["truth"], labels),
        "loss": float(losses(predictions, labels).mean()),
    }
    score = scored(train, model, contract).to_numpy()
    files = {
        ABOUT: about,
        "reference.json": reference(train, score, contract, params.drift),
        "background.json": background(train, contract, params.model.seed),
    }
    for name, content in files.items():
        (SERVING / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    why = f" ({found.why})" if found.why else ""
    inputs = f"{found.rows} test rows and {found.probes:,} probes"
    print(f"serving by {found.path}: {inputs} match the pipeline within {found.difference:.1g}{why}")
