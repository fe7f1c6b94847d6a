"""The split: newest rows last, no row and no entity on both sides."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from under_test import contract, params, prepare

HALF = params.Prepare(test_size=0.5, seed=1)


def known(*columns: tuple[str, str, str], task: str = "regression"):
    named = {name: contract.Column(name, role, kind) for name, role, kind in columns}
    return contract.Contract(task, contract.Source("x"), named)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=12, max_size=80), st.integers(0, 5))
def test_no_entity_is_on_both_sides(rows: list[tuple[int, int]], seed: int):
    frame = pd.DataFrame(rows, columns=["who", "when"])
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["when"], unit="D")
    frame["y"] = np.arange(len(frame), dtype="float64")
    plain = known(("who", "id", "integer"), ("when", "time", "datetime"), ("y", "target", "number"))
    try:
        train, test, _ = prepare.prepare(frame, plain, HALF.replace(seed=seed))
    except contract.DataError as refused:
        assert "the split leaves" in str(refused) or "of one entity" in str(refused)  # noqa: PT017
        return
    assert not set(train["who"]) & set(test["who"])
    if frame["when"].nunique() > 1:
        assert train["when"].max() < test["when"].min()


def test_the_newest_rows_are_the_test_set():
    frame = pd.DataFrame({"when": pd.date_range("2024-01-01", periods=50), "y": np.arange(50.0)})
    plain = known(("when", "time", "datetime"), ("y", "target", "number"))
    train, test, _ = prepare.prepare(frame, plain, HALF.replace(test_size=0.2))
    assert list(test["y"]) == list(np.arange(40.0, 50.0))
    assert len(train) == 40


def test_identical_rows_stay_together(small, frame: pd.DataFrame):
    twice = pd.concat([frame, frame.iloc[:40]]).reset_index(drop=True)
    train, test, _ = prepare.prepare(twice, small, HALF.replace(test_size=0.3))
    assert train.merge(test.fillna(""), on="row").empty


def test_a_running_number_does_not_hide_identical_rows():
    half = pd.DataFrame({"x": np.arange(100.0), "y": np.arange(100.0)})
    frame = pd.concat([half, half]).assign(row=np.arange(200.0)).reset_index(drop=True)
    plain = known(("row", "ignore", "integer"), ("x", "feature", "number"), ("y", "target", "number"))
    train, test, _ = prepare.prepare(frame, plain, HALF.replace(test_size=0.3))
    assert not set(train["x"]) & set(test["x"])


def test_classes_keep_their_share(small, frame: pd.DataFrame):
    train, test, _ = prepare.prepare(frame, small, HALF.replace(test_size=0.25))
    assert abs(train["left"].eq("Yes").mean() - test["left"].eq("Yes").mean()) < 0.05


def test_a_class_with_one_member_does_not_stop_it(small, frame: pd.DataFrame):
    frame.loc[1, "left"] = "Perhaps"
    train, test, _ = prepare.prepare(frame, small, HALF)
    assert len(train) + len(test) == len(frame)


def test_rows_without_target_are_left_out_and_counted(small, frame: pd.DataFrame):
    frame.loc[[1, 2], "left"] = None
    train, test, notes = prepare.prepare(frame, small, HALF)
    assert len(train) + len(test) == len(frame) - 2
    assert any("2 rows without 'left'" in note for note in notes)


def test_what_cannot_be_learnt_is_said(small, frame: pd.DataFrame):
    with pytest.raises(contract.DataError, match="at least 10 are needed"):
        prepare.prepare(frame.head(5), small, HALF)
    with pytest.raises(contract.DataError, match="nothing can be learnt"):
        prepare.prepare(frame.assign(left="No"), small, HALF)


def test_rows_alike_by_chance_are_told_apart_by_nothing():
    frame = pd.DataFrame({"x": np.repeat([0.0, 1.0], 100), "y": np.repeat([0.0, 1.0], 100)})
    plain = known(("x", "feature", "number"), ("y", "target", "number"))
    train, test, notes = prepare.prepare(frame, plain, HALF)
    assert set(train["x"]) == set(test["x"]) == {0.0, 1.0}
    assert any("alike by chance" in note for note in notes)


def test_a_later_test_set_is_nearly_the_one_before(tuned):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=1000), "y": rng.choice(["a", "b"], 1000)})
    columns = {
        "x": contract.Column("x", "feature", "number"),
        "y": contract.Column("y", "target", "category", categories=("a", "b")),
    }
    plain = contract.Contract("classification", contract.Source("x"), columns)
    before = set(prepare.prepare(frame[:900], plain, tuned.prepare)[1].index)
    after = set(prepare.prepare(frame, plain, tuned.prepare)[1].index)
    assert len(before - after) <= 0.1 * len(before)
    mended = frame.assign(y=np.where(frame.index % 10 == 0, "a", frame["y"]))
    assert len(after - set(prepare.prepare(mended, plain, tuned.prepare)[1].index)) <= 0.1 * len(after)
    other = set(prepare.prepare(frame, plain, tuned.prepare.replace(seed=2))[1].index)
    assert len(after & other) < 0.4 * len(after)
