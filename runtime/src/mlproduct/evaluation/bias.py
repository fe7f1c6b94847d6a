"""Groups by protected columns: whether labels and model treat them alike, and no less so than the champion."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from mlproduct.config import Params, load
from mlproduct.contract.columns import Contract
from mlproduct.data.prepare import TEST, TRAIN, clusters
from mlproduct.evaluation.champion import Answers, Champion
from mlproduct.evaluation.gates import REPORTED, TAIL, Bounds, Family, Gate, decided, mean_bounds
from mlproduct.evaluation.metrics import Array, losses
from mlproduct.evaluation.predictions import predicted, read_predictions
from mlproduct.evaluation.slices import groups, is_large_enough

LARGEST = 20_000  # rows of the model that is trained to see what leaving protected columns out did
ADVICE = {
    "parity": "is it due to the labels (see base_rate), to few rows of a group, or to a feature that stands for it?",
    "odds": "errors fall on one group more than on another: more rows of it, other features, a threshold by use",
    "worst_group": "the model does not work for this group: more rows of it, features that matter to it",
    "calibration": "scores mean different things to groups: recalibrate, or give the model what tells them apart",
    "base_rate": "the labels differ before any model: who wrote them, and how? No gate on the model can see this",
    "champion": "it treats groups less alike than the model that runs: `make journal` says what was changed",
}


def table(group: Array, truth: Array, predicted: Array, weight: Array, sizes: tuple[int, int]) -> Array:
    """Count weighted rows by group, true and predicted class.

    Returns
    -------
    ndarray of shape (n_groups, n_classes, n_classes)
    """
    n_groups, n = sizes
    counts = np.bincount((group * n + truth) * n + predicted, weight, minlength=n_groups * n * n)
    return counts.reshape(n_groups, n, n)


def parity(counts: Array, code: int) -> Array:
    """Return the share of each group that is predicted `code`."""
    return _ratio(counts[:, :, code].sum(axis=1), counts.sum(axis=(1, 2)))


def base_rate(counts: Array, code: int) -> Array:
    """Return the share of each group that is `code` in truth."""
    return _ratio(counts[:, code].sum(axis=1), counts.sum(axis=(1, 2)))


def hits(counts: Array, code: int) -> Array:
    """Return the share of each group's true `code` that is found."""
    return _ratio(counts[:, code, code], counts[:, code].sum(axis=1))


def false_alarms(counts: Array, code: int) -> Array:
    """Return the share of each group's other rows that is taken for `code`."""
    others = counts.sum(axis=(1, 2)) - counts[:, code].sum(axis=1)
    return _ratio(counts[:, :, code].sum(axis=1) - counts[:, code, code], others)


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


Rates = tuple[Callable[[Array, int], Array], ...]


def gap(counts: Array, codes: list[int], of: Rates) -> float:
    """Return the largest difference between two groups, over classes and rates.

    Demographic parity with `parity` (Dwork et al., 2012), equalised odds with `hits` and `false_alarms` (Hardt et al.,
    2016).
    """
    found = [rate(counts, code) for code in codes for rate in of]
    ranges = [np.nanmax(rates) - np.nanmin(rates) for rates in found if np.isfinite(rates).any()]
    return float(max(ranges)) if ranges else math.nan


RATES: dict[str, Rates] = {"parity": (parity,), "odds": (hits, false_alarms), "base_rate": (base_rate,)}


Statistic = Callable[[Array, Array], float]


def bounded(statistic: Statistic, cells: Array, entity: Array, params: Params) -> Bounds:
    """Bound a statistic of counted rows by the bootstrap.

    Rows that are alike are counted once, with a weight; a resample draws the weights: multinomial where each row stands
    alone, Poisson by entity where they cluster (Chamandy et al., 2012). The bias that a largest difference has is taken
    off (basic bootstrap; Davison and Hinkley, 1997).

    Parameters
    ----------
    statistic : callable
        Takes the different rows of `cells`, transposed, and the weight of each.
    cells : ndarray of int of shape (n_rows, n_columns)
    entity : ndarray of int of shape (n_rows,)
    """
    sizes = cells.max(axis=0) + 1
    code = np.ravel_multi_index(cells.T, sizes)
    different, place, counts = np.unique(code, return_inverse=True, return_counts=True)
    columns = np.array(np.unravel_index(different, sizes))
    rng, n, many = np.random.default_rng(params.evaluate.seed), len(cells), int(entity.max()) + 1

    def draw() -> Array:
        if many == n:
            return rng.multinomial(n, counts / n)
        return np.bincount(place, rng.poisson(1.0, many)[entity], minlength=len(different))

    value = statistic(columns, counts)
    samples = np.array([statistic(columns, draw()) for _ in range(params.evaluate.bootstrap)])
    samples = samples[np.isfinite(samples)]
    if math.isnan(value) or not len(samples):
        return Bounds(value, math.nan, math.nan)
    low, high = np.quantile(samples, [TAIL, 1 - TAIL])
    return Bounds(value, 2 * value - float(high), 2 * value - float(low))


