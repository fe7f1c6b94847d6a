"""renovate.json, and what Renovate would run: its exact words, offline, with copier itself."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from .conftest import Render, commit

# renovate/lib/modules/manager/copier/artifacts.ts: the default options, then the file of answers and the version.
WORDS = ["copier", "update", "--skip-answered", "--defaults", "--answers-file", ".copier-answers.yml", "--vcs-ref"]


def test_the_bot_is_asked_for_and_looks_at_the_standard_alone(render: Render) -> None:
    assert not (render() / "renovate.json").exists()
    config = json.loads((render(renovate=True) / "renovate.json").read_text(encoding="utf-8"))
    assert config["enabledManagers"] == ["copier"]
    assert not any(rule["automerge"] for rule in config["packageRules"])


def git(folder: Path, *words: str) -> str:
    user = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    return subprocess.run(["git", *user, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_the_words_of_the_bot_update_a_repository(render: Render, template: Path, tmp_path: Path) -> None:
    releases = tmp_path / "releases"
    shutil.copytree(template, releases)
    git(releases, "tag", "v0.1.0")
    project = tmp_path / "churn"
    shutil.copytree(render(renovate=True), project)
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text())
    answers |= {"_src_path": f"git+file://{releases}", "_commit": "v0.1.0"}
    (project / ".copier-answers.yml").write_text(yaml.safe_dump(answers))
    commit(project)
    file = releases / "template" / "renovate.json"
    file.write_text(file.read_text().replace('"prConcurrentLimit": 1', '"prConcurrentLimit": 2'))
    git(releases, "commit", "-qam", "two at a time")
    git(releases, "tag", "v0.2.0")
    done = subprocess.run(
        [sys.executable, "-m", *WORDS, "v0.2.0"], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((project / "renovate.json").read_text())["prConcurrentLimit"] == 2
    assert "_commit: v0.2.0" in (project / ".copier-answers.yml").read_text()
    assert not git(project, "diff", "--name-only", "--diff-filter=U")
