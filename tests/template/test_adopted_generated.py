"""Adopted repositories run: the standard's verbs beside the team's old code."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import layouts
from conftest import Run, git

Make = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.slow


def test_a_flat_folder_is_adopted_and_shipped(tmp_path: Path, run: Run, template: Path, make: Make) -> None:
    folder = layouts.flat(tmp_path / "leavers")
    before = {name: (folder / name).read_bytes() for name in git(folder, "ls-files").split()}
    result = run("adopt", folder, "--target", "churned", "--defaults", "--template", template)
    assert (result.code, "100 after" in result.out) == (0, True), result.out + result.err
    git(folder, "commit", "-qm", "adopt")
    shipped = make(folder, "ship")
    assert "== leavers ships" in shipped.stdout
    assert "test rows over HTTP match the model" in shipped.stdout
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert run("check", folder).code == 0


def test_a_cookiecutter_tree_trains_once_the_proposal_is_merged(
    tmp_path: Path, run: Run, template: Path, make: Make
) -> None:
    folder = layouts.cookiecutter(tmp_path / "leavers")
    result = run("adopt", folder, "--target", "churned", "--defaults", "--template", template)
    assert (result.code, "needs the standard's parts of .gitignore, Makefile" in result.out) == (1, True), result.out
    git(folder, "commit", "-qm", "adopt")
    git(folder, "merge", "-q", "--no-edit", "mlscaffold/adopt")
    make(folder, "data", "train")
    assert (folder / "reports/verdict.json").is_file()
    assert (folder / "src/models/train_model.py").read_text() == layouts.COOKIECUTTER["src/models/train_model.py"]
    assert ".env" not in git(folder, "status", "--porcelain", "--untracked-files=all").split()
