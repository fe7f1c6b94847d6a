"""A step of `mlproduct ship` is left out only where it would do the very same again."""

import subprocess
from pathlib import Path

import pytest
from mlproduct.packaging import done


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    store = tmp_path / ".bentoml"
    monkeypatch.setattr(done, "STORE", store)
    monkeypatch.setattr(done, "KEPT", store / "done.json")
    subprocess.run(["git", "init", "-q"], check=True)
    (tmp_path / ".gitignore").write_text(".bentoml/\n")
    (tmp_path / "model.py").write_text("depth = 3\n")
    return tmp_path


def test_a_step_is_done_for_the_state_it_was_done_for(desk: Path):
    before = done.of_code()
    assert not done.is_done("test", before)
    done.mark_done("test", before)
    assert done.is_done("test", done.of_code())
    done.mark_done("package", "x")
    assert done.is_done("test", before)


@pytest.mark.parametrize("name", ["model.py", "tests/test_new.py", "params.yaml"])
def test_a_change_of_any_file_does_it_again(desk: Path, name: str):
    done.mark_done("test", done.of_code())
    (desk / name).parent.mkdir(exist_ok=True)
    (desk / name).write_text("depth = 4\n")
    assert not done.is_done("test", done.of_code())


def test_what_training_writes_and_git_ignores_counts_for_nothing(desk: Path):
    done.mark_done("test", done.of_code())
    (desk / "reports").mkdir()
    (desk / "reports" / "metrics.json").write_text("{}")
    (desk / "dvc.lock").write_text("x")
    assert done.is_done("test", done.of_code())


def test_a_damaged_file_or_no_git_means_not_done(desk: Path, monkeypatch: pytest.MonkeyPatch):
    done.mark_done("test", "abc")
    done.KEPT.write_text("{", encoding="utf-8")
    assert not done.is_done("test", "abc")
    monkeypatch.setenv("GIT_DIR", str(desk / "nowhere"))
    assert done.of_code() == ""
    done.mark_done("test", "")
    assert not done.is_done("test", "")
