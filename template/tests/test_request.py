"""What a caller sends: rows of the table pass, what breaks the contract is refused with record and field."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from under_test import contract, guard, predict, request, train

ROWS = 5


@pytest.fixture
def sent(small, frame: pd.DataFrame) -> list[dict[str, Any]]:
    return request.examples(small, frame.head(ROWS))


def test_rows_of_the_table_come_back_as_they_were(small, frame: pd.DataFrame, sent):
    model = request.record_model(small)
    features, one = request.read_body(json.loads(json.dumps({"records": sent})), small, model, ROWS)
    assert not one
    pd.testing.assert_frame_equal(features, frame.head(ROWS)[small.features].reset_index(drop=True), check_dtype=False)


def test_one_bare_record_and_a_whole_row_are_accepted(small, sent):
    model = request.record_model(small)
    features, one = request.read_body(sent[0] | {"group": "a", "left": "No", "row": 7}, small, model, ROWS)
    assert one
    assert list(features.columns) == small.features


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("visits", "7", "valid number"),
        ("visits", True, "valid number"),
        ("visits", 1.5, "is no integer"),
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
        ("joined", "yesterday", "is no datetime"),
        ("comment", 7, "valid string"),
        ("unknown", 1, "is no column of contract.yaml"),
    ],
)
def test_a_fault_is_named_with_record_and_field(small, sent, field: str, value: Any, says: str):
    sent[2][field] = value
    with pytest.raises(request.RefusedError) as refused:
        request.read_body({"records": sent}, small, request.record_model(small), ROWS)
    (fault,) = refused.value.errors
    assert (fault["record"], fault["field"], refused.value.status) == (2, field, 422)
    assert says in fault["message"]


def test_a_missing_field_is_named(small, sent):
    del sent[0]["plan"]
    with pytest.raises(request.RefusedError, match="plan: is missing"):
        request.read_body(sent[0], small, request.record_model(small), ROWS)


@pytest.mark.parametrize("body", [None, 1, "x", [], {"records": []}, {"records": 5}, {"records": [], "more": 1}])
def test_a_body_of_another_form_is_refused(small, body: Any):
    with pytest.raises(request.RefusedError):
        request.read_body(body, small, request.record_model(small), ROWS)


def test_too_many_records_are_refused(small, sent):
    with pytest.raises(request.RefusedError) as refused:
        request.read_body({"records": sent}, small, request.record_model(small), ROWS - 1)
    assert refused.value.status == 413


def test_other_spellings_mean_the_same(small, sent):
    model = request.record_model(small)
    sent[0] |= {"smoker": True, "level": "3", "joined": "2024-05-01T00:00:00"}
    features, _ = request.read_body(sent[0], small, model, ROWS)
    assert features.loc[0, ["smoker", "level"]].tolist() == [1.0, "3"]
    assert features.loc[0, "joined"] == pd.Timestamp("2024-05-01")


def test_categories_that_are_numbers_are_taken_as_numbers(small, sent):
    half = contract.Column("level", "feature", "category", categories=(0.5, 1.0))
    numeric = replace(small, columns=small.columns | {"level": half})
    for value, label in ((0.5, "0.5"), (1, "1.0"), (1.0, "1.0"), ("0.5", "0.5")):
        body = sent[0] | {"level": value}
        features, _ = request.read_body(body, numeric, request.record_model(numeric), ROWS)
        assert features.loc[0, "level"] == label


def test_a_column_may_be_named_records(small, sent):
    named = {"records": contract.Column("records", "feature", "integer")}
    more = replace(small, columns=small.columns | named)
    rows = [record | {"records": 7} for record in sent]
    for body, length in (({"records": rows}, ROWS), (rows[0], 1)):
        features, _ = request.read_body(body, more, request.record_model(more), ROWS)
        assert features["records"].tolist() == [7] * length


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
        features, _ = request.read_body(body, ours, request.record_model(ours), ROWS)
    except request.RefusedError as refused:
        assert refused.status in (413, 422)  # noqa: PT017
    else:
        assert list(features.columns) == ours.features


def test_the_schema_of_the_api_shows_the_contract(ours):
    shown = request.record_model(ours).model_json_schema()["properties"]
    for name in ours.features:
        column = ours.columns[name]
        if column.range and column.type in contract.NUMERIC:
            assert (shown[name]["minimum"], shown[name]["maximum"]) == tuple(column.range)
        if column.categories:
            assert shown[name]["enum"] == list(column.categories)


def test_a_prediction_is_a_label_of_the_contract(small, frame: pd.DataFrame, tuned):
    predictor = predict.Predictor(train.train(frame, small, tuned), small, "v")
    answers = predictor.predict(frame.head(3))
    assert {answer.prediction for answer in answers} <= {"No", "Yes"}
    assert len({answer.prediction_id for answer in answers}) == 3
    assert all(sum(answer.probabilities.values()) == pytest.approx(1) for answer in answers)


@pytest.mark.parametrize(
    ("chunks", "declared", "status"),
    [
        ([b'{"a": 1}'], True, 200),
        ([b'{"a"', b": 1}"], False, 200),
        ([b'"' + b"x" * 200 + b'"'], True, 413),
        ([b'"' + b"x" * 60, b"x" * 60 + b'"'], False, 413),
        ([b'{"a'], True, 400),
        ([b"\xff\xfe"], True, 400),
        ([b"[" * 50 + b"]" * 49], True, 400),
    ],
)
def test_the_guard_refuses_what_is_too_large_or_no_json(chunks: list[bytes], declared: bool, status: int):
    sent: list[dict[str, Any]] = []
    got: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        got.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    waiting = list(chunks)
    length = [(b"content-length", str(sum(map(len, chunks))).encode())] if declared else []
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": length}
    asyncio.run(guard.BodyLimit(app, most=100)(scope, receive, send))
    assert sent[0]["status"] == status
    assert got == ([b"".join(chunks)] if status == 200 else [])
