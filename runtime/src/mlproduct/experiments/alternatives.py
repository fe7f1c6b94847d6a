"""Is something at hand that is simpler, set otherwise or newer, and better? It decides nothing, and is good to know.

What could be chosen is judged on train rows that its models have not learnt: the test rows stay for the gates.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from mlproduct.config import Model, Params, load
from mlproduct.contract.columns import Contract
from mlproduct.data.prepare import TEST, TRAIN, clusters
from mlproduct.errors import DataError
from mlproduct.evaluation.drift.concept import enough, folds, left_out, thinned, trained
from mlproduct.evaluation.gates import FAIL, PASS, REPORTED, Family, Gate, decided, mean_bounds
from mlproduct.evaluation.metrics import Array, losses
from mlproduct.evaluation.predictions import predicted
from mlproduct.training.train import train

SIMPLER = "linear"
STEPS: dict[str, dict[str, int]] = {  # by how much each setting is divided and multiplied
    "gradient_boosting": {"learning_rate": 3, "max_iter": 2, "max_leaf_nodes": 2, "min_samples_leaf": 2},
    SIMPLER: {"regularization": 10, "min_category_count": 2, "max_words": 2},
}
TOO_FEW = "too few train rows, or too few of a second class, to train models on parts of them"


def neighbours(model: Model) -> Iterator[tuple[str, Model]]:
    """Give the settings beside those that are set, one number moved at a time, with the words that `make try` takes."""
    for name, step in STEPS.get(model.kind, {}).items():
        value, (low, high) = getattr(model, name), model.limits(name)
        for moved in (value / step, value * step):
            other = type(value)(min(max(float(f"{moved:.3g}"), low), high))
            if other != value:
                yield f"model.{name}={other:g}", model.replace(**{name: other})


def simpler(ours: Array, frame: pd.DataFrame, fold: Array, contract: Contract, params: Params) -> Gate:
    """Hold the model against the simpler kind, on all train rows, each left out once."""
    name, advice = "alternatives.simpler", f'`make try WHY="is simple enough?" SET="model.kind={SIMPLER}"`'
    if params.model.kind == SIMPLER:
        return Gate(name, PASS, "there is no simpler kind than the one that is used", n=len(frame))
    other = params.replace(model=params.model.replace(kind=SIMPLER))
    try:
        models = trained(frame, fold, contract, other)
    except DataError as error:
        return Gate(name, REPORTED, f"model.py builds no simpler kind: {error}", advice, n=len(frame))
    theirs = losses(left_out(models, frame, fold, contract), _labels(contract))
    found = mean_bounds(ours - theirs, clusters(frame, contract))
    message = f"loses {found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}] more than `{SIMPLER}` does, "
    gate = decided(
        name, found, params.compare.margin, len(frame), f"{message}allowed {params.compare.margin:+g}", advice
    )
    return replace(gate, verdict=REPORTED) if gate.verdict == FAIL else gate


def searched(
    ours: Array, frame: pd.DataFrame, fold: Array, contract: Contract, params: Params
) -> tuple[Gate, list[dict[str, Any]]]:
    """Hold the parameters against those beside them, on the rows of one fold, and say whether one is surely better."""
    held, rows = fold == 0, []
    for words, model in neighbours(params.model):
        predictions = predicted(train(frame[~held], contract, params.replace(model=model)), frame[held], contract)
        theirs = losses(predictions, _labels(contract), of=frame.rename(columns={contract.target: "truth"}))
        gain = mean_bounds(ours[held] - theirs, clusters(frame[held], contract))
        rows.append({"set": words, **asdict(gain)})
    name, n, margin = "alternatives.searched", int(held.sum()), params.compare.margin
    if not rows:
        return Gate(name, REPORTED, f"no settings to search are known of kind {params.model.kind!r}", n=n), rows
    best = max(rows, key=lambda row: row["low"])
    message = f"of {len(rows)} settings nearby the best is {best['set']}: it gains {best['value']:+.3f} "
    message += (
        f"[{best['low']:+.3f}, {best['high']:+.3f}], counts as better if the lower bound exceeds {margin:+g} ({n} rows)"
    )
    verdict = REPORTED if best["low"] > margin else PASS
    advice = f'`make sweep WHY="better nearby?" SET="{best["set"]}"`'
    return Gate(name, verdict, message, advice, "", best["value"], best["low"], best["high"], margin, n), rows


def older(train_rows: pd.DataFrame, test: pd.DataFrame, contract: Contract, params: Params) -> Gate:
    """Measure what an old model costs: the older half of the train rows against the newer, both on the test rows."""
    name, advice = "alternatives.older", "params.yaml, objectives.model_age_days: how old a model may get"
    if contract.time is None:
        return Gate(name, REPORTED, "contract.yaml names no `role: time` column: nothing says what is old")
    frame, test = (thinned(rows.sort_values(contract.time, kind="stable")) for rows in (train_rows, test))
    half = len(frame) // 2
    halves = frame.iloc[:half], frame.iloc[-half:]
    if not all(enough(rows, contract) for rows in halves):
        return Gate(name, REPORTED, TOO_FEW, n=len(frame))
    lost = [losses(predicted(train(rows, contract, params), test, contract), _labels(contract)) for rows in halves]
    found = mean_bounds(lost[0] - lost[1], clusters(test, contract))
    age = halves[1][contract.time].median() - halves[0][contract.time].median()
    by = f"{age.days} days" if isinstance(age, pd.Timedelta) else f"{age:g} of {contract.time}"
    message = f"made from rows older by {by} it loses {found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}] more"
    return Gate(
        name, PASS, f"{message} ({half} rows each)", advice, "", found.value, found.low, found.high, None, len(test)
    )


def alternatives(train_rows: pd.DataFrame, test: pd.DataFrame, contract: Contract, params: Params) -> Family:
    """Try what is simpler, what is set otherwise, and what is older."""
    frame = thinned(train_rows)
    fold = folds(frame, contract, params.evaluate.seed)
    models, rows = trained(frame, fold, contract, params), list[dict[str, Any]]()
    if models:
        ours = losses(left_out(models, frame, fold, contract), _labels(contract))
        gate, rows = searched(ours, frame, fold, contract, params)
        gates = [simpler(ours, frame, fold, contract, params), gate]
    else:
        names = ("alternatives.simpler", "alternatives.searched")
        gates = [Gate(name, REPORTED, TOO_FEW, n=len(frame)) for name in names]
    return Family("alternatives", [*gates, older(train_rows, test, contract, params)], {"settings": rows})


def _labels(contract: Contract) -> list[str]:
    return [str(label) for label in contract.labels]


def main() -> None:
    """Write reports/ce/alternatives.json."""
    contract, params = load()
    found = alternatives(pd.read_parquet(TRAIN), pd.read_parquet(TEST), contract, params)
    found.write()
    for gate in found.gates:
        print(f"  {gate.name}: {gate.said}")
