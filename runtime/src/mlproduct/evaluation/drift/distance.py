"""How far apart two tables are, column by column, and how far is usual inside the reference."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon

from mlproduct.config import Drift
from mlproduct.contract.columns import Contract
from mlproduct.evaluation.gates import FAIL, PASS, Gate
from mlproduct.evaluation.metrics import Array

POINTS = 256  # quantiles at which two distributions are compared
BINS = 20  # of PSI and Jensen-Shannon, each with as many rows of the reference
FEWEST = 30  # rows of a window: with fewer, its distribution is noise
LARGEST = 200_000  # rows of a window or of the reference behind a distribution; more change no verdict
NEXT = "did the world change, or how the column is measured? Retrain on newer rows, fix the source, or leave it out"


@dataclass(frozen=True)
class Effect:
    """How far apart two samples of a column are.

    Attributes
    ----------
    distance : float
        Numbers: Wasserstein distance in standard deviations of the reference. Categories: Jensen-Shannon distance
        with base 2, from 0 to 1. Nulls are one more category; of numbers, the difference of their shares is added.
    psi : float
        Population stability index over bins of the reference, for those who are used to it.
    usual : float
        The largest distance between a window of the reference and the rest of it.
    """

    column: str
    kind: str
    distance: float
    psi: float
    usual: float
    threshold: float

    @property
    def has_drifted(self) -> bool:
        """Whether the distance is over what is usual."""
        return self.distance > self.threshold


def effect(name: str, reference: pd.Series, new: pd.Series, windows: list[Array], params: Drift) -> Effect:
    """Compare a column in two samples, and say what differences are usual inside the reference.

    Parameters
    ----------
    windows : list of ndarray of int
        Places of the rows of each window of the reference.
    """
    numeric = pd.api.types.is_numeric_dtype(reference) or pd.api.types.is_datetime64_any_dtype(reference)
    distance, psi, usual = (_numbers if numeric else _labels)(reference, new, windows)
    threshold = max(params.floor, params.factor * usual, _noise(reference, new, numeric))
    return Effect(name, "number" if numeric else "category", distance, psi, usual, threshold)


def _noise(reference: pd.Series, new: pd.Series, numeric: bool) -> float:
    """Return the distance that samples of this size hardly ever have by chance: small files differ without any drift.

    Of numbers, four standard errors of a difference of means: hundreds of looks (columns times months) stay silent.
    """
    n = max(1, min(len(new), len(reference)))
    if numeric:
        return 4 * float(np.sqrt(1 / n + 1 / max(n, len(new), len(reference))))
    return float(np.sqrt(min(reference.nunique(dropna=False), n) / n) * 0.85 + 1.5 / np.sqrt(n))


def _numbers(reference: pd.Series, new: pd.Series, windows: list[Array]) -> tuple[float, float, float]:
    old, now = (_floats(values) for values in (reference, new))
    present = old[~np.isnan(old)]
    spread = float(present.std()) if len(present) else 0.0
    levels = (np.arange(POINTS) + 0.5) / POINTS
    whole, later = (_quantiles(part, levels) for part in (old, now))
    edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1])) if len(present) else np.array([])
    inside = [_quantiles(old[rows], levels) for rows in windows]
    usual = max(
        (
            _between(whole, part, spread) * _rest(len(old), len(rows)) + abs(_nulls(old) - _nulls(old[rows]))
            for part, rows in zip(inside, windows, strict=True)
        ),
        default=0.0,
    )
    distance = _between(whole, later, spread) + abs(_nulls(old) - _nulls(now))
    return distance, _psi(_binned(old, edges), _binned(now, edges)), usual


def _rest(n: int, inside: int) -> float:
    """Return the factor by which a window differs more from the rest than from the whole that holds it."""
    return n / max(1, n - inside)


def _floats(values: pd.Series) -> Array:
    if pd.api.types.is_datetime64_any_dtype(values):
        return ((values - pd.Timestamp(0)) / pd.Timedelta(days=1)).to_numpy("float64")
    return values.to_numpy("float64")


def _quantiles(values: Array, levels: Array) -> Array | None:
    present = values[~np.isnan(values)]
    return np.quantile(present, levels) if len(present) else None


def _between(one: Array | None, other: Array | None, spread: float) -> float:
    if one is None or other is None:
        return 0.0  # nulls alone: their share says it
    apart = float(np.abs(one - other).mean())
    return apart / spread if spread > 0 else float(apart > 0)


def _nulls(values: Array) -> float:
    return float(np.isnan(values).mean()) if len(values) else 0.0


def _binned(values: Array, edges: Array) -> Array:
    present = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, present, side="right"), minlength=len(edges) + 1)
    return np.append(counts, len(values) - len(present))


def _labels(reference: pd.Series, new: pd.Series, windows: list[Array]) -> tuple[float, float, float]:
    names = pd.unique(pd.concat([reference, new]).astype("object").fillna("\0none"))
    place = pd.Index(names)
    codes = [place.get_indexer(values.astype("object").fillna("\0none")) for values in (reference, new)]
    counts = [np.bincount(found, minlength=len(names)) for found in codes]
    inside = [np.bincount(codes[0][rows], minlength=len(names)) for rows in windows]
    usual = max((_apart(counts[0] - part, part) for part in inside), default=0.0)
    return _apart(*counts), _psi(*counts), usual


def _apart(one: Array, other: Array) -> float:
    """Return the Jensen-Shannon distance of two counts, base 2; 0 where one of them counts nothing."""
    return float(jensenshannon(one, other, base=2)) if one.sum() and other.sum() else 0.0


def _psi(one: Array, other: Array) -> float:
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (one, other))
    return float(((p - q) * np.log(p / q)).sum())


def parts_of(frame: pd.DataFrame, contract: Contract, params: Drift, size: int = 1) -> list[Array]:
    """Divide rows into windows: by time where there is a time column, else in the order of the rows.

    Parameters
    ----------
    size : int
        Rows of what the windows are to be compared with: those of a month differ less than those of a day, and so a
        window is about as large, and there are at least three.
    """
    order = np.argsort(frame[contract.time].to_numpy(), kind="stable") if contract.time else np.arange(len(frame))
    many = min(params.windows, len(frame) // FEWEST, max(3, len(frame) // size))
    return np.array_split(order, many) if many >= 2 else []


def drift(
    reference: pd.DataFrame, new: pd.DataFrame, columns: list[str], contract: Contract, params: Drift
) -> list[Effect]:
    """Compare each column of two frames.

    Parameters
    ----------
    reference, new : DataFrame of n_rows and m_rows
        As prepared; each holds the columns.
    """
    reference, new = (frame.iloc[:: max(1, len(frame) // LARGEST)] for frame in (reference, new))
    windows = parts_of(reference, contract, params, len(new))
    kinds = {name: contract.columns[name].type if name in contract.columns else "number" for name in columns}
    looked = [(name, _lengths(reference[name], kinds[name]), _lengths(new[name], kinds[name])) for name in columns]
    return [effect(name, old, now, windows, params) for name, old, now in looked]


def _lengths(values: pd.Series, kind: str) -> pd.Series:
    """Return what is compared of a column: of a free text, its number of words."""
    return values.str.count(r"\w+").astype("float64") if kind == "text" else values


def gates(effects: list[Effect], n: int) -> list[Gate]:
    """Turn effects into gates, one a column."""
    return [
        Gate(
            "drift.column",
            FAIL if e.has_drifted else PASS,
            f"{e.distance:.3f} {'standard deviations' if e.kind == 'number' else 'Jensen-Shannon'} from the reference, "
            f"usual {e.usual:.3f}, allowed {e.threshold:.3f} ({n} rows; PSI {e.psi:.2f})",
            NEXT,
            e.column,
            e.distance,
            None,
            None,
            e.threshold,
            n,
        )
        for e in effects
    ]
