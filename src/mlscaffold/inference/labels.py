"""The labels of a classification, in order, and the positive one."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ..contract import Label
from ..errors import UserError
from .columns import Summary, as_labels, numbers
from .findings import listed, shown
from .words import words

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
        return tuple(as_labels(sorted(set(found))))
    return boolean(values) or tuple(sorted(values))


def as_numbers(values: Sequence[str], decimal: str) -> list[float] | None:
    """Parse all texts as numbers; None where one of them is not a number."""
    import polars as pl

    found = pl.DataFrame({"v": list(values)}, schema={"v": pl.String}).select(numbers(pl.col("v"), decimal)).to_series()
    return None if found.has_nulls() or found.is_empty() else found.to_list()


def boolean(values: Sequence[str]) -> tuple[str, str] | None:
    """Return two spellings of false and true in this order; None where they are something else."""
    folded = {value.casefold(): value for value in values}
    if len(values) != 2:
        return None
    for no, yes in PAIRS:
        if set(folded) == {no, yes}:
            return folded[no], folded[yes]
    return None


def positive_label(
    target: str, labels: Sequence[Label], counts: Mapping[Label, int], given: str | None
) -> tuple[Label | None, str]:
    """Choose the positive label.

    Parameters
    ----------
    target : str
        Name of the target.
    labels : sequence of labels
        Its labels.
    counts : mapping of label to int
        How often each is seen.
    given : str, optional
        What the user asked for.

    Returns
    -------
    label or None, str
        None where there are not two labels; and why, where the user did not choose.
    """
    if given is not None:
        return _given(target, labels, given), ""
    if len(labels) != 2:
        return None, ""
    chosen = _conventional(labels)
    if chosen is not None:
        return chosen, "the usual reading"
    return min(labels, key=lambda label: (counts.get(label, 0), str(label))), "the rarer label"


def count_labels(texts: Mapping[str, int], decimal: str) -> dict[Label, int]:
    """Count labels from the counts of their texts: `1` and `1.0` are one label where all of them are numbers."""
    found: Counter[Label] = Counter()
    numeric = as_numbers(list(texts), decimal) is not None
    for text, count in texts.items():
        found[categories([text], decimal)[0] if numeric else text] += count
    return dict(found)


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
    raise UserError(f"--positive {given!r} is not a label of {target!r}; {hint}")


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
