"""Records on which the served form is compared with the pipeline, besides the test rows: those where it may differ.

Test rows seldom lie on a threshold of a tree; rows that it was trained on, and callers, do. An infinite number is none
of them: neither `contract.parse` nor a request lets one pass.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlproduct.contract.columns import Column, Contract
from mlproduct.export.splits import Splits, splits
from mlproduct.export.tables import UNKNOWN, Array
from mlproduct.inference.encode import DAY, EPOCH, PARTS, Cell
from mlproduct.inference.request import values

MOST = 10_000  # splits that are probed, three values each: as many of each column, spread evenly over its thresholds
ROWS = 2_000  # rows of the training set that are asked as they are, and on which probes are built
LABELS = 100  # values of a column that are asked, of those that the training set holds
SECONDS = (0, 0.000001, 0.0005, 0.123457, 0.999999, 1800, 5400.5, 86399.999999)  # of a day: what rounding may move
TEXTS = ("", "?!", "none", "NONE none", "日本 é ½", UNKNOWN)
Integers = npt.NDArray[np.int64]
WIDE = 2**53  # integers up to here are doubles
SPAN = 9_223_372_036_854_775  # microseconds from 1970 that pandas can count in nanoseconds
LARGEST = int(np.array(np.finfo("float64").max).view("int64"))


@dataclass(frozen=True)
class Probes:
    """Records, and of each the column that was changed to a value of interest; "" for a row as it was."""

    records: list[dict[str, Any]]
    columns: list[str]

    def said(self, number: int) -> str:
        """Say what one is; a text may be somebody's, and stays here."""
        name = self.columns[number]
        value = self.records[number].get(name)
        shown = "a text" if isinstance(value, str) else value
        return f"{name!r} is {shown}" if name else "a row of the training set"


def probes(estimator: Any, table: dict[str, Any], encode: Callable[..., Array], train: pd.DataFrame,
           contract: Contract) -> Probes:  # fmt: skip
    """Draw the records.

    Parameters
    ----------
    table : dict
        As `tables.encoding` gives it.
    encode : function
        As `encode.encoder` compiles the table.
    train : DataFrame of shape (n_rows, n_columns)
        As prepared.
    """
    base = values(contract, _spread(train, ROWS))
    found = Probes(list(base), [""] * len(base))
    for name, row, value in (
        *_named(train, contract),
        *_beside(splits(estimator, encode(base)), table, contract),
    ):
        found.records.append(base[row % len(base)] | {name: value})
        found.columns.append(name)
    return found


def _spread(values: Any, most: int) -> Any:
    """Return at most so many values, evenly spread."""
    places = np.linspace(0, len(values) - 1, min(most, len(values))).astype("int64")
    return values.iloc[places] if hasattr(values, "iloc") else values[places]


def _named(train: pd.DataFrame, contract: Contract) -> Iterator[tuple[str, int, Any]]:
    """Return for each column what may need care: a missing value, one never seen, ends, rounded times."""
    number = 0
    for name in contract.features:
        column = contract.columns[name]
        for value in (None, *CARE.get(column.type, _care_number)(column, train[name].dropna())):
            yield name, number, value
            number += 1


def _care_number(column: Column, seen: pd.Series) -> list[Any]:
    ends = [float(end) for end in column.range or () if np.isfinite(end)]
    return [*ends, *_spread(np.sort(seen.unique()), LABELS).tolist(), 0.0, 1.0]


def _care_label(column: Column, seen: pd.Series) -> list[Any]:
    return [*column.labels, *_spread(seen.unique(), LABELS), UNKNOWN]


