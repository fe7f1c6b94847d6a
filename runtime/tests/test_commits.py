"""`mlproduct commit` commits all that a training read or wrote."""

import subprocess
from pathlib import Path

import pytest
from mlproduct.errors import DataError
from mlproduct.experiments.commits import commit, uncommitted


def git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    git("config", "user.name", "test")
    git("config", "user.email", "test@example.org")
    for name, text in {".gitignore": "*.log\n", "src/churn/model.py": "depth = 3\n", "params.yaml": "model:\n"}.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    git("add", "-A")
    git("commit", "-q", "-m", "first")


def test_a_new_helper_of_the_model_is_committed_with_it():
    for name in ("src/churn/clipping.py", "tests/test_clipping.py", "reports/metrics.json", "src/churn/run.log"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("new\n", encoding="utf-8")
    Path("params.yaml").write_text("model: {}\n", encoding="utf-8")
    Path("mine.txt").write_text("of nobody else\n", encoding="utf-8")
    commit("clip")
    names = ["params.yaml", "reports/metrics.json", "src/churn/clipping.py", "tests/test_clipping.py"]
    assert git("show", "--format=%s", "--name-only").split() == ["clip", *names]
    assert uncommitted() == ["mine.txt"]


def test_nothing_to_commit_and_no_reason_are_errors():
    with pytest.raises(DataError, match="nothing to commit"):
        commit("again")
    with pytest.raises(DataError, match="says what it is for"):
        commit(" ")
