"""The wheel, away from the checkout and from any network, makes what `copier copy` of the template makes."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import mlscaffold
from conftest import git

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "src" / "mlscaffold" / "template.bundle"
VERSION = f"v{mlscaffold.__version__}"
# What differs on purpose: where the template comes from.
OURS = {".copier-answers.yml", ".mlscaffold/template.bundle"}
OFFLINE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "GIT_ALLOW_PROTOCOL": "file"}

# One worker builds the wheel once.
pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it where nothing else is."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(folder.glob("*.whl"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*pip, str(folder / "site"), str(wheel)], check=True, capture_output=True)
    return folder / "site"


def surroundings() -> dict[str, str]:
    # The wheel's copy of the code must not count as code that nobody tested.
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def run(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**surroundings(), **OFFLINE, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=True)


def tree(folder: Path) -> Mapping[str, tuple[bytes, bool]]:
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: (path.read_bytes(), os.access(path, os.X_OK))
        for name, path in sorted(files.items())
        if not name.startswith(".git/") and name not in OURS
    }


def test_the_wheel_stands_alone(installed: Path, tmp_path: Path) -> None:
    code = "import mlscaffold; print(mlscaffold.__file__)"
    environ = {**surroundings(), "PYTHONPATH": str(installed)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).is_relative_to(installed)
    assert (installed / "mlscaffold" / "template.bundle").read_bytes() == BUNDLE.read_bytes()
    assert not (installed / "template").exists()


def test_the_wheel_makes_what_copier_makes_from_git(installed: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(BUNDLE), "template.git")
    url = f"git+file://{tmp_path}/template.git"
    run(installed, tmp_path, "mlscaffold", "new", "ours/churn", "--defaults")
    run(installed, tmp_path, "mlscaffold", "new", "url/churn", "--defaults", "--template", url)
    run(installed, tmp_path, "copier", "copy", "--defaults", "-d", "name=churn", "-r", VERSION, url, "theirs/churn")
    theirs = tree(tmp_path / "theirs" / "churn")
    assert len(theirs) > 30
    assert tree(tmp_path / "ours" / "churn") == theirs
    assert tree(tmp_path / "url" / "churn") == theirs
    answers = [(tmp_path / way / "churn" / ".copier-answers.yml").read_text() for way in ("url", "theirs", "ours")]
    assert answers[0] == answers[1]
    assert answers[2] == answers[1].replace(url, ".mlscaffold/template.bundle")


def test_a_fresh_project_of_the_wheel_is_up_to_date(installed: Path, tmp_path: Path) -> None:
    run(installed, tmp_path, "mlscaffold", "new", "churn", "--defaults")
    assert "Nothing to do" in run(installed, tmp_path, "mlscaffold", "update", "churn").stdout
    run(installed, tmp_path / "churn", "copier", "update", "--defaults")
    assert git(tmp_path / "churn", "status", "--porcelain") == ""
