"""The target: which task it asks for, its labels, and the label that counts as positive."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..contract import Label, Task
from ..errors import UserError
from .columns import Kind, Summary, numbers
from .findings import Finding, listed, shown
from .words import words

if TYPE_CHECKING:
    import polars as pl

MOST_CLASSES = 20  # distinct integers that still look like classes
TOO_MANY_CLASSES = 1000
PAIRS = (
    ("no", "yes"), ("false", "true"), ("n", "y"), ("f", "t"), ("nein", "ja"), ("non", "oui"), ("no", "sí"),
    ("no", "si"), ("não", "sim"), ("off", "on"), ("0", "1"), ("nej", "ja"), ("nee", "ja"), ("nie", "tak"),
)  # fmt: skip
_POSITIVE = {
    "yes", "true", "y", "t", "positive", "pos", "churned", "churn", "left", "default", "defaulted", "fraud",
    "spam", "sick", "disease", "dead", "died", "late", "delayed", "malignant", "bad", "failed", "failure", "fail",
    "anomaly", "abnormal", "won", "converted", "clicked", "bought", "approved", "exited", "attrited", "ja", "oui",
    "sí", "si", "on",
}  # fmt: skip
_NEGATIONS = ("not", "non", "no", "un", "in", "nicht", "kein", "pas")


def infer_task(target: str, cells: "pl.Series", kind: Kind, decimal: str) -> tuple[Task, Finding]:
    """Tell the task from the target.

    Parameters
    ----------
    target : str
        Its name.
    cells : polars.Series
        Rows of it, as text.
    kind : Kind
        What they seem to be.
    decimal : str
        Decimal sign.

    Returns
    -------
    str, Finding
        The task, and the line that says why.
    """
    task, why = _task_of(cells, kind, decimal)
    other = "regression" if task == "classification" else "classification"
    hint = "" if kind.name == "text" else f"; --task {other} if it is not"
    return task, Finding("task", f"task: {task}, because {target!r} {why}{hint}", target)


def _task_of(cells: "pl.Series", kind: Kind, decimal: str) -> tuple[Task, str]:
    import polars as pl

    if kind.name == "text":
        return "classification", "holds labels"
    values = cells.to_frame("v").select(numbers(pl.col("v"), decimal)).to_series().drop_nulls()
    distinct = values.unique()
    if len(distinct) == 2:
        return "classification", f"has two values ({listed(_labels(distinct.sort().to_list()))})"
    if (distinct != distinct.floor()).any():
        return "regression", "holds fractions"
    if len(distinct) <= MOST_CLASSES and len(distinct) < 0.05 * len(values):
        return "classification", f"has {len(distinct)} distinct whole numbers"
    return "regression", f"has {len(distinct):,} distinct whole numbers"


def _labels(values: Sequence[float]) -> list[Label]:
    return [int(value) if value.is_integer() else value for value in values]


def labels_of(target: str, summary: Summary, decimal: str) -> tuple[Label, ...]:
    """Return the labels of a classification, in order: numbers where all of them are, false before true.

    Parameters
    ----------
    target : str
        Name of the target.
    summary : Summary
        What it holds.
    decimal : str
        Decimal sign.

    Returns
    -------
    tuple of labels
        Distinct labels.
    """
    if summary.values is None or len(summary.values) > TOO_MANY_CLASSES:
        raise UserError(
            f"column {target!r} has more than {TOO_MANY_CLASSES:,} distinct labels; "
            "choose another --target, or --task regression where they are numbers"
        )
    return categories(summary.values, decimal)


def categories(values: Sequence[str], decimal: str) -> tuple[Label, ...]:
    """Sort labels: as numbers where all of them are, false before true, else by text."""
    found = as_numbers(values, decimal)
    if found is not None:
        return tuple(_labels(sorted(set(found))))
    return boolean(values) or tuple(sorted(values))


def as_numbers(values: Sequence[str], decimal: str) -> list[float] | None:
    """Parse all texts as numbers; None where one of them is none."""
    import polars as pl

    found = pl.DataFrame({"v": list(values)}, schema={"v": pl.String}).select(numbers(pl.col("v"), decimal)).to_series()
    return None if found.has_nulls() or found.is_empty() else found.to_list()


def boolean(values: Sequence[str]) -> tuple[str, str] | None:
    """Order two spellings of false and true; None where they are something else."""
    folded = {value.casefold(): value for value in values}
    if len(values) != 2:
        return None
    for no, yes in PAIRS:
        if set(folded) == {no, yes}:
            return folded[no], folded[yes]
    return None


def positive_label(
    target: str, labels: Sequence[Label], counts: dict[Label, int], given: str | None
) -> tuple[Label | None, list[Finding]]:
    """Choose the label that counts as positive.

    Parameters
    ----------
    target : str
        Name of the target.
    labels : sequence of labels
        Its labels.
    counts : dict of label to int
        How often each is seen.
    given : str, optional
        What the user asked for.

    Returns
    -------
    label or None, list of Finding
        None where there are not two labels; what is said about the choice.
    """
    if given is not None:
        return _given(target, labels, given), []
    if len(labels) != 2:
        return None, []
    chosen = _conventional(labels)
    why = "the usual reading"
    if chosen is None:
        chosen, why = min(labels, key=lambda label: (counts.get(label, 0), str(label))), "the rarer label"
    other = next(label for label in labels if label != chosen)
    text = f"positive label: {shown(chosen)} ({why}; the other is {shown(other)}); --positive chooses the other"
    return chosen, [Finding("positive", text, target)]


def _given(target: str, labels: Sequence[Label], given: str) -> Label:
    if len(labels) != 2:
        raise UserError(
            f"--positive needs a target with two labels; {target!r} has {len(labels)}; leave --positive out"
        )
    for label in labels:
        if str(label) == given.strip() or (not isinstance(label, str) and as_numbers([given.strip()], ".") == [label]):
            return label
    exact = [label for label in labels if str(label).casefold() == given.strip().casefold()]
    hint = f"did you mean {shown(exact[0])}?" if exact else f"its labels are {listed(labels, 2)}"
    raise UserError(f"--positive {given!r} is no label of {target!r}; {hint}")


def _conventional(labels: Sequence[Label]) -> Label | None:
    """Return the label that is positive by its meaning: yes before no, 1 before 0, `churned` before `stayed`."""
    first, second = (str(label).casefold() for label in labels)
    for no, yes in PAIRS:
        if {first, second} == {no, yes}:
            return labels[0] if first == yes else labels[1]
    for label, other in ((labels[0], second), (labels[1], first)):
        mine = " ".join(words(str(label)))
        if any(" ".join(words(other)) in {f"{prefix} {mine}", f"{prefix}{mine}"} for prefix in _NEGATIONS if mine):
            return label
    spoken = [label for label in labels if set(words(str(label))) & _POSITIVE]
    if len(spoken) == 1:
        return spoken[0]
    return 1 if set(labels) == {-1, 1} else None
