"""`make ab`: challenger against control on outcomes that came back, by the statistics of the gate."""

import math
from pathlib import Path

import pandas as pd
from scipy.stats import binomtest

from mlproduct.config import CHALLENGER, CONTROL, SHADOW, Params, Rollout, load
from mlproduct.evaluation.gates import FAIL, NOT_COMPARABLE, REPORTED, Bounds, Family, Gate, decided, mean_bounds
from mlproduct.monitoring.labels import bounds, read_log

FEWEST = 30  # outcomes of each variant: with fewer, nothing can be said
MISMATCH = 0.001  # probability under which the shares are no accident
NEXT = {
    "ab.loss": "FAIL: set rollout.mode to alone, or make a better challenger; PASS: release it",
    "ab.value": "FAIL: the challenger earns less, whatever its loss says; PASS: it does not",
    "ab.share": "find out why callers of one variant are missing: the difference may be theirs and not the model's",
}


def compared(found: pd.DataFrame, params: Params) -> list[Gate]:
    """Hold challenger against control.

    Parameters
    ----------
    found : DataFrame
        As `labels.joined` gives it.
    """
    labelled = found[found["loss"].notna()]
    counts = labelled["variant"].value_counts()
    if min(counts.get(CONTROL, 0), counts.get(CHALLENGER, 0)) < FEWEST:
        message = ", ".join(f"{name} has {counts.get(name, 0)} outcomes" for name in (CONTROL, CHALLENGER))
        return [Gate("ab.loss", REPORTED, f"{message}: at least {FEWEST} of each are needed", NEXT["ab.loss"])]
    apart = _paired if params.rollout.mode == SHADOW else _apart
    gates = [] if params.rollout.mode == SHADOW else [shared(found, params.rollout)]
    threshold = params.objectives.variant_worse
    gates.append(_told("ab.loss", apart(labelled, "loss", 1), threshold, len(labelled), "more lost by the challenger"))
    valued = labelled[labelled["value"].notna()]
    if params.rollout.mode != SHADOW and valued["variant"].nunique() == 2:  # what the shadow said moved nothing
        gates.append(_told("ab.value", apart(valued, "value", -1), 0.0, len(valued), "less earned by the challenger"))
    return gates


def _told(name: str, found: Bounds, threshold: float, n: int, what: str) -> Gate:
    message = f"{found.value:+.4g} [{found.low:+.4g}, {found.high:+.4g}] {what} on {n} outcomes, allowed {threshold:g}"
    return decided(name, found, threshold, n, message, NEXT[name])


def _apart(rows: pd.DataFrame, column: str, sign: int) -> Bounds:
    """Bound the difference of the means of two groups of callers (Welch, 1947)."""
    one, other = (bounds(rows[rows["variant"] == name], column) for name in (CHALLENGER, CONTROL))
    value = sign * (one.value - other.value)
    half = math.hypot(one.high - one.value, other.high - other.value)
    return Bounds(value, value - half, value + half)


def _paired(rows: pd.DataFrame, column: str, sign: int) -> Bounds:
    """Bound the mean difference on the same requests, each answered by both."""
    pairs = rows.pivot_table(index="shown", columns="variant", values=column).dropna()
    return mean_bounds((sign * (pairs[CHALLENGER] - pairs[CONTROL])).to_numpy())


def shared(found: pd.DataFrame, rollout: Rollout) -> Gate:
    """Check that each variant has met its share of the units (sample ratio mismatch; Fabijan et al., 2019)."""
    units = found.assign(unit=found["unit"].fillna(found["prediction_id"])).drop_duplicates(["unit", "variant"])
    met, n = int((units["variant"] == CHALLENGER).sum()), len(units)
    p = float(binomtest(met, n, rollout.share).pvalue)
    message = f"{met / n:.1%} of {n} units met the challenger, planned {rollout.share:.1%}"
    verdict = NOT_COMPARABLE if p < MISMATCH else "PASS"
    return Gate("ab.share", verdict, message, NEXT["ab.share"], n=n)


def main(folder: Path) -> int:
    """Compare the variants of a log; return 1 where the challenger is worse."""
    found, _ = read_log(folder)
    family = Family("ab", compared(found[~found["replaced"]], load()[1]))
    family.write()
    for gate in family.gates:
        print(f"  {gate.verdict} {gate.name}: {gate.said}")
    return int(any(gate.verdict in (FAIL, NOT_COMPARABLE) for gate in family.gates))
