"""What is served equals scikit-learn to the last bit, also for values that lie on a threshold of a tree."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from mlproduct.contract import validation as contract
from mlproduct.export import export, probes, splits, tables, trees
from mlproduct.inference import encode, predict, request
from mlproduct.training import train
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler

MODELS = ["two", "three", "value"]


def table_of(kind: str, folder: Path) -> tuple[Any, pd.DataFrame]:
    """Give a contract, and 400 rows of it: a time each half hour, off by 13 minutes, and what the time brings."""
    rng = np.random.default_rng(1)
    when = pd.Timestamp("2023-01-01 07:43") + pd.to_timedelta(30 * rng.integers(0, 3000, 400), unit="min")
    amount = np.where(rng.random(400) < 0.1, np.nan, rng.normal(1, 2, 400).round(8))
    score = (when - when.min()) / pd.Timedelta(days=20) + np.nan_to_num(amount) + rng.normal(size=400)
    edges = {"two": [2], "three": [1, 3]}.get(kind)
    y = np.array(["a", "b", "c"])[np.digitize(score, edges)] if edges else score
    target = {"type": "category", "categories": sorted(set(y.tolist()))} if edges else {"type": "number"}
    columns = {
        "when": {"role": "feature", "type": "datetime"},
        "amount": {"role": "feature", "type": "number", "nullable": True},
        "big": {"role": "feature", "type": "integer"},
        "flag": {"role": "feature", "type": "boolean", "categories": ["N", "Y"]},
        "kind": {"role": "feature", "type": "category", "nullable": True, "categories": ["-1", "1e3", "İ"]},
        "note": {"role": "feature", "type": "text", "nullable": True},
        "y": {"role": "target"} | target,
    }
    task = "classification" if edges else "regression"
    content = {"version": 1, "task": task, "source": {"path": "data/raw.csv"}, "columns": columns}
    (folder / "contract.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    words = ["red", "blue", "ﬁne", "Straße", "日本", "x1", "one two two", "???"]
    rows = {
        "when": pd.Series(when).astype("datetime64[us]"), "amount": amount,
        "big": rng.integers(0, 10**12, 400).astype("float64"), "flag": rng.integers(0, 2, 400).astype("float64"),
        "kind": pd.Series(rng.choice(["-1", "1e3", "İ", None], 400), dtype="str"),
        "note": pd.Series([" ".join(rng.choice(words, n)) for n in rng.integers(1, 40, 400)], dtype="str"), "y": y,
    }  # fmt: skip
    frame = pd.DataFrame(rows)
    return contract.Contract.load(folder / "contract.yaml"), frame.astype({"y": "str" if edges else "float64"})


def trained(schema: Any, frame: pd.DataFrame, tuned: Any, kind: str) -> Any:
    return train.train(frame, schema, tuned.replace(model=tuned.model.replace(kind=kind, min_samples_leaf=5)))


def same_bits(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(found, expected, strict=True)


def before(model: Any, schema: Any, frame: pd.DataFrame) -> Any:
    return tables.Before(model[:-1], schema, frame)


@pytest.mark.parametrize("kind", ["gradient_boosting", "linear"])
@pytest.mark.parametrize("target", MODELS)
def test_rows_of_half_hourly_times_are_answered_as_by_the_pipeline(target: str, kind: str, tuned, tmp_path: Path):
    schema, frame = table_of(target, tmp_path)
    model = trained(schema, frame[:320], tuned, kind)
    found = export.export(model, schema, frame[:320], frame[320:], 1e-9, tmp_path)
    assert (found.path, found.why) == ("onnx", "")
    table = json.loads((tmp_path / export.TABLE).read_text(encoding="utf-8"))
    rows = encode.encoder(table)(request.values(schema, frame))
    same_bits(rows, tables.dense(model[:-1].transform(frame[schema.features])))
    answers = predict.graphed((tmp_path / export.GRAPH).read_bytes())(rows)
    np.testing.assert_allclose(answers, export.answers(model, frame[schema.features]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["gradient_boosting", "linear"])
@pytest.mark.parametrize("target", MODELS)
def test_every_probe_becomes_the_very_numbers_of_the_pipeline(target: str, kind: str, tuned, tmp_path: Path):
    schema, frame = table_of(target, tmp_path)
    model = trained(schema, frame, tuned, kind)
    table = tables.encoding(before(model, schema, frame))
    coded = encode.encoder(table)
    drawn = probes.probes(model[-1], table, coded, frame, schema)
    same_bits(coded(drawn.records), tables.dense(model[:-1].transform(predict.frame_of(drawn.records, schema))))


def test_a_regression_is_answered_to_the_bit(tuned, tmp_path: Path):
    schema, frame = table_of("value", tmp_path)
    found = export.export(trained(schema, frame, tuned, "gradient_boosting"), schema, frame, frame, 0.0, tmp_path)
    assert (found.path, found.difference) == ("onnx", 0.0)


@pytest.mark.parametrize("scaler", [MinMaxScaler, MaxAbsScaler, RobustScaler])
def test_the_numbers_of_other_scalers_are_read_as_well(scaler: Any, tuned, tmp_path: Path):
    schema, frame = table_of("value", tmp_path)
    model = trained(schema, frame, tuned, "gradient_boosting")
    calendar = make_pipeline(model[0].named_transformers_["calendar"], scaler())
    columns = model[0].set_params(number=scaler(), calendar=calendar)
    model = Pipeline([("columns", columns), ("estimator", model[-1])]).fit(frame[schema.features], frame["y"])
    found = export.export(model, schema, frame, frame, 0.0, tmp_path)
    assert (found.path, found.why) == ("onnx", "")


def test_a_line_of_a_step_that_is_not_known_is_found_by_asking(tuned, tmp_path: Path):
    schema, frame = table_of("value", tmp_path)
    model = trained(schema, frame, tuned, "linear")
    own = FunctionTransformer(lambda x: 3 * x + 7)
    columns = model[0].set_params(number=make_pipeline(own, model[0].transformers[0][1]))
    model = Pipeline([("columns", columns), ("estimator", model[-1])]).fit(frame[schema.features], frame["y"])
    assert export.export(model, schema, frame, frame, 1e-9, tmp_path).path == "onnx"


@pytest.mark.parametrize("step", [np.cbrt, lambda dates: dates])
def test_what_is_no_line_is_served_on_frames(step: Any, tuned, tmp_path: Path):
    schema, frame = table_of("value", tmp_path)
    model = trained(schema, frame, tuned, "gradient_boosting")
    curve = FunctionTransformer(lambda x: step(x.astype("int64").to_numpy("float64")))
    columns = model[0].set_params(calendar=make_pipeline(curve))
    model = Pipeline([("columns", columns), ("estimator", model[-1])]).fit(frame[schema.features], frame["y"])
    assert export.export(model, schema, frame, frame, 1e-9, tmp_path).path == "frame"


def test_a_date_counts_its_days_as_pandas_does(known_dates):
    since = (known_dates - pd.Timestamp(0)) / pd.Timedelta(days=1)
    same_bits(np.array([encode.parts(date)[-1] for date in known_dates.to_pydatetime()]), since.to_numpy())
    assert [encode.parts(date)[:5] for date in known_dates[:9]] == [
        (d.year, d.month, d.day, d.day_of_week, d.hour) for d in known_dates[:9]
    ]


@pytest.fixture
def known_dates() -> pd.DatetimeIndex:
    microseconds = np.random.default_rng(1).integers(-(2**52), 2**53, 2000)
    return pd.DatetimeIndex(microseconds.astype("datetime64[us]"))


def test_a_slope_that_is_off_by_a_bit_is_seen_by_the_probes_though_no_test_row_shows_it(tuned, tmp_path, monkeypatch):
    schema, frame = table_of("two", tmp_path)
    model, real = trained(schema, frame[:320], tuned, "gradient_boosting"), tables.encoding

    def nudged(tree: Any) -> Any:
        table = real(tree)
        at, part, start, *_, missing = table["columns"]["when"]["cells"].pop()
        table["columns"]["when"]["cells"].append([at, part, 0.9999999999999998, -start, missing])  # as 0.5 fitted it
        return table

    monkeypatch.setattr(export, "encoding", nudged)
    test = frame[320:321]
    found = export.export(model, schema, frame[:320], test, 1e-9, tmp_path)
    assert found.path == "frame"
    assert "'when' is " in found.why or "a row of the training set" in found.why
    rows = encode.encoder(nudged(before(model, schema, frame[:320])))(request.values(schema, test))
    expected = export.answers(model, test[schema.features])
    np.testing.assert_allclose(export.answers(model[-1], rows), expected, atol=1e-12)


def test_thresholds_that_are_rounded_are_seen_by_the_probes_alone(tuned, tmp_path, monkeypatch):
    schema, frame = table_of("two", tmp_path)
    model, real = trained(schema, frame, tuned, "gradient_boosting"), trees.convert

    def rounded(estimator: Any, width: int) -> Any:
        for (tree,) in estimator._predictors:
            tree.nodes["num_threshold"] = np.nextafter(tree.nodes["num_threshold"], np.inf)
        content = real(estimator, width)
        for (tree,) in estimator._predictors:
            tree.nodes["num_threshold"] = np.nextafter(tree.nodes["num_threshold"], -np.inf)
        return content

    monkeypatch.setattr(trees, "convert", rounded)
    found = export.export(model, schema, frame, frame[:80], 1e-9, tmp_path)
    assert found.path == "columns"
    assert "UnequalError" in found.why


def beside(model: Any, schema: Any, frame: pd.DataFrame) -> list[tuple[str, Any, Any]]:
    """Give the probes at thresholds, as column, value and the row of numbers that they become."""
    table = tables.encoding(before(model, schema, frame))
    coded = encode.encoder(table)
    found = splits.splits(model[-1], coded(request.values(schema, frame)))
    base = request.values(schema, frame)
    probed = list(probes._beside(found, table, schema))
    rows = coded([base[row] | {name: value} for name, row, value in probed])
    return [(name, value, row) for (name, _, value), row in zip(probed, rows, strict=True)]


@pytest.mark.parametrize("kind", [HistGradientBoostingRegressor, RandomForestRegressor])
def test_each_threshold_is_probed_below_at_and_above(kind: Any, tuned, tmp_path: Path):
    schema, frame = table_of("value", tmp_path)
    frame["amount"] = frame["amount"].fillna(0)
    model = trained(schema, frame, tuned, "gradient_boosting")
    model = Pipeline([model.steps[0], ("estimator", kind(max_depth=4, random_state=1))])
    model.fit(frame[schema.features], frame["y"])
    probed = beside(model, schema, frame)
    matrix = tables.dense(model[:-1].transform(frame[schema.features]))
    found, compared = splits.splits(model[-1], matrix), np.float32 if kind is RandomForestRegressor else np.float64
    cells = tables.encoding(before(model, schema, frame))["columns"]
    for name in ("amount", "big", "when"):
        at = cells[name]["cells"][-1][0]
        numbers = np.unique([row[at] for column, _, row in probed if column == name])
        assert at in found.at
        for threshold in found.threshold[found.at == at]:
            stays = compared(numbers) <= threshold
            left, right = numbers[stays].max(), numbers[~stays].min()
            near = {"amount": gap(left, right) == 1, "big": right - left == 1, "when": right - left < 2e-11}
            assert near[name], (name, threshold)


def gap(low: float, high: float) -> int:
    """Count the doubles from one to another."""
    bits = np.array([low, high]).view("int64")
    return int(abs(np.diff(np.where(bits < 0, -(2**63) - bits, bits))[0]))


def test_a_row_that_is_probed_comes_by_its_split(tuned, tmp_path: Path):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(500, 3))
    rows[rng.random(rows.shape) < 0.2] = np.nan
    model = HistGradientBoostingRegressor(max_iter=3).fit(rows, np.nan_to_num(rows[:, 0] * rows[:, 1]))
    (tree,) = model._predictors[1]
    numbers = splits._passing(list(splits._trees(model))[1], rows)
    for node, number in enumerate(numbers):
        at, path = 0, [0]
        while not tree.nodes[at]["is_leaf"]:
            value, n = rows[number, tree.nodes[at]["feature_idx"]], tree.nodes[at]
            left = n["missing_go_to_left"] if np.isnan(value) else value <= n["num_threshold"]
            at = int(n["left"] if left else n["right"])
            path.append(at)
        assert node in path


def test_where_there_are_more_splits_than_are_probed_they_are_spread_evenly(tuned, tmp_path: Path, monkeypatch):
    schema, frame = table_of("value", tmp_path)
    model = trained(schema, frame, tuned, "gradient_boosting")
    monkeypatch.setattr(probes, "MOST", 4000)
    whole = beside(model, schema, frame)
    monkeypatch.setattr(probes, "MOST", 40)
    some = beside(model, schema, frame)
    assert len(whole) > 1000
    assert 60 < len(some) <= 3 * 40
    for name in ("when", "amount", "big"):
        few, many = ([value for column, value, _ in drawn if column == name] for drawn in (some, whole))
        assert (min(few), max(few)) == (min(many), max(many))


def test_what_needs_care_is_among_the_probes(tuned, tmp_path: Path):
    schema, frame = table_of("two", tmp_path)
    drawn = probes._named(frame, schema)
    probed: dict[str, list[Any]] = {}
    for name, _, value in drawn:
        probed.setdefault(name, []).append(value)
    assert all(None in values for values in probed.values())
    assert {tables.UNKNOWN, "İ"} <= set(probed["kind"])
    times = [value for value in probed["when"] if value]
    assert {value.microsecond for value in times} >= {0, 1, 500, 123457, 999999}
    assert {(value.hour, value.minute) for value in times} >= {(hour, m) for hour in range(24) for m in (0, 30)}
    assert len({value.month for value in times}) == 12


def test_an_infinite_value_takes_the_branch_of_scikit_learn():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 2))
    x[rng.random(x.shape) < 0.2] = np.nan
    model = HistGradientBoostingRegressor(max_iter=30).fit(x, np.isnan(x[:, 0]) + np.nan_to_num(x[:, 1]))
    odd = np.array([[a, b] for a in (np.inf, -np.inf, np.nan, 0.0, -0.0) for b in (np.inf, -np.inf, np.nan, 1e308)])
    same_bits(predict.graphed(trees.convert(model, 2).SerializeToString())(odd), model.predict(odd).reshape(-1, 1))


def test_a_forest_that_splits_on_missing_values_is_not_converted(tuned, tmp_path: Path):
    schema, frame = table_of("value", tmp_path)
    model = trained(schema, frame, tuned, "gradient_boosting")
    frame["y"] = frame["amount"].isna().astype("float64")
    forest = Pipeline([model.steps[0], ("estimator", RandomForestRegressor(5, random_state=1))])
    found = export.export(forest.fit(frame[schema.features], frame["y"]), schema, frame, frame, 1e-9, tmp_path)
    assert (found.path, "split on missing values" in found.why) == ("columns", True)


def test_tables_of_a_release_of_0_5_are_read_as_they_were():
    old = {"base": [None, None, None], "columns": {
        "size": {"kind": "number", "cells": [[0, 0.3, -7.1, 2.5], [1, 0.0, 4.0, None]]},
        "when": {"kind": "datetime", "cells": [[2, "year", 0.1, -200.0, None]]},
    }}  # fmt: skip
    found = encode.encoder(old)([{"size": 1.7, "when": datetime(2024, 1, 1)}, {"size": None, "when": None}])
    same_bits(found, np.array([[0.3 * 1.7 - 7.1, 4.0, 0.1 * 2024 - 200.0], [2.5, np.nan, np.nan]]))


def test_a_count_of_words_is_weighed_as_by_numpy():
    many = np.arange(1.0, 200.0)
    expected = np.log(many) + 1.0
    same_bits(np.array([encode.weigh(int(count)) for count in many]), expected)


def test_keys_count_the_doubles_in_their_order():
    keys = np.array([-probes.LARGEST, -2, -1, 0, 1, 2, probes.LARGEST])
    found = probes._doubles(keys)
    tiny, most = 5e-324, np.finfo("float64").max
    same_bits(found, np.array([-most, -2 * tiny, -tiny, 0.0, tiny, 2 * tiny, most]))


def test_a_year_turns_at_midnight():
    last = probes._last(probes._years, np.array([2023.5, 1969.5]), probes.SPAN, True)
    dates = [encode.EPOCH + timedelta(microseconds=key) for key in last.tolist()]
    assert dates == [datetime(2023, 12, 31, 23, 59, 59, 999999), datetime(1969, 12, 31, 23, 59, 59, 999999)]