def classification(
    frame: pd.DataFrame, group: pd.Series, champion: Answers, contract: Contract, params: Params
) -> list[Gate]:
    """Gate rates by group: parity, odds, base rate, and their growth from the champion's."""
    labels = [str(label) for label in contract.labels]
    codes = [labels.index(str(contract.positive))] if contract.positive is not None else list(range(len(labels)))
    code = {label: i for i, label in enumerate(labels)}
    place, names = pd.factorize(group)
    sizes = (len(names), len(labels))
    truth, ours = (frame[column].map(code).to_numpy() for column in ("truth", "prediction"))
    cells, entity = np.column_stack([place, truth, ours]), frame["entity"].to_numpy()
    gates = []
    for name, of in RATES.items():

        def apart(rows: Array, weight: Array, of: Rates = of) -> float:
            return gap(table(rows[0], rows[1], rows[2], weight, sizes), codes, of)

        gates.append(_gate(name, bounded(apart, cells, entity, params), getattr(params.bias, name), group))
    if champion.predictions is None:
        return gates
    shared = frame.index.isin(champion.rows)
    theirs = champion.predictions.loc[frame.index[shared], "prediction"].map(code).to_numpy()
    cells, entity = np.column_stack([cells[shared], theirs]), pd.factorize(entity[shared])[0]
    for name in ("parity", "odds"):

        def growth(rows: Array, weight: Array, of: Rates = RATES[name]) -> float:
            now, before = (table(rows[0], rows[1], hat, weight, sizes) for hat in rows[2:])
            return gap(now, codes, of) - gap(before, codes, of)

        found = bounded(growth, cells, entity, params)
        gates.append(_gate("champion", found, params.bias.worse, group, f"growth of the gap in {name}"))
    return gates


def errors_by_group(
    frame: pd.DataFrame, group: pd.Series, worse: pd.Series | None, contract: Contract, params: Params
) -> list[Gate]:
    """Gate what both tasks have: loss of the worst group, calibration (or mean error), growth from the champion's."""
    found, overall = {}, float(frame["loss"].mean())
    for name, rows in frame.groupby(group, sort=True):
        loss = mean_bounds(rows["loss"].to_numpy() - overall, pd.factorize(rows["entity"])[0])
        found[str(name)] = loss, mean_bounds(_off(rows, frame, contract), pd.factorize(rows["entity"])[0])
    worst = max(found, key=lambda name: found[name][0].value)
    off = max(found, key=lambda name: abs(found[name][1].value))
    size = (
        found[off][1]
        if found[off][1].value >= 0
        else Bounds(*(-x for x in (found[off][1].value, found[off][1].high, found[off][1].low)))
    )
    gates = [
        _gate("worst_group", found[worst][0], params.bias.worst_group, group, f"loss over that of all, in {worst!r}"),
        _gate("calibration", size, params.bias.calibration, group, f"predicted minus observed, in {off!r}"),
    ]
    if worse is not None:
        shared = frame.index.intersection(worse.index)
        apart = {
            str(name): mean_bounds(worse[rows.index].to_numpy(), pd.factorize(rows["entity"])[0])
            for name, rows in frame.loc[shared].groupby(group[shared])
        }
        most = max(apart, key=lambda name: apart[name].value)
        gates.append(
            _gate("champion", apart[most], params.slices.worse, group, f"loss over the champion's, in {most!r}")
        )
    return gates


def _off(rows: pd.DataFrame, frame: pd.DataFrame, contract: Contract) -> Array:
    """Return predicted minus observed: of the positive (or the commonest) class, or in spreads of the target."""
    if not contract.labels:
        return (rows["prediction"] - rows["truth"]).to_numpy("float64") / (float(frame["truth"].std()) or 1.0)
    label = str(contract.positive) if contract.positive is not None else str(frame["truth"].mode().iloc[0])
    return (rows[f"p {label}"] - (rows["truth"] == label)).to_numpy("float64")


def _gate(name: str, found: Bounds, threshold: float, group: pd.Series, what: str = "") -> Gate:
    what = (
        what
        or {
            "parity": "largest difference in the share predicted",
            "odds": "largest difference in hits or false alarms",
            "base_rate": "largest difference in the share observed, before any model",
        }[name]
    )
    message = (
        f"{what}: {found.value:.3f} [{found.low:.3f}, {found.high:.3f}], allowed {threshold:g} ({len(group)} rows)"
    )
    return decided(f"bias.{name}", found, threshold, len(group), message, ADVICE[name], str(group.name))


