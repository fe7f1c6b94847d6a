"""Verdicts are right as often as they say: simulated models with a known difference, and equals."""

import math
from dataclasses import replace

import numpy as np
import pytest
from under_test import gate, slices

pytestmark = pytest.mark.slow

DRAWS = 500


def losses(rng: np.random.Generator, n: int, difference: float) -> np.ndarray:
    """Draw differences of two models' losses, skewed as real ones are, with a known mean."""
    return rng.exponential(0.3, n) * rng.choice([-1, 1], n) + difference


@pytest.mark.parametrize(("difference", "wanted"), [(-0.05, "PASS"), (0.0, "PASS"), (0.15, "FAIL")])
def test_a_known_difference_is_judged_rightly(difference: float, wanted: str):
    rng = np.random.default_rng(1)
    found = [gate.mean_bounds(losses(rng, 1000, difference)).verdict(0.06) for _ in range(DRAWS)]
    assert found.count(wanted) >= 0.95 * DRAWS


def test_equals_on_the_threshold_are_rarely_judged():
    rng = np.random.default_rng(2)
    found = [gate.mean_bounds(losses(rng, 1000, 0.02)).verdict(0.02) for _ in range(DRAWS)]
    assert found.count("FAIL") <= 0.07 * DRAWS
    assert found.count("PASS") <= 0.07 * DRAWS
    assert found.count("INCONCLUSIVE") >= 0.88 * DRAWS


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
    wanted = gate.Bounds(0.0, found.low - found.value, found.high - found.value).rows_wanted(0.02, 200)
    decided = [gate.mean_bounds(losses(rng, wanted, 0.0)).verdict(0.02) for _ in range(200)]
    assert decided.count("PASS") > 180


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch):
    """Statsmodels collects garbage at each call: 60 ms, which 500 runs need not."""
    monkeypatch.setattr("gc.collect", lambda *_: 0)


def test_what_cannot_decide_says_how_many_rows_would():
    unsure = gate.decided("bias.parity", gate.Bounds(0.0, -0.25, 0.25), 0.125, 300, "0.1", "")
    assert (unsure.verdict, unsure.said) == (gate.INCONCLUSIVE, "0.1; about 4,800 rows would decide")
    assert gate.decided("bias.parity", gate.Bounds(0.1, 0.0, 0.2), 0.3, 300, "0.1", "").said == "0.1"


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
    told = gate.Gate("bias.parity", "REPORTED", "too few", measured=math.nan)
    gate.Family("bias", [told], {"x": np.float64("inf")}).write()
    assert gate.Family.read("bias").gates == [replace(told, measured=None)]
