"""Ways in which data breaks: what each does to raw rows and to records, and what a refusal has to say."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from mlproduct.contract.columns import NUMERIC, Contract
from mlproduct.errors import DataError

WANTED = Path("fragility.yaml")
REJECTED, ACCEPTED = "rejected", "accepted"
UNIT = "unit times 1000"
MOST = 20  # columns of a kind that are damaged
Record = dict[str, Any]
Records = list[Record]


@dataclass(frozen=True)
class Case:
    """One way in which data breaks.

    Attributes
    ----------
    columns : callable
        Gives the columns of a contract that can break so; none: the case does not apply.
    raw : callable or None
        Damages a column of raw texts.
    sent : callable or None
        Damages a field of records.
    rule : (str, str)
        What check and service have to say of the column where they refuse, as patterns of the whole rule.
    names : str
        What a refusal names where that is no column.
    keeps : bool
        Whether the answers stay what they were where it is accepted.
    """

    columns: Callable[[Contract], list[str]]
    raw: Callable[[pd.DataFrame, str], pd.DataFrame] | None
    sent: Callable[[Records, str], Records] | None
    rule: tuple[str, str] = (".+", ".+")
    names: str = ""
    keeps: bool = False


def _features(*types: str, nullable: bool | None = None, closed: bool = False) -> Callable[[Contract], list[str]]:
    """Give a function that chooses features by type, and by whether they may be empty or have a fixed set of values."""

    def chosen(contract: Contract) -> list[str]:
        columns = [contract.columns[name] for name in contract.features]
        return [
            c.name
            for c in columns
            if (not types or c.type in types)
            and nullable in (None, c.nullable)
            and (not closed or c.categories or c.range)
        ][:MOST]

    return chosen


def _all(contract: Contract) -> list[str]:
    return contract.features[:1]  # the case is about the table, and one column stands for it


def with_column(frame: pd.DataFrame, name: str, values: Any) -> pd.DataFrame:
    """Return a frame with other values in a column; `assign` cannot, where the column is named `self`."""
    changed = frame.copy()
    changed[name] = values
    return changed


def _set(value: Any) -> Callable[[pd.DataFrame, str], pd.DataFrame]:
    return lambda frame, name: with_column(frame, name, value)


def _put(value: Any) -> Callable[[Records, str], Records]:
    return lambda records, name: [record | {name: value} for record in records]


def _mapped(change: Callable[[Any], Any]) -> Callable[[pd.DataFrame, str], pd.DataFrame]:
    return lambda frame, name: with_column(frame, name, frame[name].map(change))


def _replaced(change: Callable[[Any], Any]) -> Callable[[Records, str], Records]:
    return lambda records, name: [record | {name: change(record[name])} for record in records]


def thousandfold(value: Any) -> Any:
    """Return a number, or a text that is one, in another unit."""
    if isinstance(value, str):
        return re.sub(r"[.,].*", "", value) + "123" if re.fullmatch(r"-?[\d.,]*[1-9][\d.,]*", value) else value
    return value * 1000 + 123 if isinstance(value, int | float) else value


def _louder(value: Any) -> Any:
    return f"  {value.upper()}  " if isinstance(value, str) and value.strip() else value


def _without(record: Record, name: str) -> Record:
    return {key: value for key, value in record.items() if key != name}


MISSING = ("is missing", "is missing")
NULL = ("holds no value", "needs a value|is not a datetime.*|Input should be a valid (number|string)")
UNKNOWN = ("holds an unknown category|is not a boolean", "'.*' is none of .+")
RANGE = (r"is outside of \[.+\]", "Input should be (less|greater) than or equal to .+")
TEXT = ("is not an? (number|integer)", "Input should be a valid number")
INFINITE = ("is not an? (number|integer)", "Input should be a finite number")
EMPTY = ("holds no rows", "is a list of at least one record, and stands alone")
NUMBERS, CLOSED = _features(*NUMERIC), _features("category", "boolean", closed=True)
RANGED, TEXTS = _features(*NUMERIC, closed=True), _features("text")
CASES: dict[str, Case] = {
    "column missing": Case(
        _features(), lambda f, n: f.drop(columns=n), lambda r, n: [_without(x, n) for x in r], MISSING
    ),
    "column renamed": Case(
        _features(),
        lambda f, n: f.rename(columns={n: f"{n} (new)"}),
        lambda r, n: [_without(x, n) | {f"{n} (new)": x[n]} for x in r],
        MISSING,
    ),
    "columns reordered": Case(
        _all, lambda f, _: f[list(f.columns[::-1])], lambda r, _: [dict(reversed(x.items())) for x in r], keeps=True
    ),
    "null where none is allowed": Case(_features(nullable=False), _set(None), _put(None), NULL),
    "null where one is allowed": Case(_features(nullable=True), _set(None), _put(None)),
    "unseen category": Case(CLOSED, _set("never seen before"), _put("never seen before"), UNKNOWN),
    UNIT: Case(RANGED, _mapped(thousandfold), _replaced(thousandfold), RANGE),
    "text in a number": Case(NUMBERS, _set("about five"), _put("about five"), TEXT),
    "infinite number": Case(NUMBERS, _set("inf"), _put(float("inf")), INFINITE),
    "not a number": Case(NUMBERS, None, _put(float("nan")), INFINITE),
    "huge number": Case(RANGED, _set("1e300"), _put(1e300), RANGE),
    "constant column": Case(
        _features(), lambda f, n: with_column(f, n, f[n].iloc[0]), lambda r, n: _put(r[0][n])(r, n)
    ),
    "no rows": Case(_all, lambda f, _: f.iloc[:0], lambda _, __: [], EMPTY, names="records"),
    "one row": Case(_all, lambda f, _: f.iloc[:1], lambda r, _: r[:1], keeps=True),
    "duplicated rows": Case(_all, lambda f, _: pd.concat([f, f], ignore_index=True), lambda r, _: [*r, *r], keeps=True),
    "other letters in a text": Case(TEXTS, _set("größer, 日本語, 🐧"), _put("größer, 日本語, 🐧")),
    "other letters in a category": Case(CLOSED, _set("größer 🐧"), _put("größer 🐧"), UNKNOWN),
    "text in capitals and blanks": Case(TEXTS, _mapped(_louder), _replaced(_louder), keeps=True),
}


def wanted(path: Path = WANTED) -> dict[str, dict[str, str]]:
    """Read fragility.yaml: for each case, what the check of the data and what the service is to do.

    Raises
    ------
    DataError
        If a case is missing or unknown, or something else than rejected or accepted is wanted.
    """
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if not isinstance(table, dict) or set(table) != set(CASES):
        odd = sorted(map(str, set(CASES) ^ set(table if isinstance(table, dict) else {})))
        raise DataError(f"{path}: missing or unknown: {', '.join(odd)}")
    for case, row in table.items():
        if (
            not isinstance(row, dict)
            or set(row) != {"data", "service"}
            or not all(word in (REJECTED, ACCEPTED) for word in row.values())
        ):
            raise DataError(f"{path}, {case!r}: write {{data: rejected, service: accepted}}, or the other way round")
    return table
