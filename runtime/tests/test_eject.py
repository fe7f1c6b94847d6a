"""`mlproduct eject`: what it reads, arranges and refuses, and that a failure leaves no trace."""

import subprocess
import tomllib
from pathlib import Path

import pytest
from mlproduct import eject, pinned
from mlproduct.errors import DataError

VERSION = eject.__version__
ALL = [*eject.PROJECT, "conftest.py", "test_model.py"]
MAKEFILE = f"COMPILE := uv --find-links vendor --no-emit-find-links\n\n{eject.PINNED}\n"


@pytest.fixture
def wheel_files():
    table = Path(eject.__file__).parents[2] / "pyproject.toml"
    files = {f"{eject.TESTS}{name}": name.encode() for name in ALL} | {"mlproduct/team.py": b"team"}
    version = {"mlproduct/_version.py": f'__version__ = "{VERSION}"\n'.encode()}
    return files | version | {f"{eject.TESTS}pyproject.toml": table.read_bytes()}


@pytest.fixture
def repository(tmp_path, monkeypatch, wheel_files):
    monkeypatch.setattr(eject, "library", lambda pin: wheel_files)
    files = {
        "Makefile": MAKEFILE,
        "dvc.yaml": "stages:\n  imports:\n    deps:\n      - src\n      - vendor/requirements.txt\n",
        ".copier-answers.yml": "name: churn\nruntime: vendored\nstorage: local\n",
        "vendor/requirements.txt": f"./vendor/mlproduct-{VERSION}-py3-none-any.whl --hash=sha256:{'0' * 64}\n",
        f"vendor/mlproduct-{VERSION}-py3-none-any.whl": "wheel",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def git(folder, *words):
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "all")


def test_the_files_of_the_wheel_become_a_project_of_their_own(wheel_files):
    files = eject.project(wheel_files)
    assert files["src/mlproduct/team.py"] == b"team"
    assert files["tests/test_model.py"] == b"test_model.py"
    assert files["src/mlproduct/_version.py"] == f'__version__ = "{VERSION}+ejected"\n'.encode()
    table = tomllib.loads(files["pyproject.toml"].decode())
    assert table["project"]["name"] == "mlproduct"
    assert "force-include" not in table["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert table["tool"]["pytest"]["ini_options"]["testpaths"] == ["tests"]
    assert table["tool"]["ruff"]["line-length"] == 120


def test_the_repository_follows(repository):
    planned = eject.plan(repository)
    eject.apply(planned, repository)
    assert eject.IN_PLACE in (repository / "Makefile").read_text()
    assert "-c runtime/constraints.txt" in (repository / "Makefile").read_text()
    assert "      - runtime/src/mlproduct\n" in (repository / "dvc.yaml").read_text()
    assert "\nruntime: ejected\n" in (repository / ".copier-answers.yml").read_text()
    assert not (repository / "vendor").exists()
    assert "make setup" in eject.summary(planned, repository)
    commit(repository)
    with pytest.raises(DataError, match="ejected already"):
        eject.plan(repository)


def test_a_patch_that_waits_in_vendor_is_kept_and_named(repository):
    (repository / "vendor/edits").mkdir()
    (repository / "vendor/edits/columns.patch").write_text("a patch")
    commit(repository)
    planned = eject.plan(repository)
    eject.apply(planned, repository)
    assert (repository / "vendor/edits/columns.patch").read_text() == "a patch"
    assert "Kept: vendor/ (edits)" in eject.summary(planned, repository)


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("Makefile", "all:\n", "Makefile does not hold"),
        ("dvc.yaml", "stages: {}\n", "dvc.yaml does not hold"),
        (".copier-answers.yml", "name: churn\n", "runtime: vendored"),
        ("runtime/notes.txt", "mine", "runtime/ exists and is not the library"),
    ],
)
def test_what_eject_does_not_know_is_refused_and_named(repository, path, text, message):
    (repository / path).parent.mkdir(exist_ok=True)
    (repository / path).write_text(text)
    commit(repository)
    with pytest.raises(DataError, match=message):
        eject.plan(repository)
    assert git(repository, "status", "--porcelain") == ""


def test_work_that_is_not_committed_is_refused(repository):
    (repository / "new.txt").write_text("work")
    with pytest.raises(DataError, match=r"uncommitted changes \(new.txt\): commit or stash"):
        eject.plan(repository)


def test_a_failure_in_the_middle_puts_everything_back(repository, monkeypatch):
    planned = eject.plan(repository)

    def fail(self, missing_ok=False):
        raise OSError("no space left")

    monkeypatch.setattr(Path, "unlink", fail)
    with pytest.raises(OSError, match="no space left"):
        eject.apply(planned, repository)
    assert git(repository, "status", "--porcelain") == ""
    assert not (repository / "runtime").exists()


def test_a_library_without_its_tests_is_not_a_released_one():
    if "_tests" in {path.name for path in pinned.HERE.iterdir()}:
        pytest.skip("this is an installed wheel")
    with pytest.raises(DataError, match="is not a released mlproduct"):
        eject.library(pinned.Pin(None, VERSION, ()))
