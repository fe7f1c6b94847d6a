"""A record -> the row of numbers that the estimator sees, without a data frame; the tables are made by tables.py.

What scikit-learn and pandas compute is computed here by the same operations in the same order: the last bit of a number
decides which branch of a tree it takes.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Row = list[float]
Writer = Callable[[Any, Row], None]
EPOCH = datetime(1970, 1, 1)
DAY = 86_400e9  # in nanoseconds, which pandas counts dates in
PARTS = ("year", "month", "day", "day_of_week", "hour", "days")
LOGS = (0.0, *(1.0 + np.log(np.arange(1.0, 64.0))).tolist())  # of a word's count, as TfidfVectorizer weighs it


class Cell(NamedTuple):
    """What a column writes to one place: ((x - start) * slope - mean) / scale of its number, or of a part of its date.

    `start` is what CalendarParts takes away, `mean` and `scale` are those of StandardScaler, `slope` is another step's.
    """

    at: int
    part: str
    start: float
    slope: float
    mean: float
    scale: float
    missing: float

    @classmethod
    def of(cls, numbers: list[Any]) -> "Cell":
        """Read a cell as it stands in encoding.json; those of 0.5 hold a slope and an offset alone."""
        at, *line, missing = numbers
        part = line.pop(0) if isinstance(line[0], str) else ""
        start, slope, mean, scale = line if len(line) > 2 else (0.0, line[0], -line[1], 1.0)
        return cls(at, part, start, slope, mean, scale, math.nan if missing is None else missing)

    @property
    def is_shift(self) -> bool:
        """Whether nothing is done but to take `start` away."""
        return (self.slope, self.mean, self.scale) == (1.0, 0.0, 1.0)


def parts(date: datetime) -> tuple[float, ...]:
    """Compute the `PARTS` of a date, to the bit as CalendarParts does: nanoseconds are rounded to a double."""
    since = date - EPOCH
    nanoseconds = ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
    return date.year, date.month, date.day, date.weekday(), date.hour, nanoseconds / DAY


def encoder(table: dict[str, Any]) -> Callable[[list[dict[str, Any]]], Array]:
    """Compile a table of tables.py into a function.

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
    cells = [Cell.of(numbers) for numbers in column["cells"]]
    if len(cells) == 1 and cells[0].is_shift and not cells[0].start:
        only, absent = cells[0].at, cells[0].missing

        def copy(value: float | None, row: Row) -> None:
            row[only] = absent if value is None else value

        return copy
    absents = [(cell.at, cell.missing) for cell in cells]
    fixed = [(cell.at, -cell.mean / cell.scale) for cell in cells if not cell.slope]
    scaled = [(c.at, c.mean, c.scale) for c in cells if c.slope == 1.0 and not c.start]
    other = [(*cell,) for cell in cells if cell.slope and (cell.slope != 1.0 or cell.start)]

    def write(value: float | None, row: Row) -> None:
        if value is None:
            for at, missing in absents:
                row[at] = missing
            return
        for at, mean, scale in scaled:
            row[at] = (value - mean) / scale
        for at, number in fixed:
            row[at] = number
        for at, _, start, slope, mean, scale, _ in other:
            row[at] = ((value - start) * slope - mean) / scale

    return write


def _category(column: dict[str, Any]) -> Writer:
    """Return each label its cells, and a missing one and one that nobody has seen theirs."""
    table = {label: [tuple(cell) for cell in cells] for label, cells in column["labels"].items()}
    missing, unknown = column["missing"], column["unknown"]

    def write(value: str | None, row: Row) -> None:
        for at, number in missing if value is None else table.get(value, unknown):
            row[at] = number

    return write


def _datetime(column: dict[str, Any]) -> Writer:
    cells = [Cell.of(numbers) for numbers in column["cells"]]
    absents = [(cell.at, cell.missing) for cell in cells]
    shifted = [(cell.at, PARTS.index(cell.part), cell.start) for cell in cells if cell.is_shift]
    other = [(c.at, PARTS.index(c.part), c.start, c.slope, c.mean, c.scale) for c in cells if not c.is_shift]

    def write(value: datetime | None, row: Row) -> None:
        if value is None:
            for at, missing in absents:
                row[at] = missing
            return
        found = parts(value)
        for at, part, start in shifted:
            row[at] = found[part] - start
        for at, part, start, slope, mean, scale in other:
            row[at] = ((found[part] - start) * slope - mean) / scale

    return write


def weigh(count: int) -> float:
    """Compute the sublinear weight of a word's count as TfidfVectorizer does, which takes numpy's logarithm."""
    return LOGS[count] if count < len(LOGS) else 1.0 + float(np.log(float(count)))


def _words(column: dict[str, Any]) -> Writer:
    """Term frequency times inverse document frequency, as sklearn's TfidfVectorizer has learnt it."""
    at, weights, pattern = column["at"], column["weights"], re.compile(column["pattern"])
    blank, lower, sublinear, norm = column["blank"], column["lower"], column["sublinear"], column["norm"]
    places, idf = {word: i for i, word in enumerate(weights)}, list(weights.values())

    def write(value: str | None, row: Row) -> None:
        text = value if value is not None and re.search(r"\w", value) else blank
        counts = Counter([places[word] for word in pattern.findall(text.lower() if lower else text) if word in places])
        found = [(place, (weigh(n) if sublinear else n) * idf[place]) for place, n in sorted(counts.items())]
        square = 0.0 if norm else 1.0
        for _, x in found if norm else ():  # not sum(), which is exact from Python 3.12 on, and scikit-learn is not
            square += x * x
        length = math.sqrt(square)
        for place, x in found:
            row[at + place] = x / length

    return write


KINDS: dict[str, Callable[[dict[str, Any]], Writer]] = {
    "number": _number, "category": _category, "datetime": _datetime, "text": _words,
}  # fmt: skip
