"""What is simpler, set otherwise or older is found where it is better, and stops nothing."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import yaml
from mlproduct import config as params
from mlproduct.contract import validation as contract
from mlproduct.evaluation import gates as gate
from mlproduct.experiments import journal
from mlproduct_tests.samples import PARAMS

alternatives = import_module("mlproduct.experiments.alternatives")

NUMBERS = {name: contract.Column(name, "feature", "number") for name in ("x", "z")}
DAY = {"day": contract.Column("day", "time", "datetime")}
TARGET = {"y": contract.Column("y", "target", "category", categories=("No", "Yes"))}
PLAIN = contract.Contract("classification", contract.Source("none"), NUMBERS | TARGET, "Yes")
TIMED = replace(PLAIN, columns=DAY | PLAIN.columns)


def rows(logit, n: int = 1500, seed: int = 1) -> pd.DataFrame:
    """Draw rows in which a function of x and z decides."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(0, 1, (n, 2)), columns=["x", "z"])
    chance = 1 / (1 + np.exp(-logit(frame["x"], frame["z"], np.arange(n) / n)))
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n) * 300 // n, unit="D")
    return frame.assign(day=days, y=np.where(rng.random(n) < chance, "Yes", "No"))


def looked(frame: pd.DataFrame, tuned, schema=PLAIN, **model) -> dict:
    cut = int(len(frame) * 0.8)
    chosen = tuned.replace(model=tuned.model.replace(**({"max_iter": 20} | model)))
    return {g.name: g for g in alternatives.alternatives(frame[:cut], frame[cut:], schema, chosen).gates}


def test_a_simpler_model_that_is_better_is_named_and_fails_nothing(tuned):
    straight = looked(rows(lambda x, z, _: 3 * x + 3 * z), tuned, max_iter=200, learning_rate=0.5)
    assert straight["alternatives.simpler"].verdict == gate.REPORTED
    assert straight["alternatives.simpler"].low > 0
    assert "SET=" in straight["alternatives.simpler"].next
    crossed = looked(rows(lambda x, z, _: 4 * np.sign(x * z)), tuned)
    assert crossed["alternatives.simpler"].verdict == gate.PASS
    assert crossed["alternatives.simpler"].high < 0


def test_the_simplest_kind_has_nothing_simpler_beside_it(tuned):
    found = looked(rows(lambda x, z, _: x), tuned, kind="linear")
    assert found["alternatives.simpler"].verdict == gate.PASS
    assert "no simpler kind" in found["alternatives.simpler"].said


def test_a_setting_nearby_that_is_better_is_named(tuned):
    frame = rows(lambda x, z, _: 4 * np.sign(x * z))
    poor = looked(frame, tuned, max_iter=3, learning_rate=0.05)["alternatives.searched"]
    assert poor.verdict == gate.REPORTED
    assert 'SET="model.learning_rate=0.15"' in poor.next
    assert looked(frame, tuned)["alternatives.searched"].verdict == gate.PASS


def test_every_setting_nearby_can_be_tried(tuned):
    for kind in alternatives.STEPS:
        found = list(alternatives.neighbours(tuned.model.replace(kind=kind, min_samples_leaf=1)))
        assert len({words for words, _ in found}) == len(found) >= 5
        for words, model in found:
            ((name, value),) = journal.settings(words)[0].items()
            key = name.removeprefix("model.")
            document = yaml.safe_load(PARAMS)
            document["model"][key] = value
            assert getattr(params.Params.of(document).model, key) == getattr(model, key)


def test_what_an_old_model_costs_is_measured_where_there_is_time(tuned):
    turning = looked(rows(lambda x, z, age: 4 * x * np.where(age < 0.4, -1, 1)), tuned, TIMED)
    assert turning["alternatives.older"].verdict == gate.PASS
    assert turning["alternatives.older"].low > 0.5
    assert "older by 120 days" in turning["alternatives.older"].said
    steady = looked(rows(lambda x, z, _: 4 * x), tuned, TIMED)["alternatives.older"]
    assert steady.low < 0 < steady.high
    assert looked(rows(lambda x, z, _: x), tuned)["alternatives.older"].verdict == gate.REPORTED


@pytest.mark.parametrize("schema", [PLAIN, TIMED])
def test_too_few_rows_are_said_to_be(tuned, schema):
    found = looked(rows(lambda x, z, _: x, n=40), tuned, schema)
    assert {one.verdict for one in found.values()} == {gate.REPORTED}


def test_a_model_that_knows_no_simpler_kind_is_told_so(tuned, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(alternatives, "SIMPLER", "stump")
    found = looked(rows(lambda x, z, _: x), tuned)["alternatives.simpler"]
    assert (found.verdict, "stump" in found.said) == (gate.REPORTED, True)
