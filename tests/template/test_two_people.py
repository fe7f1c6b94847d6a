"""Two people and one repository: both train, one merges; a colleague clones, fetches and gets the same model."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from template.conftest import commit

pytestmark = [pytest.mark.slow, pytest.mark.heavy]

Make = Callable[..., subprocess.CompletedProcess[str]]


def git(folder: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def shared(project: Path, make: Make, environment: Path) -> Path:
    """Push data and models of trained penguins to a storage beside."""
    words = [str(environment / "bin" / "dvc"), "remote", "modify", "storage", "url", "../storage"]
    subprocess.run(words, cwd=project, check=True)
    commit(project, "the storage")
    make(project, "push")
    return project


def version(folder: Path) -> str:
    return str(json.loads((folder / "models" / "meta.json").read_text(encoding="utf-8"))["version"])


def colleague(shared: Path, target: Path, environment: Path) -> Path:
    git(shared.parent, "clone", "--quiet", str(shared), str(target))
    for key, value in (("user.name", "test"), ("user.email", "test@example.org")):
        git(target, "config", key, value)
    storage = str((shared.parent / "storage").resolve())
    words = [str(environment / "bin" / "dvc"), "remote", "modify", "--local", "storage", "url", storage]
    subprocess.run(words, cwd=target, check=True)
    return target


def test_a_storage_that_is_not_here_is_named_with_its_owner_and_the_fix(
    shared: Path, make: Make, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", str(shared), "far/away/penguins")
    refused = make(tmp_path / "far" / "away" / "penguins", "pull", check=False)
    assert refused.returncode
    assert "is a folder that this machine does not have; test has set it in .dvc/config" in refused.stderr
    assert "dvc remote modify --local storage url" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_colleague_gets_the_same_model_and_training_has_nothing_to_do(
    shared: Path, make: Make, environment: Path, tmp_path: Path
) -> None:
    other = colleague(shared, tmp_path / "penguins", environment)
    make(other, "pull")
    assert version(other) == version(shared)
    output = make(other, "train").stdout
    assert "Running stage" not in output.replace("Running stage 'imports'", "")
    assert version(other) == version(shared)
    assert git(other, "status", "--porcelain").stdout == ""


def test_two_branches_that_trained_are_merged_and_trained_again(
    shared: Path, make: Make, environment: Path, tmp_path: Path
) -> None:
    desk = colleague(shared, tmp_path / "penguins", environment)
    make(desk, "pull")
    params = desk / "params.yaml"
    text = params.read_text(encoding="utf-8")
    git(desk, "checkout", "-q", "-b", "slower")
    params.write_text(text.replace("learning_rate: 0.1 ", "learning_rate: 0.05 "), encoding="utf-8")
    make(desk, "train", "WHY=slower")
    make(desk, "commit", "SAY=slower")
    git(desk, "checkout", "-q", "-b", "smaller", "main")
    params.write_text(text.replace("max_leaf_nodes: 31 ", "max_leaf_nodes: 15 "), encoding="utf-8")
    make(desk, "train", "WHY=smaller")
    make(desk, "commit", "SAY=smaller")
    assert git(desk, "merge", "slower", check=False).returncode == 1

    refused = make(desk, "train", check=False)
    assert refused.returncode
    assert "a merge is not finished: `make merge`" in refused.stderr
    assert "<<<<<<<" not in (desk / "dvc.lock").read_text(encoding="utf-8")

    output = make(desk, "merge").stdout
    assert "parameters of both combined (ours: model.max_leaf_nodes=15; theirs: model.learning_rate=0.05)" in output
    merged = params.read_text(encoding="utf-8")
    assert "learning_rate: 0.05 " in merged
    assert "max_leaf_nodes: 15 " in merged
    assert len(git(desk, "log", "-1", "--format=%P").stdout.split()) == 2
    make(desk, "commit", "SAY=both")
    assert git(desk, "status", "--porcelain").stdout == ""
    assert "Running stage" not in make(desk, "train").stdout
