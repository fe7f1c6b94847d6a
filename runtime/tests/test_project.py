"""`mlproduct.open()` and its Project, before there is a model: rows by the contract, and errors that name the cause."""

import json
import sys
from dataclasses import replace
from types import ModuleType

import mlproduct
import pandas as pd
import pytest
from mlproduct import project as opened
from mlproduct.contract.columns import Contract
from mlproduct.errors import DataError
from mlproduct.notebooks import strip
from mlproduct.project import Project
from mlproduct_tests.repository import PACKAGE, ROOT


@pytest.fixture
def bare(tmp_path, small):
    """Give a repository without data and without a model."""
    (tmp_path / "src").mkdir()
    for name in ("contract.yaml", "params.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return Project(tmp_path)


def test_contract_and_params_are_those_of_the_root(bare):
    assert bare.contract == Project(ROOT).contract
    assert bare.params == Project(ROOT).params


def test_what_is_missing_is_named_with_the_verb_that_makes_it(bare):
    for ask in (bare.train_rows, bare.test_rows, lambda: bare.model, lambda: bare.metrics):
        with pytest.raises(DataError, match=r"there is no \S+ in .*: `make train` makes it, `make pull` fetches it"):
            ask()
    with pytest.raises(DataError, match=r"there is no models/model.skops"):
        bare.predict(pd.DataFrame())
    with pytest.raises(DataError, match="fetch it by `make pull`"):
        bare.rows()


def test_an_empty_journal_is_an_empty_frame(bare):
    journal = bare.journal()
    assert journal.empty
    assert {"status", "hypothesis", "when"} <= set(journal.columns)


def test_outside_of_a_repository_the_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="is not inside a product repository"):
        mlproduct.open(tmp_path)
    with pytest.raises(DataError, match="there is no folder"):
        mlproduct.open(tmp_path / "nowhere")


def test_a_package_of_that_name_from_another_repository_is_refused(monkeypatch, tmp_path):
    other = ModuleType(PACKAGE)
    other.__file__ = str(tmp_path / "src" / PACKAGE / "__init__.py")
    monkeypatch.setitem(sys.modules, PACKAGE, other)
    with pytest.raises(DataError, match="restart Python"):
        opened._refuse_namesake(ROOT)


def test_raw_rows_are_parsed_whatever_read_csv_made_of_them(small, raw, parsed, tmp_path):
    raw.to_csv(tmp_path / "raw.csv", index=False, sep=";")
    read = pd.read_csv(tmp_path / "raw.csv", sep=";")
    found = opened._features(read, small)
    pd.testing.assert_frame_equal(found, parsed[small.features], check_index_type=False)


def test_missing_and_doubled_columns_are_named(small, raw):
    with pytest.raises(DataError, match="the rows lack 'plan', 'city'; they have"):
        opened._features(raw.drop(columns=["plan", "city"]), small)
    with pytest.raises(DataError, match="more than one column is named 'plan'"):
        opened._features(pd.concat([raw, raw[["plan"]]], axis=1), small)
    with pytest.raises(DataError, match="this is a list"):
        opened._features([1, 2], small)


def test_values_outside_of_the_contract_are_refused_unless_it_flags_them(small: Contract, raw):
    strange = raw.assign(visits="101", plan="gold")
    with pytest.raises(DataError, match=r"(?s)'visits': is outside of \[0, 100\].*'plan': holds an unknown category"):
        opened._features(strange, small)
    found = opened._features(strange, replace(small, outside="flag"))
    assert set(found["visits"]) == {101.0}
    assert set(found["plan"]) == {"gold"}
    with pytest.raises(DataError, match="'visits': is not an integer"):
        opened._features(raw.assign(visits="1.5"), replace(small, outside="flag"))


def test_outputs_of_a_notebook_are_removed(tmp_path):
    path = tmp_path / "a.ipynb"
    cell = {"cell_type": "code", "source": ["1"], "outputs": [{"text": ["1"]}], "execution_count": 3}
    path.write_text(json.dumps({"cells": [cell, {"cell_type": "markdown", "source": []}]}), encoding="utf-8")
    assert strip(path)
    assert not strip(path)
    assert json.loads(path.read_text(encoding="utf-8"))["cells"][0]["outputs"] == []
    with pytest.raises(DataError, match="there is no notebook"):
        strip(tmp_path / "b.ipynb")
