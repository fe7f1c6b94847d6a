"""Why this answer: what each feature adds to it, by Shapley values over a sample of the reference.

Permutations of the features are drawn, each with a row of the reference; the record's values replace that row's one
after the other, and what the score moves at each step is that feature's share (Strumbelj and Kononenko, 2014). The
shares add up to the score minus the mean score of the reference rows drawn, exactly.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Record = dict[str, Any]


def attributions(
    record: Record,
    background: list[Record],
    score: Callable[[list[Record]], npt.NDArray[np.float64]],
    draws: int,
    seed: int = 1,
) -> tuple[dict[str, float], float, float]:
    """Share out the score of a record among its features.

    Parameters
    ----------
    background : list of dict
        Rows of the reference.
    score : function
        From records to an array of shape (n_records,).
    draws : int
        Permutations; the standard error of a share falls with its square root.

    Returns
    -------
    shares : dict of str to float
        Of each feature, in units of the score.
    base : float
        Mean score of the reference rows that were drawn.
    error : float
        The largest standard error of a share.
    """
    rng, names = np.random.default_rng(seed), list(record)
    orders = [rng.permutation(len(names)) for _ in range(draws)]
    rows: list[Record] = []
    for at, order in zip(rng.integers(0, len(background), draws), orders, strict=True):
        mixed = dict(background[at])
        rows.append(dict(mixed))
        for place in order:
            mixed[names[place]] = record[names[place]]
            rows.append(dict(mixed))
    scores = score(rows).reshape(draws, len(names) + 1)
    steps, found = np.diff(scores, axis=1), np.empty((draws, len(names)))
    for draw, order in enumerate(orders):
        found[draw, order] = steps[draw]
    error = found.std(axis=0, ddof=1).max() / np.sqrt(draws) if draws > 1 else 0.0
    return dict(zip(names, found.mean(axis=0).tolist(), strict=True)), float(scores[:, 0].mean()), float(error)
