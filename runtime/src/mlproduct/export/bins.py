"""The bins in which the service counts features and scores, with the reference's shares: drift in production by PSI.

Written into models/serving/reference.json at export; serving/ counts, Prometheus divides and adds up over replicas.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlproduct.artifacts import ALWAYS, OTHER
from mlproduct.config import Drift
from mlproduct.contract.columns import NUMERIC, Contract
from mlproduct.evaluation.drift.distance import parts_of

Array = npt.NDArray[Any]
BINS = 10  # of a number, each with as many rows of the reference
MOST_LABELS = 20  # categories with a bin of their own; the others share one
PRESENT = "any"  # the one bin of what is only counted
FEWEST = 500  # rows of a window; the rules of Prometheus look at no fewer records
EPSILON = 1e-4  # share that an empty bin is taken to have, here and in deploy/prometheus/rules.yaml
FLOOR = 0.05  # PSI that is no drift, whatever is usual: 500 rows in ten bins differ by 0.034 in one case of twenty


def reference(train: pd.DataFrame, scores: Array, contract: Contract, params: Drift) -> dict[str, Any]:
    """Describe the reference.

    Parameters
    ----------
    train : DataFrame of shape (n_rows, n_columns)
        As prepared.
    scores : ndarray of shape (n_rows,)
        Of the model, as `drift.scored` gives them.

    Returns
    -------
    dict
        `features`: for each its bins with their shares, edges or labels, and `limit`, the PSI above which it has
        drifted (None for texts and dates, which are counted as null or not alone). `score`: the same.
    """
    windows = parts_of(train, contract, params, FEWEST)
    found = {}
    for name in contract.features:
        values, column = train[name], contract.columns[name]
        if column.type == "boolean":
            values = values.map({float(i): label for i, label in enumerate(column.labels)})
        found[name] = _described(values, column.type, windows, params)
    return {"features": found, "score": _described(pd.Series(scores), "number", windows, params)}


def _described(values: pd.Series, kind: str, windows: list[Array], params: Drift) -> dict[str, Any]:
    how: dict[str, Any]
    if kind in NUMERIC:
        edges = (
            [float(x) for x in np.unique(np.nanquantile(values, np.arange(1, BINS) / BINS))]
            if values.notna().any()
            else []
        )
        bins = [f"{i:02}" for i in range(len(edges) + 1)]
        how = {"edges": edges}
        places = np.searchsorted(edges, values.to_numpy("float64"), side="right")
    elif kind in ("category", "boolean"):
        own = [str(label) for label in values.value_counts().index if label not in (OTHER, *ALWAYS)]
        labels = own[:MOST_LABELS]
        bins, how = [*labels, OTHER], {"labels": labels}
        places = pd.Index(labels).get_indexer(values.astype(str))
        places = np.where(places < 0, len(labels), places)
    else:
        bins, how, places = [PRESENT], {}, np.zeros(len(values), dtype=int)
    bins = [*bins, *ALWAYS]
    places = np.where(values.isna(), bins.index("null"), places)
    counts = [np.bincount(part, minlength=len(bins)) for part in (places, *(places[rows] for rows in windows))]
    usual = max((psi(counts[0] - part, part) for part in counts[1:]), default=0.0)
    limit = max(FLOOR, params.factor * usual) if how else None
    shares = counts[0] / max(1, len(values))
    return how | {"bins": dict(zip(bins, shares.tolist(), strict=True)), "limit": limit}


def psi(one: Array, other: Array) -> float:
    """Return the population stability index of two counts over the same bins, an empty bin taken as `EPSILON`."""
    p, q = (np.maximum(counts / max(1, counts.sum()), EPSILON) for counts in (one, other))
    return float(((p - q) * np.log(p / q)).sum())
