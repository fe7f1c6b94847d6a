"""Scores agree with scikit-learn's, and their intervals hold the truth as often as they say."""

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st
from mlproduct.evaluation import metrics


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_scores_are_those_of_sklearn(seed: int, classes: int):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, 60)
    p = rng.dirichlet(np.ones(classes), 60)
    labels = [str(i) for i in range(classes)]
    found = {m.name: m.compute(truth, p.argmax(axis=1), p) for m in metrics.classification(labels, None)}
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(truth, p.argmax(axis=1)))
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(truth, p.argmax(axis=1)))
    assert found["f1_macro"] == pytest.approx(sk.f1_score(truth, p.argmax(axis=1), average="macro"))
    assert found["log_loss"] == pytest.approx(sk.log_loss(truth, p, labels=range(classes)))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0, 1, 6]))
def test_areas_are_those_of_sklearn(seed: int, digits: int):
    rng = np.random.default_rng(seed)
    hit, score = rng.random(60) < 0.3, rng.random(60).round(digits)  # with ties, or all but none
    hit[:2] = True, False
    assert metrics.area_under_roc(hit, score) == pytest.approx(sk.roc_auc_score(hit, score))
    assert metrics.mean_precision(hit, score) == pytest.approx(sk.average_precision_score(hit, score))


def test_rows_of_one_class_have_no_areas():
    nothing, score = np.zeros(5, dtype=bool), np.linspace(0, 1, 5)
    assert np.isnan([metrics.area_under_roc(nothing, score), metrics.mean_precision(nothing, score)]).all()


def test_intervals_hold_the_truth(tuned):
    rng = np.random.default_rng(3)
    accuracy = [metrics.Metric("accuracy", lambda y, hat, _: float(np.mean(y == hat)))]
    covered = 0
    for _ in range(200):
        truth = np.zeros(200, dtype=int)
        hat = (rng.random(200) > 0.8).astype(int)
        scores = metrics.score(accuracy, truth, (hat, hat), (hat, hat), tuned.evaluate.replace(bootstrap=200))
        covered += scores["accuracy"].low <= 0.8 <= scores["accuracy"].high
    assert 180 <= covered <= 199  # 95 % of 200, four standard errors around


def test_a_large_test_set_has_a_narrow_interval(tuned):
    rng = np.random.default_rng(3)
    accuracy = [metrics.Metric("accuracy", lambda y, hat, _: float(np.mean(y == hat)))]
    hat = (rng.random(80_000) > 0.8).astype(int)
    truth = np.zeros(80_000, dtype=int)
    found = metrics.score(accuracy, truth, (hat, hat), (hat, hat), tuned.evaluate.replace(bootstrap=200))["accuracy"]
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(0.16 / 80_000), rel=0.3)
