"""The form that is served answers as the pipeline does, or another form is served."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlproduct import artifacts
from mlproduct.export import bins, export, trees
from mlproduct.inference import encode, predict, request
from mlproduct.training import train
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures


@pytest.fixture
def fitted(small, frame: pd.DataFrame, tuned):
    return train.train(frame, small, tuned)


def answers(folder: Path, found: Any, model: Any, contract: Any, rows: pd.DataFrame) -> Any:
    table = json.loads((folder / export.TABLE).read_text(encoding="utf-8"))
    matrix = encode.encoder(table)(request.values(contract, rows))
    ask = (
        predict.graphed((folder / export.GRAPH).read_bytes()) if found.path == "onnx" else predict.estimated(model[-1])
    )
    return ask(matrix)


def test_every_type_of_column_is_served_without_a_frame(small, frame, fitted, tmp_path: Path):
    found = export.export(fitted, small, frame, frame, 1e-9, tmp_path)
    assert (found.path, found.why) == ("onnx", "")
    np.testing.assert_allclose(
        answers(tmp_path, found, fitted, small, frame), fitted.predict_proba(frame[small.features]), atol=1e-12
    )


def test_a_linear_model_is_served_by_onnx_too(small, frame, tuned, tmp_path: Path):

    linear = train.train(frame, small, tuned.replace(model=tuned.model.replace(kind="linear")))
    found = export.export(linear, small, frame, frame, 1e-9, tmp_path)
    assert found.path == "onnx", found.why


def test_an_estimator_without_a_graph_is_served_on_columns(small, frame, fitted, tmp_path: Path):
    class Odd(RandomForestClassifier):
        pass

    odd = Pipeline([fitted.steps[0], ("estimator", Odd(5, random_state=1))]).fit(
        frame[small.features], frame[small.target]
    )
    found = export.export(odd, small, frame, frame, 1e-9, tmp_path)
    assert found.path == "columns"
    assert found.why.startswith("no graph: ")


def test_a_pipeline_that_no_table_tells_is_served_on_frames(small, frame, fitted, tmp_path: Path):
    squared = Pipeline([*fitted.steps[:1], ("curve", FunctionTransformer(np.sin)), fitted.steps[1]])
    squared.fit(frame[small.features], frame[small.target])
    found = export.export(squared, small, frame, frame, 1e-9, tmp_path)
    assert found.path == "frame"
    assert not (tmp_path / export.TABLE).exists()


def test_a_graph_that_answers_otherwise_is_not_served(small, frame, fitted, tmp_path: Path, monkeypatch):
    real = trees.convert

    def wrong(estimator: Any, width: int) -> Any:
        estimator._baseline_prediction = estimator._baseline_prediction + 0.01
        return real(estimator, width)

    monkeypatch.setattr(trees, "convert", wrong)
    import copy

    found = export.export(copy.deepcopy(fitted), small, frame, frame, 1e-6, tmp_path)
    assert found.path != "onnx"


@pytest.mark.parametrize("kind", ["two", "three", "value", "poisson", "constant"])
def test_trees_answer_the_same_in_double_precision(kind: str):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(600, 4)) * 1e8
    x[rng.random(x.shape) < 0.1] = np.nan
    y = np.nan_to_num(x[:, 0])
    values = {"value": {}, "poisson": {"loss": "poisson"}, "constant": {"min_samples_leaf": 500}}
    model: Any = (
        HistGradientBoostingRegressor(max_iter=20, **values[kind])
        if kind in values
        else HistGradientBoostingClassifier(max_iter=20)
    )
    truth = {"two": y > 0, "three": np.digitize(y, [-5e7, 5e7]), "poisson": np.abs(y)}.get(kind, y)
    model.fit(x, truth)
    found = predict.graphed(trees.convert(model, 4).SerializeToString())(x)
    np.testing.assert_allclose(found, export.answers(model, x), rtol=1e-9)


def test_an_estimator_of_another_kind_is_refused():
    with pytest.raises((trees.NotConvertibleError, AttributeError)):
        trees.convert(PolynomialFeatures(), 1)


def test_the_reference_tells_shares_that_add_up(small, frame, tuned):
    found = bins.reference(frame, np.linspace(0, 1, len(frame)), small, tuned.drift)
    for reference in (*found["features"].values(), found["score"]):
        assert sum(reference["bins"].values()) == pytest.approx(1)
        assert set(artifacts.ALWAYS) <= set(reference["bins"])
    smoker = found["features"]["smoker"]
    assert [smoker["bins"][x] for x in smoker["labels"]] == sorted(frame["smoker"].value_counts() / len(frame))[::-1]
    assert found["features"]["comment"]["limit"] is None


def test_a_label_that_is_named_as_a_bin_is_counted_with_the_others(small, frame, tuned):
    cities = frame.assign(city=pd.Series(["other", "null", "Rome", "Oslo"] * 50, index=frame.index, dtype="category"))
    reference = bins.reference(cities, np.linspace(0, 1, len(cities)), small, tuned.drift)["features"]["city"]
    assert sorted(reference["labels"]) == ["Oslo", "Rome"]
    assert (reference["bins"]["other"], reference["bins"]["null"]) == (0.5, 0)
    assert sum(reference["bins"].values()) == 1


def test_the_psi_is_that_of_its_definition():
    one, other = np.array([50, 30, 20]), np.array([20, 30, 50])
    assert bins.psi(one, other) == pytest.approx(2 * 0.3 * np.log(2.5))
    assert bins.psi(one, one) == 0


def test_no_record_for_explanations_is_a_row_of_the_table(small, frame, tuned):
    drawn = export.background(frame, small, 1)
    rows = {tuple(map(str, row.values())) for row in request.examples(small, frame)}
    same = sum(tuple(map(str, record.values())) in rows for record in drawn)
    assert len(drawn) == export.BACKGROUND
    assert same <= 2
    request.Reader(small, len(drawn)).read({"records": drawn})
