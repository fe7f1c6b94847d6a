"""The fitted steps before an estimator -> the tables that inference/encode.py compiles.

What each value of a column becomes is learnt by asking the steps. The numbers of scikit-learn's scalers are read, not
fitted to answers: a slope of 0.9999999999999998 sends a value that lies on a threshold down the wrong branch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import takewhile
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from mlproduct.contract.columns import NUMERIC, Contract
from mlproduct.inference.encode import EPOCH, PARTS, parts

Array = npt.NDArray[np.float64]
UNKNOWN = "\x00 a label that nobody has seen"
STEP = timedelta(days=397, hours=13)  # every part of a date differs within 60 of them
DATES = [EPOCH, *(EPOCH + timedelta(days=7335, hours=5, microseconds=7 * i) + i * STEP for i in range(60))]
SAMPLE = 20  # values of a column on which a line is checked


class NotEncodableError(Exception):
    """What comes before the estimator cannot be written as tables."""


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

    def ask(self, name: str, values: list[Any]) -> Array:
        """Return what values of one column become, an array of shape (n_values, width)."""
        return dense(self.steps.transform(self._frame(self.names, name, values)))

    def ask_head(self, tail: "Tail", name: str, values: list[Any]) -> Array:
        """Return what values of one column become before a tail, an array of shape (n_values,)."""
        rows: Any = self._frame(tail.columns, name, values)
        for step in tail.head:
            rows = step.transform(rows)
        return dense(rows)[:, tail.at]

    def _frame(self, columns: list[str], name: str, values: list[Any]) -> pd.DataFrame:
        rows = {other: pd.Series([None] * len(values), dtype=self.train[other].dtype) for other in columns}
        return pd.DataFrame(rows | {name: pd.Series(values, dtype=self.train[name].dtype)})

    @cached_property
    def tails(self) -> dict[int, "Tail"]:
        """Return the places whose last steps are known, with what these do."""
        return dict(_tails(self.steps))

    @cached_property
    def base(self) -> Array:
        """What becomes of a record in which every value is missing, of shape (width,)."""
        found: Array = self.ask(self.names[0], [None])[0]
        return found

    def moved(self, rows: Array) -> list[int]:
        """Return the places that are not in every row as they are in the base."""
        same = (rows == self.base) | (np.isnan(rows) & np.isnan(self.base))
        return [int(at) for at in np.flatnonzero(~same.all(axis=0))]


@dataclass(frozen=True)
class Tail:
    """What scalers do to one cell, (x * slope - mean) / scale, after the steps of `head`.

    Attributes
    ----------
    columns : list of str
        What `head` takes.
    at : int
        The place in what `head` gives.
    """

    head: list[Any]
    columns: list[str]
    at: int
    slope: float
    mean: float
    scale: float


def _standard(scaler: Any) -> tuple[Any, Any, Any]:
    return 1.0, scaler.mean_ if scaler.with_mean else 0.0, scaler.scale_ if scaler.with_std else 1.0


def _robust(scaler: Any) -> tuple[Any, Any, Any]:
    return 1.0, scaler.center_ if scaler.with_centering else 0.0, scaler.scale_ if scaler.with_scaling else 1.0


# What a scaler multiplies by, takes away and divides by, in this order: see their `transform`.
SCALERS: dict[type, Callable[[Any], tuple[Any, Any, Any]]] = {
    StandardScaler: _standard,
    RobustScaler: _robust,
    MaxAbsScaler: lambda scaler: (1.0, 0.0, scaler.scale_),
    MinMaxScaler: lambda scaler: (scaler.scale_, -scaler.min_, 1.0),
}


def _tails(steps: Any) -> Iterator[tuple[int, Tail]]:
    whole = steps[-1] if isinstance(steps, Pipeline) and len(steps) == 1 else steps
    for name, transformer, columns in whole.transformers_ if isinstance(whole, ColumnTransformer) else ():
        inner = _flat(transformer)
        known = list(takewhile(lambda step: type(step) in SCALERS or _keeps_places(step), reversed(inner)))
        scalers = [step for step in known if type(step) in SCALERS]
        if len(scalers) != 1 or not isinstance(columns, list):
            continue
        width = scalers[0].n_features_in_
        numbers = np.column_stack([np.broadcast_to(one, width) for one in SCALERS[type(scalers[0])](scalers[0])])
        for at in range(min(width, known[-1].n_features_in_)):  # an imputer's indicators come behind
            yield (
                whole.output_indices_[name].start + at,
                Tail(inner[: len(inner) - len(known)], columns, at, *numbers[at].tolist()),
            )


def _flat(step: Any) -> list[Any]:
    return [one for _, inner in step.steps for one in _flat(inner)] if isinstance(step, Pipeline) else [step]


def _keeps_places(step: Any) -> bool:
    """Return whether it is an imputer that leaves out no column and changes no value that is there."""
    return type(step) is SimpleImputer and (step.keep_empty_features or not pd.isna(step.statistics_).any())


def encoding(before: Before) -> dict[str, Any]:
    """Learn the tables that `encode.encoder` compiles.

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