def bias(
    test: pd.DataFrame, predictions: pd.DataFrame, champion: Answers, contract: Contract, params: Params
) -> Family:
    """Judge each protected column over the groups that are large enough, and show all of them.

    Parameters
    ----------
    test, predictions : DataFrame of n_rows
        As prepared, and as `evaluate.read_predictions` gives them.
    """
    labels = [str(label) for label in contract.labels]
    frame = predictions.assign(loss=losses(predictions, labels), entity=clusters(test, contract))
    worse = champion.worse(predictions, labels)
    named = groups(test, contract, params.slices.replace(two_way=[]))
    gates: list[Gate] = []
    shown: list[dict[str, Any]] = []
    for column in [name for name in contract.protected if name in named]:
        shown += figures(frame, named[column], contract, params)
        large = [
            name
            for name, rows in frame.groupby(named[column])
            if is_large_enough(rows["truth"], contract, params.slices)
        ]
        chosen = frame[named[column].isin(large)]
        if len(large) < 2:
            message = f"fewer than two groups have {params.slices.min_rows} rows: shown, not gated"
            gates.append(Gate("bias.parity", REPORTED, message, slice=column, n=len(test)))
            continue
        group = named.loc[chosen.index, column]
        chosen = chosen.assign(entity=pd.factorize(chosen["entity"])[0])
        gates += classification(chosen, group, champion, contract, params) if labels else []
        gates += errors_by_group(chosen, group, worse, contract, params)
    if not shown:
        gates.append(Gate("bias.parity", REPORTED, "contract.yaml names no `role: protected` column that has groups"))
    return Family("bias", gates, {"table": shown})


def figures(frame: pd.DataFrame, group: pd.Series, contract: Contract, params: Params) -> list[dict[str, Any]]:
    """Show each group: rows, shares observed and predicted, hits, loss, calibration."""
    from fairlearn.metrics import MetricFrame, count, selection_rate

    if contract.labels:
        positive = str(contract.positive) if contract.positive is not None else str(frame["truth"].mode().iloc[0])
        truth, hat = frame["truth"] == positive, frame["prediction"] == positive
        measures = {"n": count, "selection_rate": selection_rate, "base_rate": lambda y, _: float(np.mean(y))}
        shown = MetricFrame(metrics=measures, y_true=truth, y_pred=hat, sensitive_features=group).by_group
    else:
        measures = {
            "n": count,
            "mean_truth": lambda y, _: float(np.mean(y)),
            "mean_prediction": lambda _, y: float(np.mean(y)),
        }
        shown = MetricFrame(
            metrics=measures, y_true=frame["truth"], y_pred=frame["prediction"], sensitive_features=group
        ).by_group
    shown["loss"] = frame["loss"].groupby(group).mean()
    shown["off"] = [float(_off(frame[(group == name).to_numpy()], frame, contract).mean()) for name in shown.index]
    shown["gated"] = [
        is_large_enough(frame["truth"][(group == n).to_numpy()], contract, params.slices) for n in shown.index
    ]
    return [{"column": str(group.name), "group": str(name), **row} for name, row in shown.to_dict("index").items()]


def without(train_rows: pd.DataFrame, test: pd.DataFrame, contract: Contract, params: Params) -> dict[str, Any] | None:
    """Train with and without the protected columns, on at most 20,000 rows, and say what leaving them out did."""
    seeing = [name for name in contract.protected if contract.columns[name].type != "text"]
    if not seeing:
        return None
    from mlproduct.training.train import train  # takes a second, which those without protected columns are spared

    rows = train_rows.sample(min(LARGEST, len(train_rows)), random_state=params.evaluate.seed).sort_index()
    labels = [str(label) for label in contract.labels]
    found = {}
    for which, allowed in (("without", ()), ("with", tuple(seeing))):
        variant = replace(contract, allowed=allowed)
        found[which] = losses(predicted(train(rows, variant, params), test, variant), labels)
    change = mean_bounds(found["without"] - found["with"], clusters(test, contract))
    return {
        "columns": seeing,
        "rows": len(rows),
        "loss_without": float(found["without"].mean()),
        "loss_with": float(found["with"].mean()),
        "change": change.value,
        "low": change.low,
        "high": change.high,
    }


def main() -> None:
    """Write reports/ce/bias.json."""
    contract, params = load()
    test, predictions = pd.read_parquet(TEST), read_predictions()
    found = bias(test, predictions, Champion.load().on(test, predictions, contract), contract, params)
    found.details["without_protected"] = without(pd.read_parquet(TRAIN), test, contract, params)
    found.write()
