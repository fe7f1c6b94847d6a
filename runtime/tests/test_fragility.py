"""Each way in which data breaks does what is wanted, and a gate fails where it does not."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlproduct.contract import validation as contract
from mlproduct.evaluation import gates as gate
from mlproduct.inference import request
from mlproduct.training import train
from mlproduct_tests.repository import ROOT
from mlproduct_tests.samples import CONTRACT, PARAMS

pytestmark = pytest.mark.slow

fragility = import_module("mlproduct.evaluation.fragility")

ROWS = 5
TAKEN = {  # fragility.yaml is for a team to edit: here stands what the standard came with
    "columns reordered",
    "null where one is allowed",
    "constant column",
    "one row",
    "duplicated rows",
    "other letters in a text",
    "text in capitals and blanks",
}
WORD = {case: "accepted" if case in TAKEN else "rejected" for case in fragility.CASES}
WANTED = {case: {"data": word, "service": word} for case, word in WORD.items()}
OPPOSITE = {"accepted": "rejected", "rejected": "accepted"}


@pytest.fixture
def quick(tuned):
    """Give parameters with which a model is made at once."""
    return tuned.replace(model=tuned.model.replace(max_iter=10))


@pytest.fixture
def model(small, frame: pd.DataFrame, quick):
    return train.train(frame, small, quick)


@pytest.fixture
def door(small, model):
    return fragility.Door(model, request.Reader(small, 10**9))


@pytest.fixture
def sent(small, frame: pd.DataFrame) -> list[dict[str, Any]]:
    return request.examples(small, frame.head(ROWS))


@pytest.mark.parametrize("name", fragility.CASES)
def test_the_data_check_does_what_is_wanted_and_names_the_column(name: str, small, raw: pd.DataFrame):
    case = fragility.CASES[name]
    columns = case.columns(small)
    assert columns
    outcomes = fragility.on_data(case, columns, raw.head(ROWS), small)
    assert list(outcomes) == (columns if case.raw else [])
    for column, outcome in outcomes.items():
        assert outcome.word == WORD[name]
        if outcome.word == "rejected":
            assert rules(outcome, case, column, case.rule[0])
            assert name == "no rows" or outcome.said.startswith(f"column {column!r}: {outcome.named[0][1]}")


@pytest.mark.parametrize("name", fragility.CASES)
def test_the_service_does_what_is_wanted_and_names_the_field(name: str, small, door, sent):
    case, before = fragility.CASES[name], door.ask(sent)
    for column in case.columns(small):
        outcome = fragility.on_service(case, column, sent, door, before)
        assert outcome.word == WORD[name]
        if outcome.word == "rejected":
            assert rules(outcome, case, column, case.rule[1])


def test_a_column_may_have_the_name_of_an_argument(small, raw: pd.DataFrame):
    columns = {"self" if name == "visits" else name: column for name, column in small.columns.items()}
    named = replace(small, columns={name: replace(column, name=name) for name, column in columns.items()})
    for name in ("null where none is allowed", "constant column", "unit times 1000"):
        outcomes = fragility.on_data(fragility.CASES[name], ["self"], raw.rename(columns={"visits": "self"}), named)
        assert "error" not in outcomes["self"].word, name


def rules(outcome: Any, case: Any, column: str, rule: str) -> list[str]:
    """Give what is said of this column, and of no other whose name holds it, in the words of the rule."""
    broken_rules = [broken for named, broken in outcome.named if named == ("records" if case.names else column)]
    return [broken for broken in broken_rules if re.fullmatch(rule, broken)]


def test_every_feature_is_damaged_and_columns_of_other_roles_are_not(small):
    assert fragility.CASES["column missing"].columns(small) == small.features
    assert fragility.CASES["text in a number"].columns(small) == ["größe in m", "visits"]
    assert fragility.CASES["unseen category"].columns(small) == ["smoker", "plan", "level"]
    assert fragility.CASES["null where one is allowed"].columns(small) == ["größe in m", "plan", "comment", "city"]


def test_a_sound_contract_passes_all_and_the_opposite_table_fails_all(small, raw: pd.DataFrame, door, sent):
    found = fragility.broken(raw.head(ROWS), sent, door, WANTED)
    assert {g.verdict for g in found.gates} == {gate.PASS}
    assert {(g.name, g.slice) for g in found.gates} == {
        (f"fragility.{side}", name) for name, case in fragility.CASES.items() for side in case_sides(case)
    }
    table = {case: {side: OPPOSITE[word] for side, word in row.items()} for case, row in WANTED.items()}
    failed = fragility.broken(raw.head(ROWS), sent, door, table).gates
    assert {g.verdict for g in failed} == {gate.FAIL}
    assert all("fragility.yaml" in g.next and "wanted" in g.said for g in failed)


def case_sides(case: Any) -> list[str]:
    return [side for side, act in (("data", case.raw), ("service", case.sent)) if act]


def test_a_case_without_a_column_to_damage_is_not_applicable(small, raw: pd.DataFrame, frame: pd.DataFrame, quick):
    numbers = {n: c for n, c in small.columns.items() if c.type in contract.NUMERIC or c.role == "target"}
    only = replace(small, columns=numbers)
    door = fragility.Door(train.train(frame, only, quick), request.Reader(only, 10**9))
    records = request.examples(only, frame.head(ROWS))
    found = fragility.broken(raw[list(numbers)].head(ROWS), records, door, WANTED)
    assert {"unseen category", "other letters in a text"} <= set(found.details["not_applicable"])
    assert not {g.slice for g in found.gates} & set(found.details["not_applicable"])


class Stub:
    """Answers by a function of the rows."""

    classes_ = np.array(["No", "Yes"])

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        p = np.asarray(self.answer(rows), dtype="float64")
        return np.column_stack([1 - p, p])


def refuses_nulls(rows: pd.DataFrame) -> pd.Series:
    if rows["größe in m"].isna().any():
        raise ZeroDivisionError("no height")
    return rows["visits"] / 100


@pytest.mark.parametrize(
    ("answer", "case", "message"),
    [
        (refuses_nulls, "null where one is allowed", "ZeroDivisionError"),
        (lambda rows: rows["größe in m"] / 3, "null where one is allowed", "not a number"),
        (lambda rows: rows["visits"] / rows["visits"].sum(), "one row", "answered otherwise"),
        (lambda rows: rows["visits"] / rows["visits"].sum(), "duplicated rows", "answered otherwise"),
        (lambda rows: rows["comment"].str.contains("good", na=False), "text in capitals and blanks", "otherwise"),
    ],
    ids=["a crash", "not a number", "one row", "duplicates", "capitals"],
)
def test_a_model_that_cannot_bear_it_fails_and_the_gate_says_why(small, raw, sent, monkeypatch, answer, case, message):
    monkeypatch.setattr(fragility, "CASES", {case: fragility.CASES[case]})
    door = fragility.Door(Stub(answer), request.Reader(small, 10**9))
    sound = [record | {"größe in m": 1.5, "comment": "very good"} for record in sent]
    found = fragility.broken(raw.head(ROWS), sound, door, WANTED)
    (failed,) = [g for g in found.gates if g.verdict == gate.FAIL]
    assert (failed.name, failed.slice) == ("fragility.service", case)
    assert message in failed.said


@pytest.mark.parametrize(
    "named",
    [
        (),
        (("visits in all", "is missing"),),  # another column, whose name holds this one
        (("visit", "is missing"),),
        (("visits", "is missing a digit"),),  # another rule
        (("visits", "Input should be a valid number"),),
        (("records", "is missing"), ("age", "is missing")),
    ],
)
def test_a_refusal_that_does_not_name_column_and_rule_fails(named: tuple[tuple[str, str], ...]):
    message = "1 fault: visits: is missing"  # the message as such does not help
    for side in ("data", "service"):
        refused = {"visits": fragility.Outcome("rejected", message, named)}
        found = fragility._judged(side, "column missing", "rejected", refused, ROWS)
        assert found.verdict == gate.FAIL
        assert "without naming column and rule" in found.said
        right = {"visits": replace(refused["visits"], named=(*named, ("visits", "is missing")))}
        assert fragility._judged(side, "column missing", "rejected", right, ROWS).verdict == gate.PASS


def test_a_service_that_names_another_column_fails(small, raw: pd.DataFrame, door, sent, monkeypatch):
    read = door.reader.read

    def misnames(body):
        try:
            return read(body)
        except request.RefusedError as refusal:
            faults = [fault | {"field": f"{fault['field']} of the row"} for fault in refusal.errors]
            raise request.RefusedError(str(refusal), faults) from None

    monkeypatch.setattr(door.reader, "read", misnames)
    found = fragility.broken(raw.head(ROWS), sent, door, WANTED).gates
    failed = {g.slice for g in found if g.verdict == gate.FAIL}
    assert failed == {name for name, word in WORD.items() if word == "rejected"}
    assert {g.name for g in found if g.verdict == gate.FAIL} == {"fragility.service"}


def test_answers_do_not_depend_on_order_or_on_what_is_no_feature(small, frame: pd.DataFrame, door):
    assert {g.verdict for g in fragility.invariance(frame, door)} == {gate.PASS}
    by_place = replace(door, model=Stub(lambda rows: np.linspace(0, 1, len(rows))))
    verdicts = {g.slice: g.verdict for g in fragility.invariance(frame, by_place)}
    assert verdicts["order of the rows"] == gate.FAIL


def test_a_door_that_looks_at_other_columns_fails(small, frame: pd.DataFrame, door, monkeypatch):
    read = door.reader.read

    def looks(body):
        parsed = read(body)
        pairs = zip(parsed.records, body["records"], strict=True)
        records = [record | {"visits": float("group" in sent)} for record, sent in pairs]
        return parsed._replace(records=records)

    monkeypatch.setattr(door.reader, "read", looks)
    sees = replace(door, model=Stub(lambda rows: rows["visits"]))
    verdicts = {g.slice: g.verdict for g in fragility.invariance(frame, sees)}
    assert verdicts["identifiers and protected columns"] == gate.FAIL


def test_the_last_digit_is_no_other_answer(small, sent):
    blas = Stub(lambda rows: np.full(len(rows), 0.3) * (1 + 1e-15 * len(rows)))  # sums differ by the size of a batch
    door = fragility.Door(blas, request.Reader(small, 10**9))
    outcome = fragility.on_service(fragility.CASES["one row"], "visits", sent, door, door.ask(sent))
    assert outcome == fragility.Outcome("accepted")


def expected(frame: pd.DataFrame, model: Any, small: Any, quick: Any, **directions: Any) -> list[Any]:
    return fragility.expectations(frame, model, small, quick.fragility.replace(expectations=directions))


def test_more_visits_make_leaving_less_likely(small, frame: pd.DataFrame, model, quick):
    (down,) = expected(frame, model, small, quick, visits="down")
    (up,) = expected(frame, model, small, quick, visits="up")
    assert (down.verdict, down.slice) == (gate.PASS, "visits")
    assert up.verdict == gate.FAIL
    assert up.measured > up.threshold


def test_a_model_made_to_disobey_fails_the_expectation(small, frame: pd.DataFrame, quick):
    against = frame.assign(left=frame["left"].map({"Yes": "No", "No": "Yes"}))
    (found,) = expected(frame, train.train(against, small, quick), small, quick, visits="down")
    assert found.verdict == gate.FAIL
    assert found.name == "fragility.expectation"


def test_a_number_is_raised_within_its_range_and_no_other_column_moves(small, frame: pd.DataFrame, quick):
    frames: list[pd.DataFrame] = []

    def look(rows: pd.DataFrame) -> np.ndarray:
        frames.append(rows)
        return np.zeros(len(rows))

    expected(frame, Stub(look), small, quick, visits="up")
    before, after = frames
    assert after["visits"].max() == small.columns["visits"].range[1]
    assert (after["visits"] >= before["visits"]).all()
    pd.testing.assert_frame_equal(before.drop(columns="visits"), after.drop(columns="visits"))


@pytest.mark.parametrize(
    ("column", "direction"), [("vists", "up"), ("plan", "up"), ("row", "up"), ("visits", "sideways")]
)
def test_an_expectation_that_cannot_be_is_refused(small, frame, model, quick, column: str, direction: str):
    with pytest.raises(contract.DataError, match=f"fragility.expectations, {column}: {direction}"):
        expected(frame, model, small, quick, **{column: direction})


def test_the_table_of_this_repository_is_complete():
    assert set(fragility.wanted(ROOT / "fragility.yaml")) == set(fragility.CASES)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"one row": None}, "one row"),
        ({"two rows": {"data": "accepted", "service": "accepted"}}, "two rows"),
        ({"no rows": {"data": "ignored", "service": "rejected"}}, "no rows"),
        ({"no rows": {"data": "rejected"}}, "no rows"),
        ({"no rows": "rejected"}, "no rows"),
        ({"no rows": {"data": ["rejected"], "service": "rejected"}}, "no rows"),
        ({1: {}, "two rows": {}}, "two rows"),
    ],
)
def test_a_table_that_lacks_a_case_or_has_another_word_is_refused(tmp_path: Path, change: dict[str, Any], names: str):
    path = tmp_path / "fragility.yaml"
    table = {case: row for case, row in (WANTED | change).items() if row is not None}
    path.write_text(yaml.safe_dump(table), encoding="utf-8")
    with pytest.raises(contract.DataError, match=names):
        fragility.wanted(path)


@pytest.fixture
def project(raw: pd.DataFrame, frame: pd.DataFrame, model, tmp_path: Path, monkeypatch) -> Path:
    """Lay out what the stage reads."""
    monkeypatch.chdir(tmp_path)
    for folder in ("data/prepared", "models"):
        Path(folder).mkdir(parents=True)
    raw.to_csv("data/raw.csv", sep=";", index=False)
    frame.tail(60).to_parquet("data/prepared/test.parquet")
    Path("models/model.skops").write_bytes(train.dumps(model))
    copy(ROOT / "trusted-types.yaml", tmp_path)
    values = yaml.safe_load(PARAMS)
    values["bias"]["allow"] = []
    values["fragility"] |= {"rows": ROWS, "expectations": {"visits": "down"}}
    Path("params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    Path("contract.yaml").write_text(CONTRACT, encoding="utf-8")
    Path("fragility.yaml").write_text(yaml.safe_dump(WANTED), encoding="utf-8")
    return tmp_path


def test_the_stage_writes_every_gate(project: Path):
    fragility.main()
    found = json.loads((project / "reports/ce/fragility.json").read_text(encoding="utf-8"))
    assert {g["name"].removeprefix("fragility.") for g in found["gates"]} == {
        "data", "service", "invariance", "expectation",
    }  # fmt: skip
    assert [g["slice"] for g in found["gates"] if g["verdict"] != gate.PASS] == []


def test_a_wrong_table_ends_the_stage(project: Path):
    (project / "fragility.yaml").write_text("one row: {data: accepted, service: accepted}\n", encoding="utf-8")
    with pytest.raises(contract.DataError, match="missing or unknown: column missing"):
        fragility.main()


def limits(column: Any) -> dict[str, Any]:
    """Give what the checks of a pandera column say of its values."""
    return {key: value for check in column.checks for key, value in (check.statistics or {}).items()}


def spelled(column: Any, checked: Any) -> st.SearchStrategy[str]:
    """Derive the raw texts that keep to a column: its type says how they are written, its checks which there are."""
    bounds = limits(checked)
    if column.type == "boolean":
        return st.sampled_from(list(column.labels))
    if "allowed_values" in bounds:
        return st.sampled_from(list(bounds["allowed_values"]))
    if column.type == "datetime":
        days = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))
        if column.format == "epoch_s":
            return days.map(lambda day: str(int(day.timestamp())))
        return days.map(lambda day: day.strftime(column.format))
    if column.type in contract.NUMERIC:
        kind = st.integers if column.type == "integer" else st.floats
        return kind(bounds["min_value"], bounds["max_value"]).map(lambda x: repr(x).replace(".", ","))
    return st.text(st.characters(codec="utf-8"))


def tables(small: Any) -> st.SearchStrategy[pd.DataFrame]:
    """Derive raw tables that keep to the contract, from its pandera schema."""
    columns = {"row": st.just("1")}
    for name, checked in contract.schema(small).columns.items():
        texts = spelled(small.columns[name], checked)
        columns[name] = texts | st.sampled_from(small.source.missing) if checked.nullable else texts
    return st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=6).map(lambda r: pd.DataFrame(r, dtype="str"))


def outside(column: Any, checked: Any) -> st.SearchStrategy[str]:
    """Derive raw texts that a column may not hold; a text, or a category of many values, may hold any."""
    bounds, wrong = limits(checked), []
    if not checked.nullable:
        wrong.append(st.just(""))
    if "min_value" in bounds:
        low, high = int(bounds["min_value"]), int(bounds["max_value"])
        wrong.append((st.integers(high + 1) | st.integers(max_value=low - 1)).map(str))
    if column.type == "integer" and column.role != "target":
        wrong.append(st.just("1,5"))
    if column.type != "text" and not column.many:
        wrong.append(st.sampled_from(["about five", "größer 🐧", "1,2,3"]))
    return st.one_of(wrong)


def violations(raw: pd.DataFrame, small: Any) -> list[Any]:
    frame, found = contract.parse(raw, small)
    return found + contract.validate(frame, small)


SAME = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SAME
@given(data=st.data())
def test_whatever_keeps_to_the_schema_is_taken(small, data: st.DataObject):
    assert violations(data.draw(tables(small)), small) == []


@SAME
@given(data=st.data())
def test_one_value_out_of_the_schema_is_caught_by_its_column(small, data: st.DataObject):
    raw, columns = data.draw(tables(small)), contract.schema(small).columns
    name = data.draw(
        st.sampled_from([n for n in columns if small.columns[n].type != "text" and not small.columns[n].many])
    )
    row = data.draw(st.integers(0, len(raw) - 1))
    raw.loc[row, name] = data.draw(outside(small.columns[name], columns[name]))
    assert {found.column for found in violations(raw, small)} == {name}


def test_another_unit_is_no_case_where_the_range_cannot_show_it(small, raw: pd.DataFrame, door, sent):
    zeros = [record | {"visits": 0} for record in sent]
    found = fragility.broken(raw.assign(visits="0").head(len(sent)), zeros, door, WANTED)
    (scaled,) = [g for g in found.gates if g.title == "fragility.service (unit times 1000)"]
    assert scaled.verdict == gate.PASS
    assert "for 1 column" in scaled.said  # the other number with a range
