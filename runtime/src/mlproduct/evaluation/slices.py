"""Parts of the test rows in which the model is weak, or weaker than the champion was."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from mlproduct.config import Params, Slices, load
from mlproduct.contract.columns import NUMERIC, Contract
from mlproduct.data.prepare import TEST, clusters
from mlproduct.evaluation.champion import Answers, Champion
from mlproduct.evaluation.gates import FAIL, PASS, REPORTED, Bounds, Family, Gate, Z, mean_bounds
from mlproduct.evaluation.metrics import Array, losses
from mlproduct.evaluation.predictions import read_predictions

METRIC = {"classification": "accuracy", "regression": "mae"}


def groups(frame: pd.DataFrame, contract: Contract, params: Slices) -> pd.DataFrame:
    """Name the slice of each row, by each column that has some: categories, and bands of numbers.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns)
        Texts; a pair of `two_way` is a column `a x b`.
    """
    found: dict[str, pd.Series] = {}
    for name, column in contract.columns.items():
        if column.role not in ("feature", "protected") or column.type in ("text", "datetime"):
            continue
        values = frame[name]
        if column.type in NUMERIC and values.nunique() > params.bands:
            found[name] = bands(values, params.bands)
        elif column.type == "boolean":
            found[name] = values.map(dict(enumerate(column.labels))).fillna("none")
        else:
            texts = values.astype("object").where(values.notna(), "none").map(_text)
            common = texts.value_counts().index[: params.most_groups]
            found[name] = texts.where(texts.isin(common), "(rarer)")
    for pair in params.two_way:
        found[" x ".join(pair)] = found[pair[0]].str.cat(found[pair[1]], sep=", ")
    return pd.DataFrame(found, index=frame.index)


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def bands(values: pd.Series, n: int) -> pd.Series:
    """Cut numbers at their quantiles, and name each band by its ends."""
    edges = np.unique(np.nanquantile(values, np.linspace(0, 1, n + 1)))
    place = np.searchsorted(edges[1:-1], values.to_numpy(), side="right")
    names = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    return pd.Series(np.array(names, dtype=object)[place], index=values.index).where(values.notna(), "none")


def is_large_enough(truth: pd.Series, contract: Contract, params: Slices) -> bool:
    """Return whether a group has rows enough, and two classes with members enough, to decide anything."""
    if len(truth) < params.min_rows:
        return False
    return not contract.labels or (truth.value_counts() >= params.min_class_rows).sum() >= 2


def holm(tests: list[tuple[Bounds, float]]) -> list[float]:
    """Return each test's p-value that the mean is not over its threshold, adjusted for their number (Holm, 1979)."""
    errors = [(b.value - b.low) / Z or 1e-12 for b, _ in tests]
    p = [
        math.erfc((b.value - limit) / error / math.sqrt(2)) / 2 for (b, limit), error in zip(tests, errors, strict=True)
    ]
    return adjusted(p)


def adjusted(p: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number by Holm's method; scipy has none.

    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics, 6(2).

    Examples
    --------
    >>> adjusted([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(np.asarray(p, dtype=float)[order] * np.arange(len(p), 0, -1))
    found = np.empty(len(p))
    found[order] = np.minimum(steps, 1.0)
    return [float(x) for x in found]


def slices(
    test: pd.DataFrame, predictions: pd.DataFrame, champion: Answers, contract: Contract, params: Params
) -> Family:
    """Measure each slice, and gate those that are large enough; Holm's correction is over all of these.

    Parameters
    ----------
    test, predictions : DataFrame of n_rows
        As prepared, and as `evaluate.read_predictions` gives them.
    champion : Answers
        What the champion says of the rows, where it can be compared.
    """
    labels = [str(label) for label in contract.labels]
    ours, entity = losses(predictions, labels), clusters(test, contract)
    worse = champion.worse(predictions, labels)
    named = groups(test, contract, params.slices)
    table = [row for column in named for row in _measured(named[column], predictions, ours, entity, contract, params)]
    gated = [row for row in table if row["gated"]]
    overall = float(ours.mean())
    tests = []
    for row in gated:
        rows = (named[row["column"]] == row["group"]).to_numpy()
        ends = (row["loss"], row["loss_low"], row["loss_high"])
        tests.append((Bounds(*(end - overall for end in ends)), params.slices.gap))
        if worse is not None:
            shared = rows & test.index.isin(worse.index)
            found = mean_bounds(worse.reindex(test.index).to_numpy()[shared], entity[shared])
            row["worse"] = found.value
            tests.append((found, params.slices.worse))
    adjusted = iter(holm(tests))
    gates = []
    for row in gated:
        gap = row["loss"] - overall
        gates.append(_gate("slices.gap", row, gap, params.slices.gap, next(adjusted), "all rows"))
        if worse is not None:
            gates.append(
                _gate("slices.champion", row, row["worse"], params.slices.worse, next(adjusted), "the champion")
            )
    gates += (
        []
        if gates
        else [
            Gate(
                "slices.gap",
                REPORTED,
                f"no slice has {params.slices.min_rows} rows and two classes "
                f"of {params.slices.min_class_rows}: all are shown, none decides",
                n=len(test),
            )
        ]
    )
    return Family("slices", gates, {"metric": METRIC[contract.task], "loss": overall, "table": table})


def _measured(
    named: pd.Series, predictions: pd.DataFrame, ours: Array, entity: Array, contract: Contract, params: Params
) -> list[dict[str, Any]]:
    right = (predictions["truth"] == predictions["prediction"]).to_numpy("float64")
    each = right if contract.labels else (predictions["truth"] - predictions["prediction"]).abs().to_numpy()
    rows = []
    for group in sorted(named.unique()):
        inside = (named == group).to_numpy()
        around, loss = mean_bounds(each[inside], entity[inside]), mean_bounds(ours[inside], entity[inside])
        rows.append(
            {
                "column": str(named.name),
                "group": str(group),
                "n": int(inside.sum()),
                "metric": METRIC[contract.task],
                "value": around.value,
                "low": around.low,
                "high": around.high,
                "loss": loss.value,
                "loss_low": loss.low,
                "loss_high": loss.high,
                "gated": is_large_enough(predictions["truth"][inside], contract, params.slices),
            }
        )
    return rows


def _gate(name: str, row: dict[str, Any], measured: float, threshold: float, p: float, than: str) -> Gate:
    text = f"loses {measured:+.3f} more than {than} ({row['n']} rows; allowed {threshold:g}; p = {p:.2g} after Holm)"
    advice = (
        "look at its rows: wrong labels, a missing feature, too few of them? A gap that is known goes into waivers.yaml"
    )
    place = f"{row['column']}={row['group']}"
    return Gate(name, FAIL if p < 0.05 else PASS, text, advice, place, measured, None, None, threshold, int(row["n"]))


def main() -> None:
    """Write reports/ce/slices.json."""
    contract, params = load()
    test, predictions = pd.read_parquet(TEST), read_predictions()
    slices(test, predictions, Champion.load().on(test, predictions, contract), contract, params).write()
