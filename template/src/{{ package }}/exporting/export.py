"""The fitted pipeline -> models/serving: a form that answers without a data frame, where one is proven to be equal.

Tables say what each value of a column becomes before the estimator, learnt by asking the fitted pipeline; the estimator
itself becomes an ONNX graph. Whether both together answer as the pipeline does is proven on every test row. Where they
do not, or where an estimator has no graph, the service takes the next best way, and /version says which:

- onnx: tables, then the graph
- columns: tables, then the estimator on an array
- frame: the pipeline on a data frame
"""

import json
import shutil
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline

from ..answering.encode import EPOCH, encoder
from ..answering.request import examples, values
from ..artifacts import META, SERVING
from ..columns import NUMERIC, Contract, run
from ..evaluate import read_predictions
from ..features import PARTS
from ..judging.drift import scored
from ..metrics import guessing, losses
from ..params import load
from ..prepare import TEST, TRAIN
from ..train import load_model
from .bins import reference

Array = npt.NDArray[np.float64]
BACKGROUND = 200  # records behind /explain
GRAPH, TABLE, ABOUT = "model.onnx", "encoding.json", "serving.json"
UNKNOWN = "\x00 a label that nobody has seen"
DATES = pd.date_range("1990-01-31 05:00", periods=60, freq="397D13h")  # every part of a date differs within them


class NotEncodableError(Exception):
    """What comes before the estimator cannot be written as tables."""


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
    """

    path: str
    why: str
    rows: int
    difference: float


@dataclass(frozen=True)
class Before:
    """What comes before the estimator, asked about one column at a time, all others missing.

    Attributes
    ----------
    steps : transformer
        All steps of the fitted pipeline but the last.
    train : DataFrame of shape (n_rows, n_columns)
        Rows it was fitted on: each column's dtype, and its values.
    """

    steps: Any
    contract: Contract
    train: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """The columns that it was fitted on."""
        return [name for name in self.contract.features if name in self.steps.feature_names_in_]

    def ask(self, name: str, given: list[Any]) -> Array:
        """Give what values of one column become, an array of shape (n_values, width)."""
        rows = {other: pd.Series([None] * len(given), dtype=self.train[other].dtype) for other in self.names}
        return _dense(self.steps.transform(pd.DataFrame(rows | {name: pd.Series(given, dtype=self.train[name].dtype)})))

    @cached_property
    def base(self) -> Array:
        """What becomes of a record in which every value is missing, of shape (width,)."""
        found: Array = self.ask(self.names[0], [None])[0]
        return found

    def moved(self, rows: Array) -> list[int]:
        """Give the places that are not in every row as they are in the base."""
        same = (rows == self.base) | (np.isnan(rows) & np.isnan(self.base))
        return [int(at) for at in np.flatnonzero(~same.all(axis=0))]


def encoding(before: Before) -> dict[str, Any]:
    """Learn the tables that `serving.encode.encoder` compiles.

    Raises
    ------
    NotEncodableError
        If a column does something that a table does not tell.
    """
    columns = {}
    for name in before.names:
        kind = before.contract.columns[name].type
        kind = "number" if kind in (*NUMERIC, "boolean") else kind
        columns[name] = {"kind": kind} | LEARN[kind](before, name)
    base = before.base.copy()
    for column in columns.values():
        base[_places(column)] = 0.0
    return {"base": [_plain(x) for x in base], "columns": columns}


def _dense(found: Any) -> Array:
    found = found.toarray() if hasattr(found, "toarray") else found
    return np.asarray(found, dtype="float64")


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _numbers(before: Before, name: str) -> dict[str, Any]:
    rows, base = before.ask(name, [0.0, 1.0]), before.base
    cells = [[at, float(rows[1, at] - rows[0, at]), float(rows[0, at]), _plain(base[at])] for at in before.moved(rows)]
    if not all(np.isfinite(np.array(cell[1:3], dtype="float64")).all() for cell in cells):
        raise NotEncodableError(f"{name!r} is no straight line")
    return {"cells": cells}


def _labels(before: Before, name: str) -> dict[str, Any]:
    """Ask for the contract's labels, or for those of the train rows where it lists none (`many`)."""
    labels = list(before.contract.columns[name].labels) or list(before.train[name].dropna().unique())
    rows = before.ask(name, [*labels, UNKNOWN])
    places = before.moved(rows)

    def cells(row: Array) -> list[list[float]]:
        return [[at, float(row[at])] for at in places if row[at] != 0]

    unknown = cells(rows[-1])
    table = {label: found for label, row in zip(labels, rows, strict=False) if (found := cells(row)) != unknown}
    return {"labels": table, "missing": cells(before.base), "unknown": unknown, "places": places}


