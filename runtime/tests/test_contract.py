"""contract.yaml is read, refused where it contradicts itself, and kept by data."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from mlproduct.contract import validation as contract
from mlproduct_tests.repository import ROOT
from mlproduct_tests.samples import CONTRACT, changed


def test_the_contract_of_this_repository_is_whole(ours):
    assert ours.target in ours.columns
    assert not set(ours.features) & {*ours.protected, ours.target, ours.time, ours.id}
    json.loads((ROOT / "contract.schema.json").read_text(encoding="utf-8"))


def test_the_data_of_this_repository_keeps_to_it(ours):
    path = ROOT / ours.source.path
    if not path.exists():
        pytest.skip("no data here: `make pull` fetches it")
    assert len(contract.load_data(path, ours)) > 0


def test_values_become_what_the_code_works_with(frame: pd.DataFrame):
    assert frame["größe in m"].between(1, 2).all()
    assert set(frame["smoker"]) == {0.0, 1.0}
    assert set(frame["level"]) == {"1", "2", "3"}
    assert frame["joined"].dt.year.eq(2024).all()
    assert frame["plan"].isna().any()


def test_data_that_keeps_to_the_contract_is_admitted(small, frame: pd.DataFrame):
    assert contract.validate(frame, small) == []


@pytest.mark.parametrize(
    ("column", "value", "rule", "fix"),
    [
        ("visits", "many", "is not an integer", "missing: ['', NA, many]"),
        ("visits", "1,5", "is not an integer", "type: number"),
        ("visits", "250", "is outside of [0, 100]", "range: [0.0, 250.0]"),
        ("visits", "", "holds no value", "nullable: true"),
        ("plan", "gold", "holds an unknown category", "categories: [basic, pro, gold]"),
        ("level", "4", "holds an unknown category", "categories: [1, 2, 3, '4']"),
        ("joined", "2024/31/31", "is not a datetime", "type: text"),
        ("smoker", "maybe", "is not a boolean", "type: text"),
        ("left", "Perhaps", "holds an unknown category", "categories: ['No', 'Yes', Perhaps]"),
        ("größe in m", "inf", "is not a number", "type: text"),
    ],
)
def test_a_broken_rule_names_column_rule_row_and_fix(small, raw, tmp_path: Path, column, value, rule, fix):
    raw.loc[[3, 7], column] = value
    path = tmp_path / "raw.csv"
    raw.to_csv(path, sep=";", index=False)
    with pytest.raises(contract.DataError) as refused:
        contract.load_data(path, small)
    for text in (repr(column), rule, "2 rows: 3, 7", fix):
        assert text in str(refused.value)


def test_a_column_that_is_missing_or_new_is_named(small, raw, tmp_path: Path):
    path = tmp_path / "raw.csv"
    raw.drop(columns="visits").assign(extra="1").to_csv(path, sep=";", index=False)
    with pytest.raises(contract.DataError, match=r"(?s)'extra': is not in the contract.*'visits': is missing"):
        contract.load_data(path, small)


def test_a_name_that_stands_twice_is_said(small, tmp_path: Path):
    path = tmp_path / "raw.csv"
    path.write_text("visits;visits\n1;2\n", encoding="utf-8")
    with pytest.raises(contract.DataError, match="more than one column is named 'visits'"):
        contract.read(path, small)


def test_the_line_that_admits_a_number_keeps_the_others(small):
    level = replace(small.columns["level"], categories=(1, 2, 3, "4"))
    schema = replace(small, columns=small.columns | {"level": level})
    parsed, _ = contract.parse(pd.DataFrame({"level": ["1", "3.0", "4"]}, dtype="str"), schema, ["level"])
    assert parsed["level"].tolist() == ["1", "3", "4"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns: [", "not valid YAML"),
        ("a: 1", "needs `columns:`"),
        (changed(CONTRACT, version=2), "reads version 1"),
        (changed(CONTRACT, task="ranking"), "classification or regression"),
        (changed(CONTRACT, task="regression"), "is a number or an integer"),
        (changed(CONTRACT, colour="red"), "unknown colour"),
        (CONTRACT.replace("role: ignore", "role: target"), "2 columns have `role: target`"),
        (CONTRACT.replace("type: text", "type: essay"), "type is one of"),
        (CONTRACT.replace('boolean, categories: ["No", "Yes"]', "boolean"), "two spellings"),
        (changed(CONTRACT, positive=True), 'write "Yes"'),
        (changed(CONTRACT, source="raw.csv"), "source: needs `path`"),
        (changed(CONTRACT, source={"path": "x", "missing": "NA"}), "a list of texts"),
        (CONTRACT.replace("[0, 3]", "[3, 0]"), "lowest, highest"),
        (CONTRACT.replace("[0, 3]", "3"), "are lists"),
        (CONTRACT.replace("%d.%m.%Y", "%Q"), "bad directive"),
        (CONTRACT.replace("{role: protected, type: category, categories: [a, b]}", "feature"), "needs at least"),
    ],
)
def test_a_contract_that_cannot_be_is_refused(tmp_path: Path, text: str, message: str):
    path = tmp_path / "contract.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(contract.DataError, match=message):
        contract.Contract.load(path)


def test_a_missing_file_is_said(tmp_path: Path, small):
    with pytest.raises(contract.DataError, match="mlscaffold infer"):
        contract.Contract.load(tmp_path / "none.yaml")
    with pytest.raises(contract.DataError, match="make pull"):
        contract.read(tmp_path / "raw.csv", small)


def typed(frame: pd.DataFrame, path: Path, **columns: dict[str, Any]) -> pd.DataFrame:
    """Write a frame as Parquet, and read and parse it under a contract with these columns."""
    frame.assign(y=1.0).to_parquet(path)
    source = contract.Source(str(path), format="parquet", missing=("", "-999"))
    fields = {name: contract.Column(**{"name": name, "role": "feature"} | entry) for name, entry in columns.items()}
    fields["y"] = contract.Column("y", "target", "number")
    plain = contract.Contract("regression", source, fields)
    parsed, violations = contract.parse(contract.read(path, plain), plain)
    assert violations == []
    return parsed.drop(columns="y")


def test_the_index_of_a_parquet_file_is_a_column(tmp_path: Path):
    frame = pd.DataFrame({"who": ["a", "b"], "x": [1, 2]}).set_index("who")
    parsed = typed(frame, tmp_path / "raw.parquet", who={"type": "text"}, x={"type": "integer"})
    assert parsed["who"].tolist() == ["a", "b"]
    assert parsed.index.tolist() == [1, 2]


def test_typed_values_become_what_the_code_works_with(tmp_path: Path):
    zoned = pd.Timestamp("2024-01-01 01:00", tz="Europe/Berlin")
    frame = pd.DataFrame(
        {
            "year": [2020.0, None],
            "number": [1.5, -999.0],
            "decimal": [Decimal("1.50"), None],
            "day": [zoned.date(), None],
            "zoned": [zoned, None],
            "flag": [True, None],
            "level": pd.Categorical([1, 2]),
            "half": [0.5, 1.0],
        }
    )
    parsed = typed(
        frame,
        tmp_path / "raw.parquet",
        year={"type": "datetime", "format": "%Y"},
        number={"type": "number"},
        decimal={"type": "number"},
        day={"type": "datetime", "format": "%Y-%m-%d"},
        zoned={"type": "datetime", "format": "iso"},
        flag={"type": "boolean", "categories": ("no", "yes")},
        level={"type": "category", "categories": (1, 2)},
        half={"type": "category", "categories": (0.5, 1.0)},
    )
    assert parsed.loc[1].tolist() == [
        pd.Timestamp("2020-01-01"), 1.5, 1.5, pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01"), 1.0, "1", "0.5"
    ]  # fmt: skip
    assert parsed.loc[2].isna().tolist() == [True] * 6 + [False] * 2
    assert parsed.loc[2, "half"] == "1.0"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1))
def test_numbers_survive_writing_and_reading(values: list[float]):
    path_less = yaml.safe_load("{task: regression, columns: {y: {role: target, type: number, nullable: true}}}")
    column = contract.Column("y", "target", "number", nullable=True)
    schema = contract.Contract(path_less["task"], contract.Source("x"), {"y": column})
    texts = pd.DataFrame({"y": [repr(value) for value in values]}, dtype="str")
    parsed, violations = contract.parse(texts, schema)
    assert violations == []
    assert parsed["y"].tolist() == values
