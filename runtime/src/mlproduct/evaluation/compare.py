"""Candidate against champion: whether it is better or worse, and what is different."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlproduct.artifacts import META, PREDICTIONS
from mlproduct.config import PARAMS, Params, load
from mlproduct.config.yaml_file import read_yaml
from mlproduct.contract.columns import NUMERIC, Contract
from mlproduct.data.prepare import TEST, TRAIN, clusters
from mlproduct.evaluation.champion import Answers, Champion, git
from mlproduct.evaluation.gates import (
    FAIL,
    NOT_COMPARABLE,
    PASS,
    Bounds,
    Family,
    Gate,
    decided,
    mean_bounds,
    resampled,
)
from mlproduct.evaluation.metrics import HEADLINE, Array, area_under_roc, losses
from mlproduct.evaluation.predictions import read_predictions
from mlproduct.evaluation.slices import bands, groups

ALONE = 0.03  # loss that one column alone may reach: under it, the column gives the target away
SEEDS = ("prepare.seed", "model.seed")


def headline(predictions: pd.DataFrame, contract: Contract) -> Array:
    """Return what the headline metric is computed from, of shape (n_rows, n): hits and scores, or squared errors."""
    if not contract.labels:
        error = predictions["truth"].to_numpy("float64") - predictions["prediction"].to_numpy("float64")
        return error[:, None] ** 2
    shown = [contract.positive] if contract.positive is not None else contract.labels
    columns = [(predictions["truth"] == str(label), predictions[f"p {label}"]) for label in shown]
    return np.column_stack([part.to_numpy("float64") for pair in columns for part in pair])


def measure(values: Array, contract: Contract) -> float:
    """Compute roc_auc (the mean over classes, one against the rest) or rmse."""
    if not contract.labels:
        return float(np.sqrt(values.mean()))
    found = [area_under_roc(values[:, i] > 0, values[:, i + 1]) for i in range(0, values.shape[1], 2)]
    return float(np.nanmean(found)) if np.isfinite(found).any() else math.nan


def against_champion(
    test: pd.DataFrame, predictions: pd.DataFrame, champion: Answers, contract: Contract, params: Params
) -> tuple[list[Gate], dict[str, Any]]:
    """Gate the loss and the headline metric against the champion's, on the same rows."""
    labels = [str(label) for label in contract.labels]
    worse = champion.worse(predictions, labels)
    if worse is None or champion.predictions is None:
        return [], {}
    rows, old = predictions.loc[champion.rows], champion.predictions
    entity = pd.factorize(clusters(test.loc[champion.rows], contract))[0]
    loss = mean_bounds(worse.to_numpy(), entity)
    ours, theirs = headline(rows, contract), headline(old, contract)
    sign = -1 if HEADLINE[contract.task][1] else 1  # the gate is on what gets worse

    def growth(chosen: Array) -> float:
        now, before = measure(ours[chosen], contract), measure(theirs[chosen], contract)
        return sign * (now - before) / (1 if contract.labels else before or 1)

    scores = resampled(len(rows), growth, params.evaluate.bootstrap, params.evaluate.seed, entity)
    name = HEADLINE[contract.task][0]
    found = [
        _gate("compare.loss", loss, params.compare.margin, len(rows), "loss, of what guessing loses"),
        _gate(f"compare.{name}", scores, params.compare.headline_margin, len(rows), f"{name}, in the bad direction"),
    ]
    flipped = (rows["prediction"] != old["prediction"]) if labels else worse.abs() > worse.abs().quantile(0.99)
    shown = rows.assign(before=old["prediction"], worse=worse)[flipped].sort_values("worse", key=abs, ascending=False)
    details = {
        "rows": len(rows),
        "loss": vars(loss),
        "headline": {"name": name, "candidate": measure(ours, contract), "champion": measure(theirs, contract)},
        "flipped": int(flipped.sum()) if labels else None,
        "flips": [
            {"row": int(row.Index), "truth": row.truth, "before": row.before, "now": row.prediction, "worse": row.worse}
            for row in shown.head(20).itertuples()
        ],
        "slices": moved(test.loc[champion.rows], worse, contract, params),
    }
    if labels:
        details["mcnemar"] = mcnemar(rows, old)
    return found, details


