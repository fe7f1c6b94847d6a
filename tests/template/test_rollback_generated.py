"""Releases made with other libraries than the one at hand: each is packaged and served by its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from template.conftest import Render, commit, tag
from template.newer import MARKER, newer_wheel, overlay, vendor
from template.serving import served
from template.test_generated import Make

pytestmark = [pytest.mark.slow, pytest.mark.heavy]
Run = Callable[..., str]
UNPACKED = "its library is another: mlproduct-"
MADE = "making an environment for it"


@pytest.fixture(scope="module")
def newer(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install a newer library beside all that the shared environment holds."""
    folder = tmp_path_factory.mktemp("newer")
    return overlay(environment, newer_wheel(folder), folder / "venv")


@pytest.fixture(scope="module")
def bumped(project: Path, newer: Path) -> Path:
    """Release the model with the library at hand as v1.0.0, and again with a newer one as v1.1.0."""
    tag(project, "v1.0.0")
    (wheel,) = newer.parent.glob("wheel/*.whl")
    vendor(project, wheel)
    commit(project, "a newer library")
    tag(project, "v1.1.0")
    return project


@pytest.fixture(scope="module")
def run(newer: Path, ops_environment: Path) -> Run:
    """Run a verb where the newer library is installed."""

    def running(project: Path, *words: str) -> str:
        for done in (ops_environment / ".ready", newer / ".ready", newer / ".library"):
            done.touch()  # nothing is to be set up
        command = ["make", *words, f"VENV={newer}", f"OPS={ops_environment}"]
        env = {**os.environ, "PYTHONPATH": "src"}
        ran = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return running


def git(project: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=project, capture_output=True, text=True, check=True).stdout.strip()


def told(project: Path, environment: Path) -> dict[str, Any]:
    """Serve the newest Bento, and ask what it is."""
    with served(project, environment) as service:
        status, found = service.ask("/version")
    assert status == 200
    return dict(found)


def test_an_old_bento_is_served_by_the_library_it_was_packaged_with(bumped: Path, newer: Path) -> None:
    assert "library" not in told(bumped, newer)


def test_two_releases_roll_back_each_with_its_own_library(bumped: Path, newer: Path, run: Run) -> None:
    run(bumped, "package")
    assert told(bumped, newer)["library"] == MARKER

    output = run(bumped, "rollback")
    assert "is back at v1.0.0" in output
    assert UNPACKED in output
    assert MADE not in output
    assert "library" not in told(bumped, newer)

    output = run(bumped, "rollback", "VERSION=v1.1.0")
    assert "is back at v1.1.0" in output
    assert UNPACKED not in output
    assert told(bumped, newer)["library"] == MARKER


def make_thin(project: Path, thin: Path) -> None:
    """Bring a repository to the thin layout by hand: the files of the standard are exchanged, the team's stay."""
    kept = ("data", "experiments", "reports", "models", "contract.yaml", "champion.yaml", "waivers.yaml", "dvc.lock")
    for path in project.iterdir():
        if path.name not in (*kept, ".git", ".dvc"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in thin.iterdir():
        if path.name not in (*kept, ".git", ".dvc"):
            shutil.copytree(path, project / path.name) if path.is_dir() else shutil.copy2(path, project)
    commit(project, "the thin layout")


def test_a_release_of_a_copied_platform_rolls_back_from_the_thin_layout(
    copied: Path, render: Render, make: Make, ops_environment: Path, environment: Path
) -> None:
    model = json.loads((copied / "models" / "meta.json").read_text(encoding="utf-8"))["version"]
    make_thin(copied, render(name="penguins"))
    trained = make(copied, "train", "WHY=the library")
    assert "release: v1.0.0" in (copied / "champion.yaml").read_text(encoding="utf-8"), trained.stdout
    commit(copied, "trained with the library")
    tag(copied, "v1.1.0")

    output = make(copied, "rollback", "WHY=callers complained", f"OPS={ops_environment}").stdout
    assert "is back at v1.0.0" in output
    assert MADE in output
    assert git(copied, "tag", "--list", "withdrawn/*") == "withdrawn/v1.1.0"
    assert git(copied, "status", "--porcelain") == ""
    found = told(copied, environment)
    assert (found["model"], found["commit"]) == (model, git(copied, "rev-parse", "v1.0.0^{}"))
