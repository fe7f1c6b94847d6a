"""params.yaml: what is missing has its default, what is unknown or not allowed is refused, with the fix."""

import json
from argparse import Namespace
from pathlib import Path

import pytest
import yaml
from mlproduct import config as params
from mlproduct.cli.verbs import params as verb
from mlproduct.config import yaml_file
from mlproduct.contract import validation as contract
from mlproduct_tests.repository import ROOT
from mlproduct_tests.samples import PARAMS

DataError = contract.DataError


def refused(document: object) -> list[str]:
    """Return the lines of the error, without the name of the file."""
    with pytest.raises(DataError) as found:
        params.Params.of(document)
    return [line.removeprefix("params.yaml, ").removeprefix("params.yaml: ") for line in str(found.value).split("\n")]


@pytest.mark.parametrize("document", [None, {}, {"model": None}, {"model": {}, "own": None}])
def test_what_is_missing_has_its_default(document):
    assert params.Params.of(document) == params.Params()


def test_a_value_that_is_set_stays_and_the_others_have_their_defaults():
    found = params.Params.of({"model": {"max_iter": 7}})
    assert found.model == params.Model(max_iter=7)
    assert (found.model.max_iter, found.model.learning_rate, found.prepare) == (7, 0.1, params.Prepare())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"model": {"max_itr": 3}}, "model: unknown key 'max_itr'; did you mean 'max_iter'?"),
        ({"log": {"q": 3}}, "log: unknown key 'q'; known: rotate_megabytes, keep_files"),
        ({"log": {1: 3}}, "log: unknown key 1; known: rotate_megabytes, keep_files"),
        ({"modle": {"max_iter": 3}}, "unknown section 'modle'; did you mean 'model'?"),
        ({"modle": None}, "unknown section 'modle'; did you mean 'model'?"),
        ({True: {}}, ("unknown section True; known: prepare, model, evaluate, compare, slices, bias, drift, fragility, "
            "log, rollout, objectives, service, own")),
        ({"model": 3}, "model: 3 is not `key: value` lines"),
        ([1], "holds sections, and each section `key: value` lines"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_refused_with_the_closest_known_one(document: object, message: str):
    assert refused(document) == [message]


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("prepare", "test_size", 1.5, "1.5 is not a number from 0.01 to 0.99"),
        ("prepare", "test_size", float("nan"), "nan is not a number from 0.01 to 0.99"),
        ("prepare", "test_size", None, ("has no value; write a number from 0.01 to 0.99, or remove the line for the "
            "default")),
        ("prepare", "seed", -1, "-1 is not a whole number from 0 to 4294967295"),
        ("model", "learning_rate", "fast", "'fast' is not a number from 0.000001 to 10"),
        ("model", "learning_rate", "1e-3", "'1e-3' is not a number from 0.000001 to 10; write 0.001"),
        ("model", "learning_rate", "0.3", "'0.3' is not a number from 0.000001 to 10; write 0.3 without quotes"),
        ("model", "learning_rate", True, "True is not a number from 0.000001 to 10"),
        ("model", "learning_rate", float("inf"), "inf is not a number from 0.000001 to 10"),
        ("model", "max_iter", 0, "0 is not a whole number from 1 to 2147483648"),
        ("model", "max_iter", True, "True is not a whole number from 1 to 2147483648"),
        ("model", "max_iter", 2.5, "2.5 is not a whole number from 1 to 2147483648"),
        ("model", "max_iter", 100.0, "100 is not a whole number from 1 to 2147483648; write 100"),
        ("model", "max_iter", "nan", "'nan' is not a whole number from 1 to 2147483648"),
        ("model", "max_leaf_nodes", 1, "1 is not a whole number from 2 to 2147483648"),
        ("model", "kind", 3, "3 is not text"),
        ("rollout", "mode", "spilt", "'spilt' is not one of alone, split, shadow; did you mean 'split'?"),
        ("rollout", "mode", False, "False is not one of alone, split, shadow"),
        ("bias", "allow", "sex", "'sex' is not a list of names"),
        ("slices", "two_way", ["sex", "plan"], "'sex' is not a list of 2 names"),
        ("slices", "two_way", [["sex"]], "['sex'] is not a list of 2 names"),
        ("slices", "two_way", [["sex", 1]], "1 is not text"),
        ("fragility", "expectations", {"income": 1}, "1 is not text"),
        ("fragility", "expectations", {1: "up"}, "key 1 is not text; put it in quotes"),
        ("model", "kind", ["a" * 90], "['" + "a" * 55 + "... is not text"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_allowed_is_refused(section: str, key: str, value: object, message: str):
    lines = refused({section: {key: value}})
    assert lines[0].startswith(f"{section}.{key}")
    assert lines[0].split(": ", 1)[1] == message


def test_all_errors_are_told_at_once_one_line_each():
    assert refused(
        {"model": {"max_itr": 1, "seed": "x"}, "bias": {"parity": 2}, "slices": {"two_way": [["a", 1]]}}
    ) == [
        "model.seed: 'x' is not a whole number from 0 to 4294967295",
        "model: unknown key 'max_itr'; did you mean 'max_iter'?",
        "slices.two_way[0][1]: 1 is not text",
        "bias.parity: 2 is not a number from 0 to 1",
    ]


def test_values_cannot_change_and_a_copy_is_checked_as_the_file_is(tuned):
    with pytest.raises(ValueError, match="frozen"):
        tuned.model.max_iter = 3
    assert tuned.model.replace(max_iter=3).max_iter == 3
    assert tuned.model.max_iter == 100
    for wrong in ({"max_itr": 3}, {"max_iter": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            tuned.model.replace(**wrong)


def test_the_limits_of_a_number_are_known():
    assert params.Model.limits("learning_rate") == (1e-6, 10)
    assert params.Model.limits("max_leaf_nodes") == (2, 2**31)


def test_own_takes_any_plain_values():
    own = {"depth": 3, "words": ["a", "b"], "nested": {"x": 1.5, "on": True, "none": None}}
    assert params.Params.of({"own": own}).own == own
    assert params.Params.of({"own": own}).own["depth"] == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("since: 2024-01-01", ("own.since: datetime.date(2024, 1, 1) is not a number, text, a list or a mapping; put "
            "it in quotes")),
        ("deep: {days: [2024-01-01]}", ("own.deep.days[0]: datetime.date(2024, 1, 1) is not a number, text, a list or "
            "a mapping; put it in quotes")),
        ("1: one", "own: key 1 is not text; put it in quotes"),
        ("much: .inf", "own.much: inf is not a finite number"),
    ],
)  # fmt: skip
def test_own_takes_nothing_that_cannot_be_written_as_json(text: str, message: str):
    assert refused({"own": yaml.safe_load(text)}) == [message]


def test_own_decides_about_the_model_once_it_holds_something(tuned):
    assert set(params.deciding(tuned)) == {"prepare", "model", "bias.allow"}
    assert params.deciding(tuned.replace(own={"depth": 3})) == params.deciding(tuned) | {"own": {"depth": 3}}


def test_what_decides_is_as_the_file_writes_it():
    text = PARAMS.replace("regularization: 1.0", "regularization: 1").replace("allow: []", "allow: [group]")
    written, found = yaml.safe_load(text), params.deciding(params.Params.of(yaml.safe_load(text)))
    assert found == {"prepare": written["prepare"], "model": written["model"], "bias.allow": ["group"]}
    assert json.dumps(found["model"]["regularization"]) == "1"  # not 1.0: the fingerprints of earlier runs hashed this


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model:\n  seed: 1\n  kind: linear\n  seed: 2\n", "{0}, model: key 'seed' is written twice, in lines 2 and 4"),
        ("own: {a: {b: 1, b: 2}}\n", "{0}, own.a: key 'b' is written twice, in lines 1 and 1"),
        ("own:\n  a:\n    - {b: 1}\n    - c: 1\n      c: 1\n", "key 'c' is written twice, in lines 4 and 5"),
        ("log: {}\nmodel: {}\nlog: {}\n", "{0}: key 'log' is written twice, in lines 1 and 3; remove one"),
        ("model: {seed: 1\n", "line 2: not valid YAML: expected ',' or '}}'"),
        ("own: {day: 2024-13-45}\n", "not valid YAML: month must be in 1..12"),
        ("own: !!python/object:os.system {}\n", "line 1: not valid YAML: could not determine a constructor"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_clear_is_refused(tmp_path: Path, text: str, message: str):
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as found:
        yaml_file.read_yaml(path)
    assert message.format("params.yaml") in str(found.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    path = tmp_path / "params.yaml"
    with pytest.raises(DataError, match=r"params.yaml is missing; `git restore .*params.yaml` restores"):
        params.Params.load(path)
    path.write_bytes(b"model: {kind: \xff}")
    with pytest.raises(DataError, match=r"params.yaml is not UTF-8 \(byte 14\)"):
        params.Params.load(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match=r"params.yaml cannot be read"):
        params.Params.load(path)


def test_aliases_are_read_as_yaml_reads_them(tmp_path: Path):
    path = tmp_path / "params.yaml"
    path.write_text("evaluate: &all {seed: 4}\nprepare: {<<: *all, test_size: 0.3}\n", encoding="utf-8")
    assert params.Params.load(path).prepare == params.Prepare(seed=4, test_size=0.3)
    path.write_text("own: &own {again: *own}\n", encoding="utf-8")
    assert yaml_file.read_yaml(path)["own"]["again"]["again"]


def test_the_schema_that_editors_read_is_that_of_the_code():
    assert json.loads((ROOT / "params.schema.json").read_text(encoding="utf-8")) == params.json_schema()


def test_every_value_is_explained_and_fits_a_terminal():
    schema = params.json_schema()
    fields = [field for part in schema["$defs"].values() for field in part.get("properties", {}).values()]
    assert len(fields) > 50
    assert [field for field in fields if not {"type", "default", "description"} <= set(field)] == []
    numbers = [field for field in fields if field["type"] in ("integer", "number")]
    assert [field for field in numbers if not field["minimum"] <= field["default"] <= field["maximum"]] == []
    assert max(map(len, params.explain(params.Params()).split("\n"))) <= 80


def test_what_differs_from_its_default_is_marked():
    own, long = {"depth": 3, "a" * 40: "b"}, {f"column {i}": "up" for i in range(9)}
    found = params.Params.of({"model": {"max_iter": 7}, "fragility": {"expectations": long}, "own": own})
    lines = params.explain(found).split("\n")
    assert "* model.max_iter                  7                       100" in lines
    assert [line for line in lines if line.startswith("*")] == [
        "* model.max_iter                  7                       100",
        "* fragility.expectations",
        "* differs from its default: 2 of 60",
    ]
    assert "  own.depth                       3" in lines
    at = lines.index("* fragility.expectations")
    assert lines[at + 1] == "      value: {column 0: up, column 1: up, column 2: up, column 3: up, column 4:"
    assert "      value: b" in lines
    assert max(map(len, lines)) <= 80


def test_the_command_prints_the_table_or_the_schema(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("model: {max_iter: 7}\n", encoding="utf-8")
    verb.run(Namespace(explain=True, schema=False))
    assert capsys.readouterr().out.endswith("\n* differs from its default: 1 of 60\n")
    verb.run(Namespace(explain=False, schema=True))
    assert capsys.readouterr().out == (ROOT / "params.schema.json").read_text(encoding="utf-8")
