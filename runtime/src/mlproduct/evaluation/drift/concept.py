"""Does the target follow from the features as it did? By the loss on rows that no model has learnt, before and after.

The loss on train rows is no measure of before: the model has learnt them. So models are trained on parts of the train
rows and asked about the rest, and the same models are asked about the test rows: in a stable world both lose alike.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlproduct.config import Drift, Params
from mlproduct.contract.columns import Contract
from mlproduct.data.prepare import clusters
from mlproduct.evaluation.gates import FAIL, PASS, Gate, Z, mean_bounds
from mlproduct.evaluation.metrics import Array, losses
from mlproduct.evaluation.predictions import predicted

FOLDS = 5
LARGEST = 20_000  # rows before, and after, behind the models and their losses
FEWEST = 30  # rows of a second class in each training
SURE = 4  # standard errors of chance: hundreds of looks (windows times trainings) stay silent
NEXT = "retrain on newer rows; if that does not help, a cause is missing among the features"


@dataclass(frozen=True)
class Asked:
    """Rows, what models said of them that had not learnt them, and what each row loses.

    Attributes
    ----------
    frame, predictions : DataFrame of n_rows
    loss : ndarray of shape (n_rows,)
        In units of what guessing loses on the rows of before.
    entity : ndarray of int of shape (n_rows,)
    """

    frame: pd.DataFrame
    predictions: pd.DataFrame
    loss: Array
    entity: Array


def asked(
    before: pd.DataFrame, predictions: list[pd.DataFrame], after: pd.DataFrame, contract: Contract
) -> list[Asked]:
    """Put losses of before and after into one unit: a rare class alone would make another one of guessing."""
    labels, frames = [str(label) for label in contract.labels], [before, after]
    cut = len(before)
    loss = losses(pd.concat(predictions), labels, of=predictions[0])
    parts = (loss[:cut], loss[cut:])
    return [
        Asked(frame, answers, part, clusters(frame, contract))
        for frame, answers, part in zip(frames, predictions, parts, strict=True)
    ]


def folds(frame: pd.DataFrame, contract: Contract, seed: int) -> Array:
    """Draw a fold for each row; rows of one entity, or else of one day, share it, as they resemble each other."""
    groups = clusters(frame, contract)
    if contract.time is not None and groups.max() + 1 == len(frame):
        times = frame[contract.time]
        days = times.dt.floor("D") if pd.api.types.is_datetime64_any_dtype(times) else times
        places = pd.factorize(days, use_na_sentinel=False)[0]
        groups = places if places.max() + 1 >= 4 * FOLDS else groups
    lots = np.random.default_rng(seed).permutation(groups.max() + 1)
    return lots[groups] % FOLDS


def trained(frame: pd.DataFrame, fold: Array, contract: Contract, params: Params) -> list[Any]:
    """Train a model on the rows of all folds but one, for each of them; none where there are too few to train on."""
    from mlproduct.training.train import train  # takes a second, which those who read a gate are spared

    parts = [frame[fold != k] for k in range(FOLDS)]
    if not all(len(part) < len(frame) and enough(part, contract) for part in parts):
        return []
    return [train(part, contract, params) for part in parts]


def left_out(models: list[Any], frame: pd.DataFrame, fold: Array, contract: Contract) -> pd.DataFrame:
    """Predict the rows of each fold by the model that stands for it."""
    parts = [(model, frame[fold == k]) for k, model in enumerate(models)]
    predictions = [predicted(model, rows, contract) for model, rows in parts if len(rows)]
    return pd.concat(predictions).loc[frame.index]


def unseen(before: pd.DataFrame, after: pd.DataFrame, contract: Contract, params: Params) -> list[Asked]:
    """Predict rows of before and after by models that have not learnt them; none where there are too few to train on.

    Each row of before is left to the model of the other folds, each row of after to one of these models by lot: what
    they lose differs by the world alone, and not by how much a model has learnt.
    """
    before, after = (thinned(frame) for frame in (before, after))
    fold = folds(before, contract, params.evaluate.seed)
    lot = np.random.default_rng(params.evaluate.seed).permutation(len(after)) % FOLDS
    models = trained(before, fold, contract, params)
    if not models:
        return []
    predictions = [left_out(models, frame, place, contract) for frame, place in ((before, fold), (after, lot))]
    return asked(before, predictions, after, contract)


def thinned(frame: pd.DataFrame) -> pd.DataFrame:
    """Return every second, third ... row of a large table."""
    return frame.iloc[:: -(-len(frame) // LARGEST)]


def enough(rows: pd.DataFrame, contract: Contract) -> bool:
    """Return whether a model can be trained on these rows whose losses say something."""
    if not contract.labels:
        return len(rows) >= 2 * FEWEST
    counts = rows[contract.target].value_counts()
    return len(counts) > 1 and bool(counts.iloc[1] >= FEWEST)


def grown(before: Asked, windows: list[Array], after: Asked, rows: Array, params: Drift, where: str = "") -> Gate:
    """Gate how much more some rows of after lose than those of before did.

    Against what is allowed, what is usual between windows of before, and what chance shows on so few rows.

    Parameters
    ----------
    windows : list of ndarray of int
        Places of rows of before, about as many in each as there are `rows`.
    rows : ndarray of int
        Places of rows of after.
    """
    old, new = mean_bounds(before.loss, before.entity), mean_bounds(after.loss[rows], after.entity[rows])
    total, n = float(before.loss.sum()), len(before.loss)
    usual = max((_growth(before.loss[window], total, n) for window in windows), default=0.0)
    chance = SURE * math.hypot(*((found.high - found.low) / (2 * Z) for found in (old, new)))
    growth, allowed = new.value - old.value, max(params.concept, params.factor * usual, chance)
    message = f"loses {growth:+.3f} more than before, usual {usual:+.3f}, allowed {allowed:.3f} ({len(rows)} rows)"
    verdict = FAIL if growth > allowed else PASS
    return Gate("drift.concept", verdict, message, NEXT, where, growth, None, None, allowed, len(rows))


def _growth(part: Array, total: float, n: int) -> float:
    """Return how much more a window loses than the rest."""
    return float(part.mean() - (total - part.sum()) / max(1, n - len(part)))
