"""Answers: where they come from and which place wins; names that follow from the folder."""

import keyword
import os
import re
from pathlib import Path

import pytest
import yaml

from mlscaffold.answers import _TAKEN, Answers, _taken, columns, config_file, gather, names
from mlscaffold.errors import UserError


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_nearest_place_wins(tmp_path: Path) -> None:
    write(config_file(), "owner: config\nci: gitlab\nlicense: MIT\nregistry: config\nstorage: s3\n")
    file = write(tmp_path / "answers.yaml", "owner: file\nci: none\nlicense: none\nregistry: file\n")
    environ = {"MLSCAFFOLD_OWNER": "environment", "MLSCAFFOLD_CI": "both", "MLSCAFFOLD_TARGET": "environment"}
    given = gather({"target": "flag", "time": None}, ["owner=pair", "target=pair"], file, environ)
    assert given.values["target"] == "flag"
    assert given.values["owner"] == "pair"
    assert given.values["ci"] == "none"
    assert given.values["registry"] == "file"
    assert given.values["storage"] == "s3"
    assert "time" not in given.values


def test_a_file_can_be_named_by_the_environment(tmp_path: Path) -> None:
    file = write(tmp_path / "answers.yaml", "owner: file\n")
    assert gather({}, (), None, {"MLSCAFFOLD_ANSWERS": str(file)}).values == {"owner": "file"}


def test_the_same_places_name_the_template(tmp_path: Path) -> None:
    write(config_file(), "template: https://git.acme.example/ml\nref: v1.0.0\n")
    configured = gather({}, (), None, {})
    assert (configured.template, configured.ref) == ("https://git.acme.example/ml", "v1.0.0")
    assert configured.values == {}
    assert gather({}, (), None, {"MLSCAFFOLD_TEMPLATE": "/ml"}).template == "/ml"


def test_only_what_was_typed_must_be_a_question_of_the_template(tmp_path: Path) -> None:
    write(config_file(), "anything: else\n")
    file = write(tmp_path / "answers.yaml", "owner: file\n")
    assert gather({"target": "x"}, ["ci=none"], file, {"MLSCAFFOLD_FOO": "1"}).named == ("owner", "ci")


@pytest.mark.parametrize("text", ["- a\n- b\n", "1: one\n", "a: [\n", "just words\n"])
def test_a_file_that_holds_no_answers_is_named(text: str, tmp_path: Path) -> None:
    file = write(tmp_path / "answers.yaml", text)
    with pytest.raises(UserError, match=r"answers\.yaml"):
        gather({}, (), file, {})


def test_an_empty_file_holds_no_answers(tmp_path: Path) -> None:
    assert gather({}, (), write(tmp_path / "answers.yaml", ""), {}).values == {}


@pytest.mark.parametrize("pair", ["owner", "=me", " =me"])
def test_a_pair_needs_a_name_and_a_value(pair: str) -> None:
    with pytest.raises(UserError, match="-d NAME=VALUE"):
        gather({}, [pair], None, {})


def test_a_value_may_hold_an_equals_sign() -> None:
    assert gather({}, ["description=a = b"], None, {}).values == {"description": "a = b"}


@pytest.mark.parametrize(
    ("folder", "name", "package"),
    [
        ("churn", "churn", "churn"),
        ("Churn-2", "Churn-2", "churn_2"),
        ("my churn", "my-churn", "my_churn"),
        ("größe", "gr-e", "gr_e"),
        ("class", "class", "class_model"),
        ("random", "random", "random_model"),
        ("sklearn", "sklearn", "sklearn_model"),
        ("reports", "reports", "reports_model"),
    ],
)
def test_name_and_package_follow_from_the_folder(folder: str, name: str, package: str) -> None:
    derived, notes = names(Path(folder), {})
    assert derived == {"name": name, "package": package}
    assert bool(notes) == (name != folder or package.endswith("_model"))


def test_given_names_are_taken_as_they_are() -> None:
    assert names(Path("x"), {"name": "Churn", "package": "lost"}) == ({"name": "Churn", "package": "lost"}, ())


@pytest.mark.parametrize("folder", ["123", "---", "流失"])
def test_a_folder_that_gives_no_name_is_refused(folder: str) -> None:
    with pytest.raises(UserError, match="begin with a letter"):
        names(Path(folder), {})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, ()),
        ("", ()),
        ("sex", ("sex",)),
        ("sex, age", ("sex", "age")),
        ("[sex, 'age']", ("sex", "age")),
        (["sex", 3], ("sex", "3")),
    ],
)
def test_columns_are_written_in_many_ways(answer: object, expected: tuple[str, ...]) -> None:
    assert columns(answer) == expected


def test_answers_can_be_added() -> None:
    assert Answers({"a": 1}, ("a",)).plus({"b": 2}) == Answers({"a": 1, "b": 2}, ("a",))


def test_the_users_file_is_in_the_place_of_the_platform() -> None:
    assert config_file() == Path(os.environ["XDG_CONFIG_HOME"]) / "mlscaffold" / "config.yaml"


def test_the_template_refuses_the_packages_that_are_renamed() -> None:
    questions = yaml.safe_load((Path(__file__).parents[2] / "copier.yml").read_text(encoding="utf-8"))
    refused = set(re.findall(r"'(\w+)'", questions["package"]["validator"]))
    assert {name for name in refused if not _taken(name)} == set()
    assert refused >= _TAKEN | set(keyword.kwlist) - {"False", "None", "True"}