def mcnemar(rows: pd.DataFrame, old: pd.DataFrame) -> dict[str, float]:
    """Count the rows that only one of both gets right, with the exact test that these are as many (McNemar, 1947)."""
    from scipy.stats import binomtest

    ours, theirs = (found["prediction"] == rows["truth"] for found in (rows, old))
    gained, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    return {"gained": gained, "lost": lost, "p": binomtest(gained, gained + lost).pvalue if gained + lost else 1.0}


def moved(test: pd.DataFrame, worse: pd.Series, contract: Contract, params: Params) -> list[dict[str, Any]]:
    """Return the slices that gained and lost most, five of each."""
    named = groups(test, contract, params.slices)
    rows: list[dict[str, Any]] = [
        {"column": str(column), "group": str(group), "n": len(part), "worse": float(part.mean())}
        for column in named
        for group, part in worse.groupby(named[column])
        if len(part) >= 10
    ]
    rows.sort(key=lambda row: row["worse"])
    return rows if len(rows) <= 10 else [*rows[:5], *rows[-5:]]


def _gate(name: str, found: Bounds, threshold: float, n: int, what: str) -> Gate:
    message = f"{what}: {found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}] from the champion, "
    message += f"allowed {threshold:+g} ({n} rows)"
    advice = "`make difference` says whether data or parameters did it; reports/ce.html shows what lost most"
    return decided(name, found, threshold, n, message, advice)


def against_guessing(predictions: pd.DataFrame, test: pd.DataFrame, contract: Contract) -> Gate:
    """Gate the loss against that of a constant guess, which is 1: a model that is surely worse does not ship."""
    found = mean_bounds(losses(predictions, [str(label) for label in contract.labels]), clusters(test, contract))
    message = f"loses {found.value:.3f} [{found.low:.3f}, {found.high:.3f}] of what a guess loses ({len(test)} rows)"
    advice = "is the target in the features at all? Look at reports/, then at the columns in contract.yaml"
    return decided("compare.guessing", found, 1.0, len(test), message, advice)


def leaks(train_rows: pd.DataFrame, test: pd.DataFrame, contract: Contract) -> list[Gate]:
    """Gate each feature alone: one that tells the target all but exactly was probably written after it."""
    found = []
    for name in contract.features:
        if contract.columns[name].type in ("text", "datetime"):
            continue
        alone = by_itself(train_rows[[name, contract.target]], test[[name, contract.target]], name, contract)
        if alone < ALONE:
            message = f"alone it tells the target: loss {alone:.4f}, suspicious under {ALONE:g} ({len(test)} rows)"
            advice = (
                f"is {name!r} known before the target is? If not: `role: ignore` in contract.yaml; if so: waivers.yaml"
            )
            found.append(Gate("compare.leak", FAIL, message, advice, name, alone, None, None, ALONE, len(test)))
    return found or [Gate("compare.leak", PASS, "no feature alone gives the target away", n=len(test), threshold=ALONE)]


def by_itself(train_rows: pd.DataFrame, test: pd.DataFrame, name: str, contract: Contract) -> float:
    """Return the loss of guessing by the mean of the target in each value, or narrow band, of one column."""
    values, cut = pd.concat([train_rows[name], test[name]], ignore_index=True), len(train_rows)
    numeric = contract.columns[name].type in NUMERIC and values.nunique() > 50
    cell = bands(values, 50) if numeric else values.astype("object").fillna("none").map(str)
    target = pd.get_dummies(train_rows[contract.target]) if contract.labels else train_rows[[contract.target]]
    target = target.astype("float64").set_axis([f"p {name}" for name in target.columns], axis=1).reset_index(drop=True)
    means = target.groupby(cell[:cut].to_numpy()).mean()
    guess = means.reindex(cell[cut:].to_numpy()).fillna(target.mean()).set_axis(test.index, axis=0)
    shown = (
        guess.set_axis(["prediction"], axis=1)
        if not contract.labels
        else guess.reindex(columns=[f"p {label}" for label in contract.labels], fill_value=0.0)
    )
    return float(losses(shown.assign(truth=test[contract.target]), [str(label) for label in contract.labels]).mean())


