"""A record -> the row of numbers that the estimator sees, without a data frame; the tables are made by export.py."""

import math
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Row = list[float]
Writer = Callable[[Any, Row], None]
EPOCH = datetime(1970, 1, 1)
DAY = timedelta(days=1)
PARTS: dict[str, Callable[[datetime], float]] = {
    "year": lambda date: date.year,
    "month": lambda date: date.month,
    "day": lambda date: date.day,
    "day_of_week": lambda date: date.weekday(),
    "hour": lambda date: date.hour,
    "days": lambda date: (date - EPOCH) / DAY,
}


def encoder(table: dict[str, Any]) -> Callable[[list[dict[str, Any]]], Array]:
    """Compile a table of export.py into a function.

    Parameters
    ----------
    table : dict
        `base`, the row of a record in which every value is missing but with no column's own cells, and `columns`: for
        each feature its `kind` and the cells that it writes.

    Returns
    -------
    function
        Takes records as `request.read` gives them, and gives an array of shape (n_records, len(base)).
    """
    base = [math.nan if value is None else value for value in table["base"]]
    writers = [(name, KINDS[column["kind"]](column)) for name, column in table["columns"].items()]

    def encode(records: list[dict[str, Any]]) -> Array:
        rows = []
        for record in records:
            row = base.copy()
            for name, write in writers:
                write(record[name], row)
            rows.append(row)
        return np.array(rows, dtype="float64")

    return encode


def _number(column: dict[str, Any]) -> Writer:
    """Each cell is slope * value + offset, or a constant where the value is missing."""
    cells = [(at, slope, offset, _nan(missing)) for at, slope, offset, missing in column["cells"]]
    if len(cells) == 1 and cells[0][1:3] == (1.0, 0.0):
        ((at, _, _, absent),) = cells

        def copy(value: float | None, row: Row) -> None:
            row[at] = absent if value is None else value

        return copy

    def write(value: float | None, row: Row) -> None:
        for at, slope, offset, missing in cells:
            row[at] = missing if value is None else slope * value + offset

    return write


def _category(column: dict[str, Any]) -> Writer:
    """Give each label its cells, and a missing one and one that nobody has seen theirs."""
    table = {label: [tuple(cell) for cell in cells] for label, cells in column["labels"].items()}
    missing, unknown = column["missing"], column["unknown"]

    def write(value: str | None, row: Row) -> None:
        for at, number in missing if value is None else table.get(value, unknown):
            row[at] = number

    return write


def _datetime(column: dict[str, Any]) -> Writer:
    cells = [(at, PARTS[part], slope, offset, _nan(missing)) for at, part, slope, offset, missing in column["cells"]]

    def write(value: datetime | None, row: Row) -> None:
        for at, part, slope, offset, missing in cells:
            row[at] = missing if value is None else slope * part(value) + offset

    return write


def _words(column: dict[str, Any]) -> Writer:
    """Term frequency times inverse document frequency, as sklearn's TfidfVectorizer has learnt it."""
    at, weights, pattern = column["at"], column["weights"], re.compile(column["pattern"])
    blank, lower, sublinear, norm = column["blank"], column["lower"], column["sublinear"], column["norm"]
    places = {word: i for i, word in enumerate(weights)}

    def write(value: str | None, row: Row) -> None:
        text = value if value is not None and re.search(r"\w", value) else blank
        counts = Counter(word for word in pattern.findall(text.lower() if lower else text) if word in places)
        found = {word: (1 + math.log(n) if sublinear else n) * weights[word] for word, n in counts.items()}
        length = math.sqrt(sum(x * x for x in found.values())) if norm else 1.0
        for word, x in found.items():
            row[at + places[word]] = x / length

    return write


def _nan(value: float | None) -> float:
    return math.nan if value is None else value


KINDS: dict[str, Callable[[dict[str, Any]], Writer]] = {
    "number": _number, "category": _category, "datetime": _datetime, "text": _words,
}  # fmt: skip
