"""The team's own metrics and gates, checked: `metrics` and `gates` of extensions.py."""

import math
import numbers
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mlproduct.contract.columns import Contract
from mlproduct.errors import DataError
from mlproduct.evaluation.gates import VERDICTS, Family, Gate
from mlproduct.evaluation.metrics import Array, Compute, Score
from mlproduct.team import returned_wrong

Metrics = Callable[[Array, Array, dict[str, Array]], dict[str, float]]
OWN = "own"  # the family of the team's gates
NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Evaluated:
    """What `gates` and `report` of extensions.py look at.

    Attributes
    ----------
    rows : DataFrame of shape (n_rows, n_columns)
        The test rows, with all columns of contract.yaml.
    predictions : DataFrame of shape (n_rows, 2 or 2 + n_classes)
        `truth`, `prediction` and a column `p LABEL` for each class, under the same index.
    metrics : dict of str to Score
        The standard's and the team's: `metrics["roc_auc"].low`.
    entity : ndarray of int of shape (n_rows,)
        The entity of each row: `clusters` of `mean_bounds` and `resampled`.
    contract : Contract
    """

    rows: pd.DataFrame
    predictions: pd.DataFrame
    metrics: dict[str, Score]
    entity: Array
    contract: Contract


Gates = Callable[[Evaluated], list[Gate]]


def compute_metrics(metrics: Metrics, labels: list[str], taken: set[str]) -> Compute:
    """Return the team's metrics as a function of (truth, prediction, score) as the standard's metrics have them.

    Parameters
    ----------
    labels : list of str
        The classes, by the numbers that stand for them; empty for a regression.
    taken : set of str
        Names that the standard uses.
    """
    names = np.array(labels, dtype=object)

    def compute(truth: Array, prediction: Array, score: Array) -> dict[str, float]:
        if not labels:
            return checked_metrics(metrics(truth, prediction, {}), taken)
        by_label = dict(zip(labels, score.T, strict=True))
        return checked_metrics(metrics(names[truth], names[prediction], by_label), taken)

    return compute


def checked_metrics(found: object, taken: set[str]) -> dict[str, float]:
    """Return the metrics as floats.

    Raises
    ------
    DataError
        If the function returned something else than figures by names of their own.
    """
    expected = "a dict of metric names to numbers, such as {'cost': 1.5}"
    if not isinstance(found, dict):
        raise returned_wrong("metrics", found, expected)
    for name, value in found.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise returned_wrong("metrics", found, f"{expected}; {name!r} is not a name of a-z, 0-9 and _")
        if name in taken:
            raise DataError(f"extensions.py: metrics() returned {name!r}, which is a metric of the standard: rename it")
        if not _number(value):
            raise returned_wrong("metrics", {name: value}, expected)
    return {name: float(value) for name, value in found.items()}


def own_family(gates: Gates | None, evaluated: Evaluated) -> Family:
    """Return the team's gates as a family, each named `own.NAME`.

    Raises
    ------
    DataError
        If the function returned something else than gates, or two of one name.
    """
    found = [] if gates is None else gates(evaluated)
    if not isinstance(found, list | tuple) or not all(isinstance(gate, Gate) for gate in found):
        raise returned_wrong("gates", found, "a list of Gate, from mlproduct.extensions")
    family = Family(OWN, [replace(gate, name=f"{OWN}.{_checked(gate).name.removeprefix('own.')}") for gate in found])
    titles = [gate.title for gate in family.gates]
    if twice := sorted({title for title in titles if titles.count(title) > 1}):
        raise DataError(
            f"extensions.py: gates() returned {twice[0]} twice: give each gate a name or a slice of its own"
        )
    return family


def _checked(gate: Gate) -> Gate:
    if not isinstance(gate.name, str) or not NAME.fullmatch(gate.name.removeprefix("own.")):
        raise returned_wrong("gates", gate.name, "names of a-z, 0-9 and _")
    if gate.verdict not in VERDICTS:
        raise returned_wrong("gates", gate.verdict, f"a verdict for {gate.name!r}: {', '.join(VERDICTS)}")
    for field in ("said", "next", "slice"):
        if not isinstance(getattr(gate, field), str):
            raise returned_wrong("gates", getattr(gate, field), f"a text as `{field}` of {gate.name!r}")
    for field in ("measured", "low", "high", "threshold", "n"):
        value = getattr(gate, field)
        if value is not None and not _number(value):
            raise returned_wrong("gates", value, f"a number or None as `{field}` of {gate.name!r}")
    return gate


def _number(value: object) -> bool:
    return isinstance(value, numbers.Real | np.number) and not isinstance(value, bool | np.bool_ | complex)


def scores_of(document: dict[str, dict[str, float | None]]) -> dict[str, Score]:
    """Return what reports/metrics.json holds; a figure that could not be computed is NaN."""
    return {
        name: Score(**{key: math.nan if value is None else value for key, value in found.items()})
        for name, found in document.items()
    }