def dense(found: Any) -> Array:
    """Return what a transformer gives as an array of doubles."""
    found = found.toarray() if hasattr(found, "toarray") else found
    return np.asarray(found, dtype="float64")


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _numbers(before: Before, name: str) -> dict[str, Any]:
    seen = before.train[name].dropna().unique()
    values = np.array([0.0, 1.0, *seen[:: len(seen) // SAMPLE + 1]])
    rows = before.ask(name, values.tolist())
    far = int(np.argmax(np.abs(values)))  # a slope between 0 and 1 is lost in rounding where values go to 1e12
    cells = []
    for at in before.moved(rows):
        y = rows[:, at]
        line = _read(before, name, at, values.tolist(), values, y)
        line = line or (0.0, float((y[far] - y[0]) / values[far]), -float(y[0]), 1.0)
        if not np.isfinite(line).all():
            raise NotEncodableError(f"{name!r} is not a straight line")
        cells.append([at, *line, _plain(before.base[at])])
    return {"cells": cells}


Line = tuple[float, float, float, float]  # start, slope, mean and scale of `encode.Cell`


def _read(before: Before, name: str, at: int, values: list[Any], x: Array, y: Array) -> Line | None:
    """Find what turns x into y to the last bit: a constant is taken away, then comes a scaler whose numbers are read.

    Parameters
    ----------
    given : list
        Values of a column.
    x, y : ndarray of shape (n_values,)
        The numbers that they stand for, and what they become in the end; the first of x is small.
    """
    tail = before.tails.get(at)
    if tail is not None and name not in tail.columns:
        return None
    head, then = (y, (1.0, 0.0, 1.0)) if tail is None else (
        before.ask_head(tail, name, values), (tail.slope, tail.mean, tail.scale))  # fmt: skip
    start = float(x[0] - head[0])  # exact, as the first of x is 0, or a part of the first date
    slope, mean, scale = then
    same = (((x - start) * slope - mean) / scale == y).all()
    return (start, *then) if same else None


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
    rows = before.ask(name, DATES)
    found = dict(zip(PARTS, np.array([parts(date) for date in DATES], dtype="float64").T, strict=True))
    cells = []
    for at in before.moved(rows):
        y = rows[:, at]
        exact = ((part, _read(before, name, at, DATES, x, y)) for part, x in found.items())
        part, line = next(((part, line) for part, line in exact if line), None) or _fitted(name, found, y)
        cells.append([at, part, *line, _plain(before.base[at])])
    return {"cells": cells}


def _fitted(name: str, found: dict[str, Array], y: Array) -> tuple[str, Line]:
    """Fit a line where none can be read: whether it is near enough, the proof of export.py says."""
    if (y == y[0]).all():
        return PARTS[0], (0.0, 0.0, -float(y[0]), 1.0)
    for part, x in found.items():
        slope, offset = np.polyfit(x, y, 1)
        if np.allclose(slope * x + offset, y, rtol=1e-9, atol=1e-9):
            return part, (0.0, float(slope), -float(offset), 1.0)
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
    raise NotEncodableError(f"{name!r} is not a bag of words")


def _places(column: dict[str, Any]) -> list[int]:
    if column["kind"] == "text":
        return list(range(column["at"], column["at"] + len(column["weights"])))
    return [cell[0] for cell in column["cells"]] if "cells" in column else column["places"]


LEARN = {"number": _numbers, "category": _labels, "datetime": _dates, "text": _texts}
