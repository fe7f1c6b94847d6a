"""The second pass: decide what each column is, from what was read: its type, its role, and the labels of the target."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..contract import Column, Label, Task, Type
from ..errors import UserError
from .column_types import type_of, type_of_numbers, with_values
from .labels import boolean, count_labels, labels_of, positive_label
from .leaks import ROWS, gives_away
from .ranges import allowed
from .read import ColumnReading, Reading
from .request import Request
from .roles import Facts, looks_protected, reason_to_ignore, repeats_like_an_entity

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Decision:
    """What a column is.

    Attributes
    ----------
    column : Column
        As the contract has it.
    leak : str
        `same` where it is the target under another name, `tells` where it tells nearly every row, else empty.
    protected : bool
        Whether a feature's name speaks of what people must not be judged by.
    entity : bool
        Whether a feature names things that have several rows each; False where the user gave the entity column.
    """

    column: Column
    leak: str = ""
    protected: bool = False
    entity: bool = False


@dataclass(frozen=True)
class Decisions:
    """What a table is.

    Attributes
    ----------
    task : str
        Classification or regression.
    columns : tuple of Decision
        In the order of the table.
    counts : dict of label to int
        Rows of each label, in the sample; empty for a regression.
    positive : label, optional
        The positive label, of two.
    reason : str
        Why it is; empty where the user chose it.
    """

    task: Task
    columns: tuple[Decision, ...]
    counts: dict[Label, int]
    positive: Label | None
    reason: str


def decide(reading: Reading, request: Request) -> Decisions:
    """Decide what each column of a table is.

    Parameters
    ----------
    reading : Reading
        What was read.
    request : Request
        What the user asked for.

    Returns
    -------
    Decisions
        Of each column, and of the target.

    Raises
    ------
    UserError
        If the target is empty or has too many labels, or the positive label does not fit.
    """
    target = reading.columns[request.target].cells
    columns = tuple(_decide(column, reading, request, target) for column in reading.columns.values())
    if reading.task == "regression":
        if request.positive is not None:
            raise UserError("--positive is for classification; the task is regression; leave --positive out")
        return Decisions(reading.task, columns, {}, None, "")
    labels = next(each.column for each in columns if each.column.role == "target").categories
    counts = count_labels(Counter(target.drop_nulls().to_list()), reading.decimal)
    positive, reason = positive_label(request.target, labels, counts, request.positive)
    return Decisions(reading.task, columns, counts, positive, reason)


def _decide(found: ColumnReading, reading: Reading, request: Request, target: "pl.Series") -> Decision:
    facts = Facts(found.name, type_of(found.kind, found.summary, found.cells), found.cells, found.kind, found.summary)
    role = request.role(found.name) or "feature"
    plain = Column(found.name, role, facts.type, facts.summary.nulls > 0, format=facts.kind.format)
    if role == "target":
        return Decision(_target(plain, facts, reading))
    if role == "id":
        return Decision(replace(plain, type="integer" if facts.type == "integer" else "text", format=""))
    if role == "time":
        return Decision(plain)
    if role == "protected":
        return Decision(with_values(plain, facts))
    return _feature(plain, facts, reading, request, target)


def _feature(plain: Column, facts: Facts, reading: Reading, request: Request, target: "pl.Series") -> Decision:
    """Decide whether a column is a feature, or is ignored because it says nothing or gives the target away."""
    reason = reason_to_ignore(facts)
    leak = "" if reason else _leak(facts, reading, target)
    if leak == "same":
        reason = "gives the target away"
    if reason:
        bare: Type = "text" if facts.kind.name == "text" else "integer" if facts.type == "boolean" else facts.type
        return Decision(replace(plain, role="ignore", type=bare, reason=reason), leak)
    entity = request.id is None and repeats_like_an_entity(facts)
    return Decision(with_values(plain, facts), leak, looks_protected(facts.name), entity)


def _leak(facts: Facts, reading: Reading, target: "pl.Series") -> str:
    step = max(len(target) // ROWS, 1)
    some = facts.cells.gather_every(step), target.gather_every(step)
    return gives_away(some[0], facts.kind, some[1], reading.task, reading.decimal)


def _target(column: Column, facts: Facts, reading: Reading) -> Column:
    summary = facts.summary
    if summary.nulls == summary.rows:
        raise UserError(f"the target {column.name!r} is empty in every row; choose another --target")
    if reading.task == "regression":
        whole = type_of_numbers(summary) in {"integer", "boolean"}
        bounds = allowed(summary.low or 0.0, summary.high or 0.0, whole=whole)
        return replace(column, type="integer" if whole else "number", range=bounds)
    labels = labels_of(column.name, summary, reading.decimal)
    pair = labels == (0, 1) or boolean([str(label) for label in labels])
    return replace(column, type="boolean" if pair else "category", categories=labels)
