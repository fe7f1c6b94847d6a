"""What decides: a figure with its bounds against a threshold, and the verdict that follows."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..metrics import Array, resamples

FOLDER = Path("reports/ce")
PASS, FAIL, INCONCLUSIVE, NOT_COMPARABLE, REPORTED = "PASS", "FAIL", "INCONCLUSIVE", "NOT COMPARABLE", "REPORTED"
Z = 1.6448536269514722  # of a one-sided bound of 95 %


@dataclass(frozen=True)
class Gate:
    """One decision of the evaluation.

    Attributes
    ----------
    name : str
        Family and rule: `bias.parity`; a waiver names it.
    slice : str
        What it looked at: `sex`, `carrier=B6`, a column; empty where it is the whole.
    verdict : str
        PASS, FAIL, INCONCLUSIVE, NOT COMPARABLE, or REPORTED: shown, and too small or not meant to decide.
    measured, low, high, threshold : float or None
        The figure, its one-sided 95 % bounds, and what it may reach.
    n : int
        Rows behind it.
    said, next : str
        What was measured in words, and what to do when it fails.
    """

    name: str
    verdict: str
    said: str
    next: str = ""
    slice: str = ""
    measured: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    n: int = 0

    @property
    def title(self) -> str:
        """The name with what it looked at."""
        return f"{self.name} ({self.slice})" if self.slice else self.name


@dataclass(frozen=True)
class Bounds:
    """An estimate with its one-sided 95 % bounds: 5 % lie below `low`, and 5 % above `high`."""

    value: float
    low: float
    high: float

    def verdict(self, threshold: float) -> str:
        """PASS where the upper bound is under the threshold, FAIL where the lower one is over it."""
        if math.isnan(self.value):
            return REPORTED
        return PASS if self.high <= threshold else FAIL if self.low > threshold else INCONCLUSIVE

    def rows_wanted(self, threshold: float, n: int) -> int:
        """Give the number of rows that would decide in 95 % of all samples, if the truth is what is estimated."""
        gap = abs(threshold - self.value)
        return math.ceil(n * ((self.high - self.low) / gap) ** 2) if gap > 0 else 100 * n


def decided(name: str, found: Bounds, threshold: float, n: int, said: str, mend: str, where: str = "") -> Gate:
    """Hold an estimate against a threshold; where that does not decide, say how many rows would."""
    verdict = found.verdict(threshold)
    if verdict == INCONCLUSIVE:
        said += f"; about {found.rows_wanted(threshold, n):,} rows would decide"
    return Gate(name, verdict, said, mend, where, found.value, found.low, found.high, threshold, n)


def mean_bounds(values: Array, clusters: Array | None = None) -> Bounds:
    """Bound a mean; rows of one entity count as one observation (the sandwich of Liang and Zeger, 1986).

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
    clusters : ndarray of int of shape (n_rows,), optional
        The entity of each row, from 0.
    """
    n = len(values)
    if not n:
        return Bounds(math.nan, math.nan, math.nan)
    mean = float(values.mean())
    sums = values - mean if clusters is None else np.bincount(clusters, values - mean)
    sums = sums if clusters is None else sums[np.bincount(clusters) > 0]
    if len(sums) < 2:
        return Bounds(mean, -math.inf, math.inf)
    error = math.sqrt(float(sums @ sums) * len(sums) / (len(sums) - 1)) / n
    return Bounds(mean, mean - Z * error, mean + Z * error)


def resampled(
    n: int, statistic: Callable[[Array], float], draws: int, seed: int, clusters: Array | None = None
) -> Bounds:
    """Bound any statistic of the rows by the bootstrap of `metrics.resamples`.

    Parameters
    ----------
    statistic : callable
        Takes the rows of a resample, an array of their places, and gives a figure.
    """
    value = statistic(np.arange(n))
    chosen, shrink = resamples(n, draws, seed, clusters)
    samples = np.array([statistic(rows) for rows in chosen])
    samples = samples[np.isfinite(samples)]
    if not len(samples) or math.isnan(value):
        return Bounds(value, math.nan, math.nan)
    low, high = np.quantile(samples - samples.mean(), [0.05, 0.95]) * shrink
    return Bounds(value, float(value + low), float(value + high))


@dataclass(frozen=True)
class Family:
    """What one stage of the evaluation found: its gates, and the figures behind them."""

    name: str
    gates: list[Gate]
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return FOLDER / f"{self.name}.json"

    def write(self) -> None:
        """Write reports/ce/NAME.json and say what failed."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        document = {"family": self.name, "gates": [asdict(gate) for gate in self.gates], "details": self.details}
        text = json.dumps(plain(document), indent=1, ensure_ascii=False)
        self.path.write_text(text + "\n", encoding="utf-8")
        counts = {verdict: sum(gate.verdict == verdict for gate in self.gates) for verdict in VERDICTS}
        print(f"{self.name}: " + (", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n) or "no gate"))
        for gate in self.gates:
            if gate.verdict in (FAIL, NOT_COMPARABLE):
                print(f"  {gate.verdict} {gate.title}: {gate.said}")

    @classmethod
    def read(cls, name: str) -> "Family":
        """Read what a stage wrote; a gate without a figure holds None there."""
        document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        return cls(name, [Gate(**gate) for gate in document["gates"]], document["details"])


VERDICTS = (PASS, FAIL, INCONCLUSIVE, NOT_COMPARABLE, REPORTED)
FAMILIES = ("slices", "bias", "drift", "fragility", "compare")


def plain(value: Any) -> Any:
    """Turn a value into what JSON can hold: rounded to six digits, no NaN, no numpy."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value if value is None or isinstance(value, str) else str(value)
