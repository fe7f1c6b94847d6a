"""What decides: a figure with its bounds against a threshold, and the verdict that follows."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mlproduct.evaluation.metrics import Array, resamples

FOLDER = Path("reports/ce")
PASS, FAIL, INCONCLUSIVE, NOT_COMPARABLE, REPORTED = "PASS", "FAIL", "INCONCLUSIVE", "NOT COMPARABLE", "REPORTED"
TAIL = 0.02  # beyond each bound: at the threshold itself 96 % stay undecided, see `Bounds`
Z = 2.0537489106318225  # standard errors to such a bound
POWER = 1.6448536269514722  # and beyond it, to be decided in 95 % of all samples


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
        The figure, its bounds, and what it may reach.
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
    def alarm(self) -> bool:
        """Whether it decides nothing, and is over its threshold all the same."""
        allowed = math.inf if self.threshold is None else self.threshold
        return self.verdict == REPORTED and (self.measured or 0) > allowed

    @property
    def title(self) -> str:
        """The name with what it looked at."""
        return f"{self.name} ({self.slice})" if self.slice else self.name


@dataclass(frozen=True)
class Bounds:
    """An estimate with its bounds: the truth lies below `low` in 2 % of all samples, and above `high` in 2 %.

    So a verdict is right in more than 95 %, whatever the truth is: under or over the threshold, a wrong one is 2 %;
    on it, where neither PASS nor FAIL would be right, both together are 4 %.
    """

    value: float
    low: float
    high: float

    def verdict(self, threshold: float) -> str:
        """PASS where the upper bound is under the threshold, FAIL where the lower one is over it."""
        if math.isnan(self.value):
            return REPORTED
        return PASS if self.high <= threshold else FAIL if self.low > threshold else INCONCLUSIVE

    def rows_wanted(self, threshold: float, n: int) -> int:
        """Return the number of rows that would decide in 95 % of all samples, if the truth is what is estimated."""
        gap, error = abs(threshold - self.value), (self.high - self.low) / (2 * Z)
        return math.ceil(n * ((Z + POWER) * error / gap) ** 2) if gap > 0 else 100 * n


def decided(name: str, found: Bounds, threshold: float, n: int, said: str, advice: str, where: str = "") -> Gate:
    """Check an estimate against a threshold; where that does not decide, add how many rows would."""
    verdict = found.verdict(threshold)
    if verdict == INCONCLUSIVE:
        said += f"; about {found.rows_wanted(threshold, n):,} rows would decide"
    return Gate(name, verdict, said, advice, where, found.value, found.low, found.high, threshold, n)


def mean_bounds(values: Array, clusters: Array | None = None) -> Bounds:
    """Bound a mean; rows of one entity count as one observation (the sandwich of Liang and Zeger, 1986).

    By Student's t, and the bound on the side of a long tail further out by the first term of its skewness (Johnson,
    1978): where few rows lose much, a sample that holds none of them looks too sure.

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
    many, t = len(sums), student(len(sums) - 1)
    spread = math.sqrt(float(sums @ sums) / many)
    error = spread * many / (n * math.sqrt(many - 1))
    skewness = float(((sums / spread) ** 3).mean()) if spread > 0 else 0.0
    lean = skewness * (2 * t * t + 1) / (6 * math.sqrt(many))
    return Bounds(mean, mean - (t + max(0.0, -lean)) * error, mean + (t + max(0.0, lean)) * error)


def student(freedom: int) -> float:
    """Return the standard errors to a bound where the spread is estimated from few observations (Student, 1908)."""
    from scipy.special import stdtrit  # takes a moment, which those who read a verdict are spared

    return float(stdtrit(freedom, 1 - TAIL))


def resampled(
    n: int, statistic: Callable[[Array], float], draws: int, seed: int, clusters: Array | None = None
) -> Bounds:
    """Bound any statistic of the rows by the bootstrap of `metrics.resamples`.

    By its quantiles, and no nearer than its spread says: a few hundred draws tell a spread better than a tail.

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
    around, spread = samples - samples.mean(), student(max(1, len(samples) - 1)) * samples.std()
    low, high = min(np.quantile(around, TAIL), -spread) * shrink, max(np.quantile(around, 1 - TAIL), spread) * shrink
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
        print(f"{self.name}: " + (", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n) or "no gates"))
        for gate in self.gates:
            if gate.verdict in (FAIL, NOT_COMPARABLE) or gate.alarm:
                print(f"  {gate.verdict} {gate.title}: {gate.said}")

    @classmethod
    def read(cls, name: str) -> "Family":
        """Read what a stage wrote; a gate without a figure holds None there."""
        document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        return cls(name, [Gate(**gate) for gate in document["gates"]], document["details"])


VERDICTS = (PASS, FAIL, INCONCLUSIVE, NOT_COMPARABLE, REPORTED)
FAMILIES = ("slices", "bias", "drift", "fragility", "compare", "own")


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
