"""Outputs that an older version committed, and that DVC is to cache now."""

import subprocess
from pathlib import Path

import pytest
from mlproduct.experiments.outputs import cached_outputs, untrack_outputs

PIPELINE = """\
stages:
  prepare:
    cmd: prepare
    outs: [data/prepared]
  report:
    cmd: report
    outs:
      - docs/model-card.md: {cache: false}
      - reports/ce.html
    plots:
      - reports/roc.json: {template: simple}
      - reports/curves.png
"""
CACHED = ["data/prepared", "reports/ce.html", "reports/roc.json", "reports/curves.png"]


def git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    for name in ("docs/model-card.md", "reports/ce.html", "reports/journal.html", "reports/curves.png", "reports/é.md"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("written\n", encoding="utf-8")
    return tmp_path


def test_what_is_cached_leaves_git_and_stays_on_disk(repository: Path):
    git("init", "-q")
    git("add", "-A")
    assert untrack_outputs() == ["reports/ce.html", "reports/curves.png", "reports/journal.html"]
    assert git("ls-files", "-z").split("\0")[:-1] == ["docs/model-card.md", "dvc.yaml", "reports/é.md"]
    assert Path("reports/ce.html").read_text(encoding="utf-8") == "written\n"
    assert untrack_outputs() == []


def test_a_repository_without_cached_outputs_keeps_all_its_files(repository: Path):
    git("init", "-q")
    git("add", "-A")
    Path("dvc.yaml").write_text("stages: {}\n", encoding="utf-8")
    assert untrack_outputs() == ["reports/journal.html"]
    Path("dvc.yaml").unlink()
    assert untrack_outputs() == []
    assert len(git("ls-files").splitlines()) == 5


def test_without_git_there_is_nothing_to_do(repository: Path):
    assert cached_outputs() == CACHED
    assert untrack_outputs() == []
