"""Verdicts are right as often as they say: simulated models with a known difference, and equals."""

import math
from dataclasses import replace

import numpy as np
import pytest
from mlproduct.evaluation import gates as gate
from mlproduct.evaluation import metrics, slices

pytestmark = pytest.mark.slow

DRAWS, MANY = 500, 2000


def losses(rng: np.random.Generator, n, difference: float) -> np.ndarray:
    """Draw differences of two models' losses, skewed as real ones are, with a known mean."""
    return rng.exponential(0.3, n) * rng.choice([-1, 1], n) + difference


SHAPES = {  # of the differences of the losses, with mean 0: how they are spread decides how good bounds are
    "even": lambda rng, size: losses(rng, size, 0.0),
    "one-sided": lambda rng, size: rng.exponential(1.0, size) - 1,
    "hit or miss": lambda rng, size: rng.choice([-1.0, 0.0, 1.0], size, p=[0.05, 0.9, 0.05]),
}
CLEAR = 4.5  # standard errors from the threshold


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("away", "right"), [(-CLEAR, "PASS"), (0.0, "INCONCLUSIVE"), (CLEAR, "FAIL")])
@pytest.mark.parametrize("n", [200, 1000])
def test_a_verdict_is_right_in_95_of_100(n: int, away: float, right: str, shape: str):
    """Clearly under the threshold PASS is right, clearly over it FAIL, and on it neither: there it cannot be told."""
    drawn = SHAPES[shape](np.random.default_rng(1), (MANY, n))
    threshold = -away * drawn.std() / math.sqrt(n)
    found = [gate.mean_bounds(values).verdict(threshold) for values in drawn]
    assert found.count(right) >= 0.95 * MANY


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("away", "wrong"), [(-2.0, "FAIL"), (-0.5, "FAIL"), (0.5, "PASS"), (2.0, "PASS")])
def test_between_clear_and_equal_a_wrong_verdict_is_rare(away: float, wrong: str, shape: str):
    drawn = SHAPES[shape](np.random.default_rng(2), (MANY, 300))
    threshold = -away * drawn.std() / math.sqrt(300)
    found = [gate.mean_bounds(values).verdict(threshold) for values in drawn]
    assert found.count(wrong) <= 0.05 * MANY


def test_a_bound_is_further_out_on_the_side_of_a_long_tail():
    values = np.random.default_rng(3).exponential(1.0, 200)
    found, turned = gate.mean_bounds(values), gate.mean_bounds(-values)
    assert found.high - found.value > found.value - found.low
    assert (turned.low, turned.high) == (-found.high, -found.low)


def test_the_headline_metric_is_judged_as_rightly():
    """Two equally good models, whose areas under ROC differ by chance alone: neither PASS nor FAIL at a margin of 0."""
    rng, found = np.random.default_rng(9), []
    for _ in range(DRAWS):
        hit = rng.random(200) < 0.4
        one, other = (hit + rng.normal(0, 1, 200) for _ in range(2))

        def growth(rows, hit=hit, one=one, other=other):
            return metrics.area_under_roc(hit[rows], one[rows]) - metrics.area_under_roc(hit[rows], other[rows])

        found.append(gate.resampled(200, growth, 300, 1).verdict(0.0))
    assert found.count("INCONCLUSIVE") >= 0.95 * DRAWS


def test_two_equal_models_do_not_fail():
    rng = np.random.default_rng(3)
    found = [gate.mean_bounds(losses(rng, 300, 0.0)).verdict(0.0) for _ in range(DRAWS)]  # the hardest margin there is
    assert found.count("FAIL") <= 0.06 * DRAWS


def test_rows_of_one_entity_count_once():
    rng = np.random.default_rng(4)
    each, naive, found = rng.normal(0, 1, (DRAWS, 100)), 0, 0
    entity = np.repeat(np.arange(100), 20)
    for draw in each:
        values = np.repeat(draw, 20)
        naive += gate.mean_bounds(values).verdict(0.0) == "FAIL"
        found += gate.mean_bounds(values, entity).verdict(0.0) == "FAIL"
    assert found <= 0.08 * DRAWS
    assert naive > 0.2 * DRAWS  # what would be said if rows were taken for observations


def test_the_bootstrap_agrees_with_the_formula():
    values = np.random.default_rng(5).exponential(1.0, 2000)
    entity = np.repeat(np.arange(500), 4)
    for clusters in (None, entity):
        formula = gate.mean_bounds(values, clusters)
        drawn = gate.resampled(2000, lambda rows: float(values[rows].mean()), 400, 1, clusters)
        assert drawn.value == formula.value
        assert drawn.high - drawn.low == pytest.approx(formula.high - formula.low, rel=0.15)


def test_the_rows_that_would_decide_do_decide():
    rng = np.random.default_rng(6)
    found = gate.mean_bounds(losses(rng, 200, 0.0))
    assert found.verdict(0.02) == "INCONCLUSIVE"
    n = gate.Bounds(0.0, found.low - found.value, found.high - found.value).rows_wanted(0.02, 200)
    decided = [gate.mean_bounds(losses(rng, n, 0.0)).verdict(0.02) for _ in range(200)]
    assert decided.count("PASS") > 180


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch):
    """Statsmodels collects garbage at each call: 60 ms, which 500 runs need not."""
    monkeypatch.setattr("gc.collect", lambda *_: 0)


def test_what_cannot_decide_says_how_many_rows_would():
    unsure = gate.decided("bias.parity", gate.Bounds(0.0, -0.25, 0.25), 0.125, 300, "0.1", "")
    assert (unsure.verdict, unsure.said) == (gate.INCONCLUSIVE, "0.1; about 3,892 rows would decide")
    assert gate.decided("bias.parity", gate.Bounds(0.1, 0.0, 0.2), 0.3, 300, "0.1", "").said == "0.1"


def test_adjusted_p_values_are_those_of_r():
    assert slices.adjusted([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])  # p.adjust(p, "holm")
    assert slices.adjusted([0.5, 0.001, 0.6, 0.02]) == pytest.approx([1.0, 0.004, 1.0, 0.06])
    assert slices.adjusted([]) == []


def test_twenty_slices_without_a_weakness_raise_no_alarm(quick):
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(DRAWS):
        tests = [(gate.mean_bounds(rng.normal(0, 1, 250)), 0.0) for _ in range(20)]
        alarms += min(slices.holm(tests)) < 0.05
    assert alarms <= 0.06 * DRAWS


def test_one_weak_slice_among_twenty_is_found(quick):
    rng = np.random.default_rng(8)
    found = 0
    for _ in range(100):
        tests = [(gate.mean_bounds(rng.normal(0.4 * (i == 7), 1, 250)), 0.0) for i in range(20)]
        adjusted = slices.holm(tests)
        found += adjusted[7] < 0.05 and adjusted[7] == min(adjusted)
    assert found >= 95


def test_a_gate_without_a_figure_decides_nothing(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert gate.Bounds(math.nan, math.nan, math.nan).verdict(0.1) == "REPORTED"
    reported = gate.Gate("bias.parity", "REPORTED", "too few", measured=math.nan)
    gate.Family("bias", [reported], {"x": np.float64("inf")}).write()
    assert gate.Family.read("bias").gates == [replace(reported, measured=None)]