def flat(document: Any, place: str = "") -> dict[str, Any]:
    """Name each value of nested parameters by its path."""
    if not isinstance(document, dict) or not document:
        return {place: document}
    return {
        name: value
        for key, inner in document.items()
        for name, value in flat(inner, f"{place}.{key}".strip(".")).items()
    }


def with_defaults(path: Path) -> dict[str, Any]:
    """Read parameters, also those of another version of this code; keys that are missing have their defaults."""
    return flat(Params().model_dump()) | flat(read_yaml(path) or {})


def axes(champion: Champion, predictions: pd.DataFrame) -> dict[str, Any]:
    """Say which of data, split, contract, params, seed, code and environment differ from the champion's."""
    ours, theirs = json.loads(META.read_text(encoding="utf-8")), champion.meta
    now = with_defaults(PARAMS)
    before = with_defaults(champion.folder / PARAMS.name)
    pairs = {
        k: [before.get(k), now.get(k)]
        for k in sorted({*now, *before})
        if k.startswith(("model.", "prepare.", "bias.allow", "own."))
    }
    differ = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    kept = champion.folder / PREDICTIONS.name
    same_rows = set(read_predictions(kept)["key"]) == set(predictions["key"]) if kept.exists() else None
    packages = {
        n: [theirs["libraries"].get(n), v] for n, v in ours["libraries"].items() if theirs["libraries"].get(n) != v
    }
    return {
        "data": ours["data"] != theirs["data"],
        "split": not same_rows,
        "contract": ours["contract"] != theirs["contract"],
        "params": {name: pair for name, pair in differ.items() if name not in SEEDS},
        "seed": {name: pair for name, pair in differ.items() if name in SEEDS},
        "code": (git("diff", "--stat", "--stat-width=80", str(champion.commit), "--", "src") or "").splitlines(),
        "environment": {"lock": ours["lock"] != theirs["lock"], "packages": packages},
    }


def changed(axes: dict[str, Any]) -> list[str]:
    """Name the axes on which something differs."""
    differs = {name: bool(value) for name, value in axes.items()} | {"environment": any(axes["environment"].values())}
    return [name for name, value in differs.items() if value]


def promotion(details: dict[str, Any], axes: dict[str, Any]) -> str:
    """Say in one sentence whether the candidate is an improvement; another seed alone never is."""
    if "loss" not in details:
        return "There is nothing to compare with yet."
    different = changed(axes)
    if set(different) <= {"seed", "split"} and "seed" in different:
        return "Not an improvement: only the seed has changed, and any difference is luck."
    if details["loss"]["high"] < 0:
        return f"An improvement: it loses {-details['loss']['value']:.1%} of a guess less than the champion."
    if details["loss"]["low"] > 0:
        return f"Worse than the champion: it loses {details['loss']['value']:.1%} of a guess more."
    return "No better and no worse than the champion, as far as these rows can tell."


def compare(
    train_rows: pd.DataFrame,
    test: pd.DataFrame,
    predictions: pd.DataFrame,
    champion: Champion,
    contract: Contract,
    params: Params,
) -> Family:
    """Compare a candidate with the champion, or with guessing where there is none.

    Parameters
    ----------
    train_rows, test : DataFrame
        As prepared.
    predictions : DataFrame
        The candidate's, of the test rows.
    """
    answers = champion.on(test, predictions, contract)
    gates = [against_guessing(predictions, test, contract), *leaks(train_rows, test, contract)]
    found, details = against_champion(test, predictions, answers, contract, params)
    if champion.release and not found:
        gates.append(
            Gate(
                "compare.loss",
                NOT_COMPARABLE,
                answers.why,
                "name another champion: `make train AGAINST=REV`, or a test set that no model has seen",
                n=len(test),
            )
        )
    different = axes(champion, predictions) if champion.release and not champion.missing else {}
    details |= {
        "champion": {"release": champion.release, "commit": champion.commit},
        "why": answers.why,
        "axes": different,
        "changed": changed(different) if different else [],
        "said": promotion(details, different),
    }
    return Family("compare", [*gates, *found], details)


def main() -> None:
    """Write reports/ce/compare.json."""
    contract, params = load()
    train_rows, test = pd.read_parquet(TRAIN), pd.read_parquet(TEST)
    found = compare(train_rows, test, read_predictions(), Champion.load(), contract, params)
    found.write()
    print(f"  {found.details['said']}")
