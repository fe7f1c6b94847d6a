"""The model learns from each type of column, is the same when it is made again, and loads what is trusted alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from mlproduct.contract import validation as contract
from mlproduct.evaluation import evaluate, metrics
from mlproduct.training import train
from mlproduct_tests.repository import PACKAGE, ROOT
from sklearn.preprocessing import FunctionTransformer

KINDS = ["gradient_boosting", "linear"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_what_is_there(small, frame: pd.DataFrame, tuned, kind: str):
    chosen = tuned.replace(model=tuned.model.replace(kind=kind, max_iter=50, min_samples_leaf=5))
    model = train.train(frame.iloc[:150], small, chosen)
    found = evaluate.evaluate(model, frame.iloc[:150], frame.iloc[150:], small, tuned.evaluate.replace(bootstrap=50))
    assert found.scores["roc_auc"].low > found.scores["roc_auc"].baseline == 0.5
    assert list(found.predictions.columns) == ["truth", "prediction", "p No", "p Yes", "split", "key", "inputs"]
    assert np.allclose(found.predictions[["p No", "p Yes"]].sum(axis=1), 1)


@pytest.mark.parametrize("kind", KINDS)
def test_it_copes_with_what_it_has_not_seen(small, frame: pd.DataFrame, tuned, kind: str):
    model = train.train(frame, small, tuned.replace(model=tuned.model.replace(kind=kind, max_iter=20)))
    odd = frame.iloc[:2].assign(plan="gold", comment=None, joined=pd.NaT, **{"größe in m": np.nan})
    assert model.predict_proba(odd[small.features]).shape == (2, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_feature_without_values_to_train_on_is_left_out(small, frame: pd.DataFrame, tuned, kind: str):
    chosen = tuned.replace(model=tuned.model.replace(kind=kind, max_iter=5))
    empty = frame.assign(visits=np.nan, joined=pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us]"))
    assert train.train(empty, small, chosen).predict_proba(frame[small.features]).shape == (len(frame), 2)
    with pytest.raises(contract.DataError, match="no feature holds a value"):
        train.train(frame.assign(**dict.fromkeys(small.features, np.nan)), small, chosen)


def test_a_class_with_one_row_among_many_can_be_trained_on(tuned):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=10_100), "y": pd.Series(["a", "b"] * 5_050, dtype="str")})
    frame.loc[7, "y"] = "c"
    target = contract.Column("y", "target", "category", categories=("a", "b", "c"))
    columns = {"x": contract.Column("x", "feature", "number"), "y": target}
    plain = contract.Contract("classification", contract.Source("x"), columns)
    model = train.train(frame, plain, tuned.replace(model=tuned.model.replace(kind=KINDS[0], max_iter=2)))
    assert list(model.classes_) == ["a", "b", "c"]


def test_protected_and_ignored_columns_do_not_reach_it(small, frame: pd.DataFrame, tuned):
    model = train.train(frame, small, tuned.replace(model=tuned.model.replace(max_iter=5)))
    assert set(model.feature_names_in_) == set(small.features)
    assert not {"group", "row", "left"} & set(model.feature_names_in_)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_training_gives_the_same_file(small, frame: pd.DataFrame, tuned, tmp_path: Path, kind: str):
    chosen = tuned.replace(model=tuned.model.replace(kind=kind, max_iter=20))
    files = [train.dumps(train.train(frame, small, chosen)) for _ in range(2)]
    assert files[0] == files[1]
    (tmp_path / "model.skops").write_bytes(files[0])
    loaded = train.load_model(tmp_path / "model.skops", ROOT / "trusted-types.yaml")
    again = train.train(frame, small, chosen)
    assert (loaded.predict_proba(frame[small.features]) == again.predict_proba(frame[small.features])).all()


def test_a_model_file_is_packed_and_loads_the_same(small, frame: pd.DataFrame, tuned, tmp_path: Path):
    model = train.train(frame, small, tuned.replace(model=tuned.model.replace(max_iter=100)))
    plain = train.dumps(model)
    packed = train.compress(plain)
    assert len(packed) < len(plain) / 3
    (tmp_path / "model.skops").write_bytes(packed)
    loaded = train.load_model(tmp_path / "model.skops", ROOT / "trusted-types.yaml")
    assert (loaded.predict_proba(frame[small.features]) == model.predict_proba(frame[small.features])).all()


def test_a_type_that_is_not_trusted_is_not_loaded(small, frame: pd.DataFrame, tuned, tmp_path: Path):
    model = train.train(frame, small, tuned.replace(model=tuned.model.replace(max_iter=5)))
    path, trusted = tmp_path / "model.skops", tmp_path / "trusted-types.yaml"
    path.write_bytes(train.dumps(model))
    trusted.write_text(yaml.safe_dump([f"{PACKAGE}.features.WholeText"]))
    with pytest.raises(contract.DataError, match=r"add them to trusted-types\.yaml"):
        train.load_model(path, trusted)
    path.write_bytes(train.dumps(FunctionTransformer(eval)))
    with pytest.raises(contract.DataError, match="eval"):
        train.load_model(path, ROOT / "trusted-types.yaml")


def test_a_model_without_features_is_refused(small, frame: pd.DataFrame, tuned):
    columns = {c.name: replace(c, role="ignore") if c.role == "feature" else c for c in small.columns.values()}
    with pytest.raises(contract.DataError, match="nothing to predict from"):
        train.train(frame, replace(small, columns=columns), tuned)
    with pytest.raises(contract.DataError, match="'forest' is none of"):
        train.train(frame, small, tuned.replace(model=tuned.model.replace(kind="forest")))


def test_a_regression_is_scored_beside_the_mean(tuned):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=300)})
    frame["y"] = 3 * frame["x"] + rng.normal(size=300)
    columns = {"x": contract.Column("x", "feature", "number"), "y": contract.Column("y", "target", "number")}
    plain = contract.Contract("regression", contract.Source("x"), columns)
    model = train.train(frame.iloc[:200], plain, tuned.replace(model=tuned.model.replace(kind="linear")))
    scores = evaluate.evaluate(model, frame.iloc[:200], frame.iloc[200:], plain, tuned.evaluate).scores
    assert 0.8 < scores["rmse"].low < 1.2
    assert scores["rmse"].baseline > 2
    assert scores["r2"].baseline == pytest.approx(0, abs=0.1)


def test_no_pickle_is_in_the_package():
    sources = [path.read_text(encoding="utf-8") for path in ROOT.glob(f"src/{PACKAGE}/*.py")]
    assert sources
    assert not any("import pickle" in source or "import joblib" in source for source in sources)


def test_the_area_under_roc_is_that_of_sklearn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    hit, p = rng.random(500) < 0.3, rng.integers(0, 20, 500) / 20
    assert metrics.area_under_roc(hit, p) == pytest.approx(roc_auc_score(hit, p))