def _care_date(_: Column, seen: pd.Series) -> list[datetime]:
    """Return days around the year, at hours around the clock, and every odd second on days that were seen."""
    days = _spread(seen.sort_values(), LABELS).dt.to_pydatetime() if len(seen) else [EPOCH]
    midnights = [day.replace(hour=0, minute=0, second=0, microsecond=0) for day in days]
    odd = [day + timedelta(seconds=second) for day in midnights[:: len(midnights) // 8 + 1] for second in SECONDS]
    year = [midnights[0] + timedelta(days=day, minutes=30 * (day % 48)) for day in range(366)]
    return [*odd, *year, *days, datetime(1900, 3, 1, 12, 30), EPOCH, datetime(2200, 12, 31, 23, 59, 59, 999999)]


CARE: dict[str, Callable[[Column, pd.Series], list[Any]]] = {
    "boolean": lambda _column, _seen: [0.0, 1.0],
    "category": _care_label,
    "datetime": _care_date,
    "text": lambda _column, seen: [*TEXTS, *_spread(seen.unique(), LABELS)],
}


def _beside(found: Splits | None, table: dict[str, Any], contract: Contract) -> Iterator[tuple[str, int, Any]]:
    """Return for each split the last value that goes one way, the one before, and the first that goes the other way."""
    cells = {
        cell.at: (name, cell)
        for name, column in table["columns"].items() if column["kind"] in ("number", "datetime")
        for cell in map(Cell.of, column["cells"])
        if cell.slope and cell.part in ("", "year", "days") and contract.columns[name].type != "boolean"
    }  # fmt: skip
    if found is None:
        return
    places = [int(at) for at in np.unique(found.at) if int(at) in cells]
    for at in places:
        here = np.flatnonzero(found.at == at)
        here = _spread(here[np.argsort(found.threshold[here], kind="stable")], max(1, MOST // len(places)))
        name, cell = cells[at]
        scale = _scale(contract.columns[name], cell)
        rises = cell.slope / cell.scale > 0
        last = _last(partial(_compared, found, cell, scale), found.threshold[here], scale.end, rises)
        for key, row in zip(last.tolist(), found.row[here].tolist(), strict=True):
            for beside in (key - 1, key, key + 1):
                if abs(beside) <= scale.end:
                    yield name, row, scale.value(beside)


@dataclass(frozen=True)
class Scale:
    """Integers from -end to end that count the values of a column, in their order.

    Attributes
    ----------
    numbers : function
        From integers to what a cell is computed of.
    value : function
        From an integer to the value as a record holds it.
    """

    end: int
    numbers: Callable[[Integers], Array]
    value: Callable[[int], Any]


def _scale(column: Column, cell: Cell) -> Scale:
    if cell.part:
        return Scale(SPAN, _years if cell.part == PARTS[0] else _days, lambda key: EPOCH + timedelta(microseconds=key))
    if column.type == "integer":
        return Scale(WIDE, lambda keys: keys.astype("float64"), float)
    return Scale(LARGEST, _doubles, lambda key: float(_doubles(np.array([key]))[0]))


def _years(microseconds: Integers) -> Array:
    return microseconds.astype("datetime64[us]").astype("datetime64[Y]").astype("float64") + 1970


def _days(microseconds: Integers) -> Array:
    return (microseconds * 1000).astype("float64") / DAY


def _doubles(keys: Integers) -> Array:
    """Return the doubles in their order: the bits of a positive one, read as an integer, count them."""
    return np.copysign(np.abs(keys).view("float64"), keys)


def _compared(found: Splits, cell: Cell, scale: Scale, keys: Integers) -> Array:
    return found.compared(((scale.numbers(keys) - cell.start) * cell.slope - cell.mean) / cell.scale)


def _last(of: Callable[[Integers], Array], threshold: Array, end: int, rises: bool) -> Integers:
    """Find by halves the last key whose number is at most a threshold, or beyond it where numbers fall."""
    low, high = np.full(len(threshold), -end), np.full(len(threshold), end)
    for _ in range(66):
        middle = (low >> 1) + (high >> 1) + (low & high & 1)
        with np.errstate(over="ignore"):  # the largest double is beyond all that float32 holds
            stays = (of(middle) <= threshold) == rises
        low, high = np.where(stays, middle, low), np.where(stays, high, middle)
    return low
