"""Scores of a model on labelled rows, each with a bootstrap interval, beside the dummy baseline."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mlproduct.config import Evaluate
from mlproduct.errors import DataError

if TYPE_CHECKING:  # the verdict and the journal are of figures, and need no frame
    import pandas as pd

Array = npt.NDArray[Any]
Compute = Callable[[Array, Array, Array], dict[str, float]]
HEADLINE = {"classification": ("roc_auc", True), "regression": ("rmse", False)}  # metric, more is better
LARGEST = 20_000  # rows of one resample; more rows narrow an interval that is narrow already


@dataclass(frozen=True)
class Score:
    """A metric with its interval, and what the dummy baseline reaches."""

    value: float
    low: float
    high: float
    baseline: float


@dataclass(frozen=True)
class Metric:
    """How a metric is computed from (y, prediction, score)."""

    name: str
    compute: Callable[[Array, Array, Array], float]


def classification(labels: list[str], positive: str | None) -> list[Metric]:
    """Return the metrics of a classification; `score` is the array of probabilities, shape (n_rows, n_classes)."""
    codes = np.arange(len(labels))

    def confusion(y: Array, hat: Array) -> Array:
        return np.bincount(y * len(labels) + hat, minlength=len(labels) ** 2).reshape(len(labels), -1)

    def balanced_accuracy(y: Array, hat: Array, _: Array) -> float:
        table = confusion(y, hat)
        members = table.sum(axis=1)
        return float(np.mean(table.diagonal()[members > 0] / members[members > 0]))

    def f1_macro(y: Array, hat: Array, _: Array) -> float:
        table = confusion(y, hat)
        counts = table.sum(axis=0) + table.sum(axis=1)
        return float(np.mean(2 * table.diagonal()[counts > 0] / counts[counts > 0]))

    def brier(y: Array, _: Array, p: Array) -> float:
        return float(np.mean(np.sum((p - (y[:, None] == codes)) ** 2, axis=1)) / (2 if len(labels) == 2 else 1))

    def log_loss(y: Array, _: Array, p: Array) -> float:
        chosen = np.clip(p[np.arange(len(y)), y], 1e-15, 1.0)
        return float(-np.log(chosen).mean())

    def roc_auc(y: Array, _: Array, p: Array) -> float:
        codes = [positive_code] if positive_code is not None else range(len(labels))
        found = [area_under_roc(y == code, p[:, code]) for code in codes]
        return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")

    def average_precision(y: Array, _: Array, p: Array) -> float:
        return mean_precision(y == positive_code, p[:, positive_code])

    positive_code = labels.index(positive) if positive in labels else None
    found = [
        Metric("accuracy", lambda y, hat, _: float(np.mean(y == hat))),
        Metric("balanced_accuracy", balanced_accuracy),
        Metric("f1_macro", f1_macro),
        Metric("roc_auc", roc_auc),
        Metric("log_loss", log_loss),
        Metric("brier", brier),
    ]
    return [*found, Metric("average_precision", average_precision)] if positive_code is not None else found


def area_under_roc(hit: Array, p: Array) -> float:
    """Return the share of pairs of a hit and a miss that the score puts in order, ties half (Mann and Whitney, 1947).

    The same as sklearn's, which spends 7 ms on checking its input at each of the bootstrap's calls.
    """
    hits, misses = int(hit.sum()), int((~hit).sum())
    if not hits or not misses:
        return float("nan")
    ordered = np.sort(p)
    ranks = (np.searchsorted(ordered, p[hit], "left") + np.searchsorted(ordered, p[hit], "right") + 1) / 2
    return float((ranks.sum() - hits * (hits + 1) / 2) / (hits * misses))


def mean_precision(hit: Array, p: Array) -> float:
    """Return the precision at each score, weighted by the hits that have it (average precision).

    The same as sklearn's, which spends 5 ms on checking its input at each of the bootstrap's calls.
    """
    order = np.argsort(p)[::-1]
    last = np.append(np.flatnonzero(np.diff(p[order])), len(p) - 1)  # rows of one score count together
    found = np.cumsum(hit[order])[last]
    if not found[-1]:
        return float("nan")
    return float(np.sum(np.diff(found, prepend=0) * found / (last + 1)) / found[-1])


def regression() -> list[Metric]:
    """Return the metrics of a regression, in units of the target but for r2."""
    return [
        Metric("mae", lambda y, hat, _: float(np.mean(np.abs(y - hat)))),
        Metric("rmse", lambda y, hat, _: float(np.sqrt(np.mean((y - hat) ** 2)))),
        Metric("r2", lambda y, hat, _: float(1 - np.sum((y - hat) ** 2) / spread) if (
            spread := np.sum((y - y.mean()) ** 2)) else float("nan")),
    ]  # fmt: skip


def losses(predictions: "pd.DataFrame", labels: list[str], of: "pd.DataFrame | None" = None) -> Array:
    """Give the loss of each row in units of guessing: 0 is right and sure, 1 is what a constant guess loses on average.

    Classification: the squared distance of the probabilities from the truth (Brier, 1950), over that of the shares of
    the classes. Regression: the absolute error, over that of the median.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, 2 or 2 + n_classes)
        As `Evaluation.predictions`.
    of : DataFrame, optional
        The rows whose guessing is the unit; by default these.
    """
    truth, guess = predictions["truth"], guessing((predictions if of is None else of)["truth"], labels)
    if not labels:
        return np.abs(truth.to_numpy("float64") - predictions["prediction"].to_numpy("float64")) / guess
    hits = truth.to_numpy()[:, None] == np.array(labels)
    return ((predictions[[f"p {label}" for label in labels]].to_numpy() - hits) ** 2).sum(axis=1) / guess


def guessing(truth: "pd.Series", labels: list[str]) -> float:
    """Return what the best constant guess loses on average: the unit of `losses`; 1 where it loses nothing."""
    if not labels:
        values = truth.to_numpy("float64")
        return float(np.abs(values - np.median(values)).mean()) or 1.0
    shares = (truth.to_numpy()[:, None] == np.array(labels)).mean(axis=0)
    return 1 - float(shares @ shares) or 1.0  # the mean squared distance of the shares themselves


def resamples(n: int, draws: int, seed: int, clusters: Array | None = None) -> tuple[list[Array], float]:
    """Draw rows with replacement, whole entities where rows cluster (bootstrap; Efron, 1979), with a fixed seed.

    Above 20,000 rows a resample has about 20,000, and a spread over resamples is to be shrunk by the square root of
    the ratio, as a standard error is (m out of n; Bickel et al., 1997).

    Parameters
    ----------
    clusters : ndarray of int of shape (n,), optional
        The entity of each row.

    Returns
    -------
    rows : list of ndarray of int
        The places of the rows of each resample.
    shrink : float
        What a spread over them is to be multiplied by.
    """
    rng = np.random.default_rng(seed)
    if clusters is None or len(np.unique(clusters)) == n:
        size = min(n, LARGEST)
        return [rng.integers(0, n, size) for _ in range(draws)], np.sqrt(size / n)
    order = np.argsort(clusters, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(clusters[order])) + 1)
    many = len(members)
    size = min(many, max(1, round(LARGEST * many / n)))
    rows = [np.concatenate([members[i] for i in rng.integers(0, many, size)]) for _ in range(draws)]
    return rows, np.sqrt(size / many)


def score(
    metrics: list[Metric],
    truth: Array,
    model: tuple[Array, Array],
    dummy: tuple[Array, Array],
    params: Evaluate,
    clusters: Array | None = None,
) -> dict[str, Score]:
    """Score a model and the dummy baseline by some metrics; see `score_all`."""

    def compute(*rows: Array) -> dict[str, float]:
        return {metric.name: metric.compute(*rows) for metric in metrics}

    return score_all(compute, truth, model, dummy, params, clusters)


def score_all(
    compute: Compute,
    truth: Array,
    model: tuple[Array, Array],
    dummy: tuple[Array, Array],
    params: Evaluate,
    clusters: Array | None = None,
) -> dict[str, Score]:
    """Score a model and the dummy baseline on the same rows, with the percentile bootstrap of `resamples`.

    Parameters
    ----------
    compute : function
        From (truth, prediction, score) of some rows to figures by name, the same names each time.
    truth : ndarray of shape (n_rows,)
        Classes as numbers from 0, or values.
    model, dummy : (ndarray of shape (n_rows,), ndarray of shape (n_rows,) or (n_rows, n_classes))
        Predictions, and scores or probabilities.

    Raises
    ------
    DataError
        If `compute` returns other names for other rows.
    """
    draws, shrink = resamples(len(truth), params.bootstrap, params.seed, clusters)
    tail = (1 - params.confidence) / 2
    found = {}
    with warnings.catch_warnings():
        # a resample may miss a class; the metric is then over those it has
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        values, baselines = compute(truth, *model), compute(truth, *dummy)
        drawn = [compute(truth[rows], model[0][rows], model[1][rows]) for rows in draws]
        if odd := sorted({name for each in (baselines, *drawn) for name in each.keys() ^ values.keys()}):
            raise DataError(f"a metric is computed for any rows, as NaN if need be; missing for some: {', '.join(odd)}")
        for name, value in values.items():
            samples = np.array([each[name] for each in drawn])
            centre = np.nanmean(samples) if np.isfinite(samples).any() else value
            samples = centre + (samples - centre) * shrink
            low, high = np.nanquantile(samples, [tail, 1 - tail]) if np.isfinite(samples).any() else (value, value)
            found[name] = Score(value, float(low), float(high), baselines[name])
    return found
