"""Which Python and which library rebuild a release: as little is made for it as will do."""

import hashlib
import shutil
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from mlproduct.errors import DataError
from mlproduct.release.environment import environment
from mlproduct_tests.repository import PACKAGE

INSTALLED = metadata.requires("mlproduct") or []
SETUP = "setup:\n\tmkdir -p $(VENV)/bin && touch $(VENV)/bin/python\n"


def vendor(folder: Path, marker: str, requires: list[str]) -> None:
    """Write a wheel with one module, and the line that pins it."""
    (folder / "vendor").mkdir(exist_ok=True)
    wheel = folder / "vendor" / "mlproduct-0.6.0-py3-none-any.whl"
    lines = ["Metadata-Version: 2.4", "Name: mlproduct", "Version: 0.6.0", *(f"Requires-Dist: {r}" for r in requires)]
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("mlproduct/__init__.py", f"MARKER = {marker!r}\n")
        archive.writestr("mlproduct-0.6.0.dist-info/METADATA", "\n".join(lines) + "\n")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "vendor/requirements.txt").write_text(f"./vendor/{wheel.name} --hash=sha256:{digest}\n")


def repository(folder: Path, marker: str = "old", requires: list[str] = INSTALLED, lock: str = "numpy==2") -> Path:
    (folder / "src" / PACKAGE).mkdir(parents=True)
    (folder / "src" / PACKAGE / "model.py").touch()
    (folder / "requirements.lock").write_text(lock)
    (folder / "Makefile").write_text(SETUP)
    vendor(folder, marker, requires)
    return folder


@pytest.fixture
def at_hand(tmp_path, monkeypatch):
    """Work in a repository that pins a newer library."""
    monkeypatch.chdir(repository(tmp_path / "new", "new"))


def own(tree: Path) -> Path:
    return tree / ".venv" / Path(sys.executable).parent.name / "python"


def test_the_same_lock_and_library_need_nothing(at_hand, tmp_path):
    tree = repository(tmp_path / "tree", "new")
    with environment(tree) as found:
        assert (found.python, found.path) == (Path(sys.executable), (tree / "src",))


def test_where_only_the_wheel_differs_it_is_unpacked_and_comes_first(at_hand, tmp_path):
    tree = repository(tmp_path / "tree")
    with environment(tree) as found:
        library, src = found.path
        assert (found.python, src) == (Path(sys.executable), tree / "src")
        assert (library / "mlproduct/__init__.py").read_text() == "MARKER = 'old'\n"
        assert found.variables()["PYTHONPATH"].startswith(str(library))
    assert not library.exists()


@pytest.mark.parametrize(
    "other", [{"lock": "numpy==1"}, {"requires": [*INSTALLED, "leftpad"]}], ids=["the lock", "the wheel's requirements"]
)
def test_other_packages_need_an_environment_of_their_own(at_hand, tmp_path, other):
    tree = repository(tmp_path / "tree", **other)
    with environment(tree) as found:
        assert (found.python, found.path) == (own(tree), (tree / "src",))
        assert found.python.exists()


def test_a_library_from_an_index_is_installed_anew(at_hand, tmp_path):
    tree = repository(tmp_path / "tree")
    (tree / "vendor/requirements.txt").write_text(f"mlproduct==0.6.0 --hash=sha256:{'0' * 64}\n")
    with environment(tree) as found:
        assert found.python == own(tree)


def test_an_ejected_library_is_that_of_the_work_tree(at_hand, tmp_path):
    tree = repository(tmp_path / "tree")
    shutil.rmtree(tree / "vendor")
    (tree / "runtime/src/mlproduct").mkdir(parents=True)
    with environment(tree) as found:
        assert (found.python, found.path) == (Path(sys.executable), (tree / "runtime/src", tree / "src"))


@pytest.mark.parametrize("name", ["releasing/rebuild.py", "rebuild.py"])
def test_a_copied_platform_comes_with_its_package(at_hand, tmp_path, name):
    tree = repository(tmp_path / "tree")
    shutil.rmtree(tree / "vendor")
    (tree / "src" / PACKAGE / name).parent.mkdir(exist_ok=True)
    (tree / "src" / PACKAGE / name).touch()
    with environment(tree) as found:
        assert (found.python, found.path) == (Path(sys.executable), (tree / "src",))


def test_packages_that_cannot_be_installed_are_an_error(at_hand, tmp_path):
    tree = repository(tmp_path / "tree", lock="numpy==1")
    (tree / "Makefile").write_text("setup:\n\texit 1\n")
    with pytest.raises(DataError, match="cannot be installed"), environment(tree):
        pass


def test_variables_of_make_are_not_passed_on(at_hand, tmp_path, monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "VERSION=v1.0.0")
    with environment(repository(tmp_path / "tree", "new")) as found:
        assert "MAKEFLAGS" not in found.variables()
