"""`make setup`: how large the environment is, in which folders it works, and whose it is."""

import os
import subprocess
from pathlib import Path

import pytest

from template.conftest import ROOT, Make, Render, commit  # ROOT puts scripts/ on the path

from environment_size import MEGABYTE, Environment  # isort: skip

BARS = {"MB": 760, "packages": 190}  # 0.5.2: 995 and 237


def planned(project: Path, *words: str) -> str:
    """Return what `make setup` would run."""
    done = subprocess.run(["make", "-n", "setup", *words], cwd=project, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_environment_is_lean(environment: Path) -> None:
    found = Environment.measure(environment)
    assert found.total / MEGABYTE <= BARS["MB"]
    assert 100 < len(found.packages) <= BARS["packages"]


def test_tools_of_lint_and_release_are_not_in_it(environment: Path) -> None:
    names = Environment.measure(environment).packages.keys()
    assert not {"ruff", "mypy", "pre-commit", "detect-secrets", "uv", "cyclonedx-bom", "zizmor"} & names


@pytest.mark.slow
def test_a_folder_may_hold_blanks_and_apostrophes(render: Render, tmp_path: Path) -> None:
    project = render().rename(tmp_path / "it's the model")
    commit(project)
    subprocess.run(["make", "setup"], cwd=project, check=True, env={**os.environ, "PATH": with_uv()})
    done = subprocess.run([project / ".venv/bin/mlproduct", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("mlproduct ")
    assert "was made for" not in planned(project)


def test_a_blank_in_venv_is_refused(render: Render) -> None:
    done = subprocess.run(
        ["make", "-n", "setup", "VENV=/tmp/my venv"], cwd=render(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "VENV holds a blank" in done.stderr


@pytest.mark.parametrize("suffix", ["2", "/inside"])
def test_an_environment_of_another_repository_is_made_again(render: Render, tmp_path: Path, suffix: str) -> None:
    project = render()
    (venv := tmp_path / "shared").mkdir()
    for name in ("requirements.lock", "pyproject.toml", "vendor/requirements.txt"):
        os.utime(project / name, (0, 0))
    (venv / ".ready").write_text(f"{project}\n", encoding="utf-8")
    (venv / ".library").touch()
    assert "require-hashes" not in planned(project, f"VENV={venv}")
    (venv / ".ready").write_text(f"{project}{suffix}\n", encoding="utf-8")
    assert f"was made for {project}{suffix}: it is made again" in planned(project, f"VENV={venv}")


def test_a_lesson_that_says_nothing_is_refused(render: Render, make: Make) -> None:
    project = render()
    commit(project)
    for words in (["lesson"], ["lesson", "SAY="], ["lesson", "SAY= "]):
        refused = make(project, *words, check=False)
        assert refused.returncode == 2
        assert "an empty argument is not a value" in refused.stderr


def test_text_for_a_verb_may_hold_quotes(render: Render) -> None:
    done = subprocess.run(
        ["make", "lesson", """SAY=it's "worse" `now`""", "VENV=none", "-o", "setup"],
        cwd=render(), capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": f"{echoing(render())}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == """lesson|it's "worse" `now`|"""


def echoing(folder: Path) -> Path:
    """Write a command `mlproduct` that prints its words."""
    (folder / "mlproduct").write_text("#!/bin/sh\nprintf '%s|' \"$@\"\n", encoding="utf-8")
    (folder / "mlproduct").chmod(0o755)
    return folder


def with_uv() -> str:
    """Return the path with this project's tools in front."""
    return f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
