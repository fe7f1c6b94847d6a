"""The params.yaml of a new repository: it writes out the defaults of the code, and editors find its schema."""

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from .conftest import Render

DEFAULTS = "import json; from mlproduct.config import Params; print(json.dumps(Params().model_dump()))"


@pytest.fixture(scope="module")
def project(render: Render) -> Path:
    return render()


def python(project: Path, environment: Path, *words: str) -> str:
    env = {"PYTHONPATH": "src", "PATH": ""}
    words = (str(environment / "bin" / "python"), *words)
    done = subprocess.run(words, cwd=project, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_params_yaml_holds_the_defaults_of_the_code(project: Path, environment: Path) -> None:
    written = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    # As text: 1 is not 1.0, and sections and keys are in the order of the code.
    assert json.dumps(written) == python(project, environment, "-c", DEFAULTS).strip()


def test_every_value_has_a_comment(project: Path) -> None:
    lines = (project / "params.yaml").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("  ") and " # " not in line] == []


def test_editors_find_the_schema(project: Path) -> None:
    first = (project / "params.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=params.schema.json"
    schema = json.loads((project / "params.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    accepts = jsonschema.Draft202012Validator(schema).is_valid
    assert accepts(yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8")))
    assert accepts({"model": {"max_iter": 7}, "own": {"depth": [1, "a", None]}})
    for wrong in ({"max_itr": 7}, {"max_iter": "7"}, {"max_iter": 0}, {"max_iter": 1.5}):
        assert not accepts({"model": wrong})


def test_all_parameters_are_shown_and_none_differs(project: Path, environment: Path) -> None:
    output = python(project, environment, "-m", "mlproduct", "params", "--explain")
    assert output.endswith("* differs from its default: 0 of 60\n")


def test_the_teams_own_values_run_the_stages_that_train_and_those_that_call_extensions(project: Path) -> None:
    stages = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    named = {name: keys(stage) for name, stage in stages.items()}
    trained = {name for name, params in named.items() if "model" in params}
    assert "train" in trained
    assert {name for name, params in named.items() if "own" in params} == {"prepare", "evaluate"} | trained


def keys(stage: dict) -> list[str]:
    """Return the parameters of a stage: keys of the file that holds them with the defaults of those left out."""
    return [key for file in stage.get("params", []) for key in file.get("reports/params.yaml", [])]
