from dataclasses import fields
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlscaffold.contract import Column, Contract, Source, contract_yaml
from mlscaffold.inference.ranges import allowed

SOURCE = Source("data/raw.csv", "csv", ";", "latin-1", ",", ("", "NA", "no"))
COLUMNS = (
    Column("bill length (mm)", "feature", "number", nullable=True, range=(30.0, 62.0)),
    Column("smoker", "target", "boolean", categories=("No", "Yes")),
    Column("when", "time", "datetime", format="%d/%m/%Y"),
    Column("row", "ignore", "integer", reason="running number"),
    Column("city", "feature", "category", many=True, description="where: they live"),
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
LABEL = st.one_of(TEXT, st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))


def loaded(contract: Contract) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(contract_yaml(contract))
    return found


def test_a_contract_reads_well() -> None:
    text = contract_yaml(Contract("classification", SOURCE, COLUMNS, positive="Yes"))
    assert text.partition("version")[2] == (
        """: 1
task: classification
positive: "Yes"  # the label that counts as positive

source:  # how the raw file is read
  path: data/raw.csv
  format: csv
  delimiter: ";"
  encoding: latin-1
  decimal: ","
  missing: ["", "NA", "no"]  # texts that mean 'no value', in every column

columns:  # in the order of the file
  bill length (mm):
    role: feature
    type: number
    nullable: true
    range: [30.0, 62.0]
    description: ""
  smoker:
    role: target
    type: boolean
    nullable: false
    categories: ["No", "Yes"]
    description: ""
  when:
    role: time
    type: datetime
    format: "%d/%m/%Y"
    nullable: false
    description: ""
  row:
    role: ignore
    reason: running number
    type: integer
    nullable: false
    description: ""
  city:
    role: feature
    type: category
    nullable: false
    many: true  # too many values to list: any text is allowed
    description: "where: they live"
"""
    )
    assert max(map(len, text.splitlines())) <= 120


def test_parquet_needs_no_dialect() -> None:
    source = loaded(Contract("regression", Source("data/raw.parquet", "parquet", "", "", ""), COLUMNS))["source"]
    assert source == {"path": "data/raw.parquet", "format": "parquet", "missing": [""]}


@given(st.lists(TEXT, min_size=1, max_size=5, unique=True), st.lists(LABEL, min_size=1, max_size=40), LABEL)
def test_yaml_loads_back_to_the_same_values(names: list[str], labels: list[Any], positive: Any) -> None:
    columns = tuple(
        Column(name, "feature", "category", categories=tuple(labels), description=name, reason=name) for name in names
    )
    found = loaded(Contract("classification", Source("data/raw.csv", missing=tuple(names)), columns, positive))
    assert found["positive"] == positive
    assert type(found["positive"]) is type(positive)
    assert found["source"]["missing"] == names
    assert list(found["columns"]) == names
    for entry in found["columns"].values():
        assert entry["categories"] == labels
        assert list(map(type, entry["categories"])) == list(map(type, labels))


@given(st.floats(-1e15, 1e15), st.floats(-1e15, 1e15), st.booleans())
def test_ranges_hold_what_was_seen_and_do_not_cross_zero(one: float, other: float, whole: bool) -> None:
    low, high = sorted((float(int(one)), float(int(other))) if whole else (one, other))
    bottom, top = allowed(low, high, whole=whole)
    assert bottom <= low <= high <= top
    assert bottom >= 0 or low < 0
    assert top <= 0 or high > 0 or low == high == 0
    assert isinstance(bottom, int if whole else float)
    column = Column("x", "feature", "number", range=(bottom, top))
    assert loaded(Contract("regression", SOURCE, (column,)))["columns"]["x"]["range"] == [bottom, top]


@pytest.mark.parametrize(
    ("low", "high", "whole", "expected"),
    [
        (32.1, 59.6, False, (18.0, 74.0)),
        (0.0, 1.0, False, (0.0, 1.0)),
        (0.2, 0.4, False, (0.0, 1.0)),
        (0.0, 100.0, False, (0.0, 150.0)),
        (-1.0, 1.0, False, (-2.0, 2.0)),
        (172, 231, True, (142, 262)),
        (1, 5, True, (0, 7)),
        (5, 5, True, (2, 8)),
        (0, 0, True, (0, 1)),
        (7.5, 7.5, False, (3.6, 11.4)),
        (-1.7e308, 1.7e308, False, (-1.7e308, 1.7e308)),
    ],
)
def test_ranges_are_readable(low: float, high: float, whole: bool, expected: tuple[float, float]) -> None:
    assert allowed(low, high, whole=whole) == expected


def test_every_field_of_a_column_is_written() -> None:
    column = Column("x", "feature", "number", True, (0.0, 1.0), ("a",), False, "iso", "because", "it")
    entry = loaded(Contract("regression", SOURCE, (column,)))["columns"]["x"]
    assert set(entry) == {field.name for field in fields(Column)} - {"name", "many"}
