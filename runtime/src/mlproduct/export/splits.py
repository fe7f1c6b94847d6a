"""The splits of trees, and which rows come by them: a value beside a threshold shows whether a copy branches alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Compared = Callable[[Array], Array]  # what a tree makes of a value before it compares it with a threshold


@dataclass(frozen=True)
class Tree:
    """One tree as arrays over its nodes; a value goes left if it is missing and `nan_left`, or at most `threshold`."""

    feature: Array
    threshold: Array
    left: Array
    right: Array
    nan_left: Array
    is_split: Array
    compared: Compared


@dataclass(frozen=True)
class Splits:
    """Splits on numbers, all arrays of shape (n_splits,).

    Attributes
    ----------
    at : ndarray
        The place in a row that is compared with `threshold`.
    row : ndarray
        The number of a row that comes by; 0 where none does.
    """

    at: Array
    threshold: Array
    row: Array
    compared: Compared


def splits(estimator: Any, rows: Array) -> Splits | None:
    """Find the splits of an estimator's trees, those of other estimators' trees too if it is made of them.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, width)
        From which one that comes by is looked for.
    """
    found = []
    for tree in _trees(estimator):
        row = _passing(tree, rows)
        nodes = tree.is_split & np.isfinite(tree.threshold)  # an infinite one parts the missing from all others
        found.append((tree.feature[nodes], tree.threshold[nodes], np.maximum(row[nodes], 0), tree.compared))
    if not found:
        return None
    at, threshold, row = (np.concatenate(parts) for parts in list(zip(*found, strict=True))[:3])
    return Splits(at.astype("int64"), threshold, row, found[0][3])


def parts_missing(estimator: Any) -> bool:
    """Return whether a split parts missing values from all others: its threshold is infinite."""
    return any(np.isinf(tree.threshold[tree.is_split]).any() for tree in _trees(estimator))


def _trees(estimator: Any) -> Iterator[Tree]:
    for stage in getattr(estimator, "_predictors", ()):  # of HistGradientBoosting
        for predictor in stage:
            n = predictor.nodes
            split = ~n["is_leaf"].astype(bool)
            yield Tree(
                n["feature_idx"], n["num_threshold"], n["left"].astype("int64"), n["right"].astype("int64"),
                n["missing_go_to_left"].astype(bool), split & ~n["is_categorical"].astype(bool), np.asarray,
            )  # fmt: skip
    inner = getattr(estimator, "estimators_", ())
    for item in inner.ravel() if isinstance(inner, np.ndarray) else inner:
        yield from _trees(item)
    if (tree := getattr(estimator, "tree_", None)) is not None:
        nan_left = tree.missing_go_to_left.astype(bool)
        split = tree.children_left >= 0
        yield Tree(tree.feature, tree.threshold, tree.children_left, tree.children_right, nan_left, split, _single)


def _single(values: Array) -> Array:
    return values.astype("float32")


def _passing(tree: Tree, rows: Array) -> Array:
    """Return for each node the number of a row that comes by, -1 where none does."""
    found = np.full(len(tree.feature), -1)
    at, numbers = np.zeros(len(rows), dtype="int64"), np.arange(len(rows))
    while len(at):
        found[at] = numbers
        going = tree.is_split[at]
        at, numbers = at[going], numbers[going]
        value = rows[numbers, tree.feature[at]]
        left = np.where(np.isnan(value), tree.nan_left[at], tree.compared(value) <= tree.threshold[at])
        at = np.where(left, tree.left[at], tree.right[at])
    return found
