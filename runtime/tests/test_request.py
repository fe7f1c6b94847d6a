"""What a caller sends: rows of the table pass, what breaks the contract is refused with record and field."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlproduct.contract import validation as contract
from mlproduct.inference import request

ROWS = 5


@pytest.fixture
def sent(small, frame: pd.DataFrame) -> list[dict[str, Any]]:
    return request.examples(small, frame.head(ROWS))


def read(body: Any, schema: Any, most: int = ROWS) -> Any:
    return request.Reader(schema, most).read(body)


def test_rows_of_the_table_come_back_as_they_were(small, frame: pd.DataFrame, sent):
    parsed = read(json.loads(json.dumps({"records": sent})), small)
    assert not parsed.one
    assert parsed.records == request.values(small, frame.head(ROWS))


def test_one_bare_record_and_a_whole_row_are_accepted(small, sent):
    parsed = read(sent[0] | {"group": "a", "left": "No", "row": 7}, small)
    assert parsed.one
    assert list(parsed.records[0]) == small.features


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("visits", "7", "valid number"),
        ("visits", True, "valid number"),
        ("visits", 1.5, "is not an integer"),
        ("visits", 101, "less than or equal to 100"),
        ("visits", None, "valid number"),
        ("visits", float("nan"), "finite"),
        ("visits", float("inf"), "finite"),
        ("visits", 10**400, "valid number"),
        ("visits", {"a": [1]}, "valid number"),
        ("smoker", "maybe", "is none of No, Yes"),
        ("plan", "gold", "is none of basic, pro"),
        ("level", 4, "is none of 1, 2, 3"),
        ("level", None, "needs a value"),
        ("joined", "yesterday", "is not a datetime"),
        ("comment", 7, "valid string"),
        ("unknown", 1, "is not a column of contract.yaml"),
    ],
)
def test_a_fault_is_named_with_record_and_field(small, sent, field: str, value: Any, message: str):
    sent[2][field] = value
    with pytest.raises(request.RefusedError) as refused:
        read({"records": sent}, small)
    (fault,) = refused.value.errors
    assert (fault["record"], fault["field"], refused.value.status) == (2, field, 422)
    assert message in fault["message"]


def test_a_missing_field_is_named(small, sent):
    del sent[0]["plan"]
    with pytest.raises(request.RefusedError, match="plan: is missing"):
        read(sent[0], small)


@pytest.mark.parametrize("body", [None, 1, "x", [], {"records": []}, {"records": 5}, {"records": [], "more": 1}])
def test_a_body_of_another_form_is_refused(small, body: Any):
    with pytest.raises(request.RefusedError):
        read(body, small)


def test_too_many_records_are_refused(small, sent):
    with pytest.raises(request.RefusedError) as refused:
        read({"records": sent}, small, ROWS - 1)
    assert refused.value.status == 413


def test_other_spellings_mean_the_same(small, sent):
    sent[0] |= {"smoker": True, "level": "3", "joined": "2024-05-01T00:00:00", "größe in m": None}
    record = read(sent[0], small).records[0]
    assert (record["smoker"], record["level"], record["größe in m"]) == (1.0, "3", None)
    assert record["joined"] == datetime(2024, 5, 1)


@pytest.mark.parametrize(
    ("sent_as", "form"),
    [
        ("2024-05-01T10:00:00Z", "%d.%m.%Y"),
        ("2024-05-01T12:00:00+02:00", "iso"),
        ("20240501T100000", "iso"),
        (1714557600, "epoch_s"),
        ("1714557600000", "epoch_ms"),
    ],
)
def test_a_date_is_read_as_the_table_or_as_iso(small, sent, sent_as: Any, form: str):
    dated = replace(small, columns=small.columns | {"joined": replace(small.columns["joined"], format=form)})
    assert read(sent[0] | {"joined": sent_as}, dated).records[0]["joined"] == datetime(2024, 5, 1, 10)


def test_a_value_that_stands_for_a_missing_one_is_missing(small, sent):
    coded = replace(small, source=replace(small.source, missing=("", "NA", "-9")))
    sent[0] |= {"größe in m": -9.0, "comment": " NA "}
    wide = replace(coded.columns["größe in m"], range=(-10, 3))
    record = read(sent[0], replace(coded, columns=coded.columns | {"größe in m": wide})).records[0]
    assert record["größe in m"] is record["comment"] is None


def test_what_lies_outside_is_flagged_where_the_contract_lets_it_pass(small, sent):
    open_ = replace(small, outside="flag")
    parsed = read({"records": [sent[0] | {"visits": 400, "plan": "gold"}, sent[1]]}, open_)
    assert [flag["field"] for flag in parsed.flags[0]] == ["visits", "plan"]
    assert parsed.flags[1] == []
    assert parsed.records[0]["plan"] == "gold"
    closed = replace(open_.columns["plan"], outside="reject")
    with pytest.raises(request.RefusedError, match="is none of basic, pro"):
        read(sent[0] | {"plan": "gold"}, replace(open_, columns=open_.columns | {"plan": closed}))


def test_categories_that_are_numbers_are_taken_as_numbers(small, sent):
    half = contract.Column("level", "feature", "category", categories=(0.5, 1.0))
    numeric = replace(small, columns=small.columns | {"level": half})
    for value, label in ((0.5, "0.5"), (1, "1.0"), (1.0, "1.0"), ("0.5", "0.5")):
        assert read(sent[0] | {"level": value}, numeric).records[0]["level"] == label


def test_a_column_may_be_named_records(small, sent):
    named = {"records": contract.Column("records", "feature", "integer")}
    more = replace(small, columns=small.columns | named)
    rows = [record | {"records": 7} for record in sent]
    for body, length in (({"records": rows}, ROWS), (rows[0], 1)):
        assert [record["records"] for record in read(body, more).records] == [7] * length


texts = st.text(' \x00"0aé🐧')  # few letters: the table of all of them takes hypothesis seconds in a new repository
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_whatever_is_sent_is_taken_or_refused(ours, data: st.DataObject):
    names = st.sampled_from([*ours.columns, "records"])
    body = data.draw(st.dictionaries(names, json_values) | json_values)
    try:
        parsed = read(body, ours)
    except request.RefusedError as refused:
        assert refused.status in (413, 422)  # noqa: PT017
    else:
        assert all(list(record) == ours.features for record in parsed.records)


def test_the_schema_of_the_api_shows_the_contract(ours):
    shown = request.record_model(ours).model_json_schema()["properties"]
    for name in ours.features:
        column = ours.columns[name]
        if column.range and column.type in contract.NUMERIC:
            assert (shown[name]["minimum"], shown[name]["maximum"]) == tuple(column.range)
        if column.categories:
            assert shown[name]["enum"] == [*column.categories, *[None] * column.nullable]
