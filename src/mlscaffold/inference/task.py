"""The task: classification or regression, given by the user or inferred from a sample of the target."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from ..contract import Task
from ..errors import UserError
from .columns import Kind, as_labels, numbers
from .findings import listed

if TYPE_CHECKING:
    import polars as pl

MOST_CLASSES = 20  # distinct integers that still look like classes


@dataclass(frozen=True)
class TaskChoice:
    """The task.

    Attributes
    ----------
    task : str
        Classification or regression.
    reason : str
        Why; empty where the user chose it.
    certain : bool
        Whether no other task is possible.
    """

    task: Task
    reason: str = ""
    certain: bool = True


def choose_task(target: str, cells: "pl.Series", kind: Kind, decimal: str, given: str | None) -> TaskChoice:
    """Choose the task.

    Parameters
    ----------
    target : str
        Name of the target.
    cells : polars.Series
        A sample of it, as text.
    kind : Kind
        What the cells seem to be.
    decimal : str
        Decimal sign.
    given : str, optional
        The task that the user gave.

    Returns
    -------
    TaskChoice
        The task, and why.

    Raises
    ------
    UserError
        If the target does not suit the task.
    """
    if given is not None and given not in get_args(Task):
        raise UserError(f"--task {given!r} is not known; choose classification or regression")
    if kind.name == "datetime":
        raise UserError(f"column {target!r} holds dates; choose a --target with labels or numbers")
    if given == "regression" and kind.name == "text":
        values = listed([value for value in cells.unique(maintain_order=True).head(3).to_list() if value])
        raise UserError(
            f"--task regression needs a target of numbers; {target!r} holds texts ({values}); leave --task out"
        )
    if given is not None:
        return TaskChoice("classification" if given == "classification" else "regression")
    return infer_task(cells, kind, decimal)


def infer_task(cells: "pl.Series", kind: Kind, decimal: str) -> TaskChoice:
    """Infer the task from a sample of the target."""
    import polars as pl

    if kind.name == "text":
        return TaskChoice("classification", "holds labels")
    values = cells.to_frame("v").select(numbers(pl.col("v"), decimal)).to_series().drop_nulls()
    distinct = values.unique()
    if len(distinct) == 2:
        return _guessed("classification", f"has two values ({listed(as_labels(distinct.sort().to_list()))})")
    if (distinct != distinct.floor()).any():
        return _guessed("regression", "holds fractions")
    if len(distinct) <= MOST_CLASSES and len(distinct) < 0.05 * len(values):
        return _guessed("classification", f"has {len(distinct)} distinct whole numbers")
    return _guessed("regression", f"has {len(distinct):,} distinct whole numbers")


def _guessed(task: Task, reason: str) -> TaskChoice:
    return TaskChoice(task, reason, certain=False)