def _dates(before: Before, name: str) -> dict[str, Any]:
    """Find the part of the date that each cell is a straight line of."""
    rows = before.ask(name, list(DATES))
    parts = {part: getattr(DATES, part).to_numpy(dtype="float64") for part in PARTS}
    parts["days"] = ((DATES - pd.Timestamp(EPOCH)) / pd.Timedelta(days=1)).to_numpy()
    moved = before.moved(rows)
    return {"cells": [[at, *_line(name, rows[:, at], parts), _plain(before.base[at])] for at in moved]}


def _line(name: str, cell: Array, parts: dict[str, Array]) -> tuple[str, float, float]:
    for part, given in parts.items():
        slope, offset = np.polyfit(given, cell, 1)
        if np.allclose(slope * given + offset, cell, rtol=1e-9, atol=1e-9):
            whole = np.round([slope, offset], 6)
            exact = (whole[0] * given + whole[1] == cell).all()
            slope, offset = whole if exact else (slope, offset)
            return part, float(slope), float(offset)
    raise NotEncodableError(f"{name!r} becomes something else than parts of a date")


def _texts(before: Before, name: str) -> dict[str, Any]:
    whole = before.steps[-1] if isinstance(before.steps, Pipeline) and len(before.steps) == 1 else before.steps
    for step, transformer, columns in getattr(whole, "transformers_", []):
        words = transformer.steps[-1][1] if isinstance(transformer, Pipeline) else transformer
        if columns == name and type(words) is TfidfVectorizer and words.norm in ("l2", None):
            known = sorted(words.vocabulary_.items(), key=lambda word: word[1])
            return {
                "at": whole.output_indices_[step].start, "weights": {str(w): float(words.idf_[at]) for w, at in known},
                "pattern": words.token_pattern, "blank": "none", "lower": words.lowercase,
                "sublinear": words.sublinear_tf, "norm": words.norm == "l2",
            }  # fmt: skip
    raise NotEncodableError(f"{name!r} is no bag of words")


def _places(column: dict[str, Any]) -> list[int]:
    if column["kind"] == "text":
        return list(range(column["at"], column["at"] + len(column["weights"])))
    return [cell[0] for cell in column["cells"]] if "cells" in column else column["places"]


LEARN = {"number": _numbers, "category": _labels, "datetime": _dates, "text": _texts}


def graph(estimator: Any, width: int) -> bytes:
    """Convert a fitted estimator to ONNX in double precision.

    Raises
    ------
    Exception
        Whatever the converter raises for an estimator that it does not know.
    """
    from .trees import NotConvertibleError, convert

    try:
        return convert(estimator, width).SerializeToString()
    except (NotConvertibleError, AttributeError):
        pass
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


def difference(found: Array, wanted: Array) -> float:
    """Give the largest difference: of probabilities as it is, of values in units of their spread."""
    spread = 1.0 if wanted.shape[1] > 1 else float(np.std(wanted)) or 1.0
    return float(np.abs(found - wanted).max() / spread)


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
    from ..answering.predict import estimated, graphed

    wanted = answers(model, test[contract.features])
    try:
        table = encoding(Before(model[:-1], contract, train))
        rows = encoder(table)(values(contract, test))
        apart = difference(estimated(model[-1])(rows), wanted)
        if not apart <= tolerance:
            raise NotEncodableError(f"the tables answer otherwise, by {apart:.2g}")
    except Exception as error:  # whatever a changed model.py brings: the frame always works
        return Serving("frame", f"no tables: {_said(error)}", len(test), 0.0)
    (folder / TABLE).write_text(json.dumps(table, ensure_ascii=False) + "\n", encoding="utf-8")
    try:
        content = graph(model[-1], rows.shape[1])
        closer = difference(graphed(content)(rows), wanted)
        if not closer <= tolerance:
            raise NotEncodableError(f"the graph answers otherwise, by {closer:.2g}")
    except Exception as error:
        return Serving("columns", f"no graph: {_said(error)}", len(test), apart)
    (folder / GRAPH).write_bytes(content)
    return Serving("onnx", "", len(test), closer)


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
    print(f"serving by {found.path}: {found.rows} test rows answer as the pipeline, within {found.difference:.1g}"
          + (f" ({found.why})" if found.why else ""))  # fmt: skip


if __name__ == "__main__":
    run(main)
