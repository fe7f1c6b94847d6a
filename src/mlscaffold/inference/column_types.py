"""The type of a column in the contract, and the values that it may hold."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ..contract import Column, Label, Type
from .columns import MOST_LISTED, Kind, Summary
from .labels import boolean
from .ranges import allowed
from .roles import Facts, is_free_text

if TYPE_CHECKING:
    import polars as pl

_LARGEST_EXACT = 2.0**53


def type_of(kind: Kind, summary: Summary, cells: "pl.Series") -> Type:
    """Return the type of a column."""
    if kind.name == "datetime":
        return "datetime"
    if kind.name == "number":
        return type_of_numbers(summary)
    if not summary.rows - summary.nulls:
        return "text"
    if summary.values is not None and boolean(summary.values):
        return "boolean"
    distinct = cells.drop_nulls().n_unique() if summary.values is None else len(summary.values)
    return "text" if is_free_text(cells, distinct) else "category"


def type_of_numbers(summary: Summary) -> Type:
    """Return the type of a column of numbers."""
    if summary.low is None or summary.high is None or summary.fractions:
        return "number"
    if (summary.low, summary.high) == (0, 1):
        return "boolean"
    if max(-summary.low, summary.high) > _LARGEST_EXACT:
        return "number"
    # Whole numbers written with a point are integers where cells are empty: pandas writes them so.
    return "integer" if not summary.pointed or summary.nulls else "number"


def with_values(column: Column, facts: Facts) -> Column:
    """Return a column with what it may hold."""
    summary = facts.summary
    if facts.type in {"number", "integer"} and summary.low is not None and summary.high is not None:
        return replace(column, range=allowed(summary.low, summary.high, whole=facts.type == "integer"))
    if facts.type == "boolean":
        pair: tuple[Label, ...] | None = (0, 1) if facts.kind.name == "number" else boolean(summary.values or ())
        return replace(column, categories=pair or ())
    if facts.type == "category":
        listed_values = summary.values is not None and len(summary.values) <= MOST_LISTED
        return (
            replace(column, categories=tuple(sorted(summary.values or ())))
            if listed_values
            else replace(column, many=True)
        )
    return column
