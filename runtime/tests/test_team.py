"""The team's package is found, and its code in the work tree goes before any that is installed."""

import sys
from pathlib import Path

import pytest
from mlproduct import repository, team
from mlproduct.errors import DataError


@pytest.fixture
def churn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a repository whose package is `churn_team`, as the place where we work."""
    package = tmp_path / "work" / "src" / "churn_team"
    package.mkdir(parents=True)
    (tmp_path / "work" / "contract.yaml").touch()
    (package / "__init__.py").touch()
    (package / "model.py").write_text("where = 'work tree'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in sys.modules if name.startswith("churn_team")]:
        monkeypatch.delitem(sys.modules, name)
    return package


def test_the_package_is_the_one_with_a_model(churn: Path):
    (churn.parent / "tools").mkdir()
    assert team.package() == "churn_team"
    (churn.parent / "tools" / "model.py").touch()
    with pytest.raises(DataError, match=r"exactly one package with a model\.py; found: churn_team, tools"):
        team.package()
    (churn.parent / "tools" / "model.py").unlink()
    (churn / "model.py").unlink()
    with pytest.raises(DataError, match="found: none"):
        team.package()


def test_the_work_tree_goes_before_what_is_installed(churn: Path, tmp_path: Path):
    installed = tmp_path / "installed" / "churn_team"
    installed.mkdir(parents=True)
    (installed / "__init__.py").touch()
    (installed / "model.py").write_text("where = 'installed'\n", encoding="utf-8")
    sys.path.insert(0, str(installed.parent))
    team.use_sources(Path.cwd())
    team.use_sources(Path.cwd())
    assert sys.path[:2] == [str(churn.parent), str(installed.parent)]
    assert sys.path.count(str(churn.parent)) == 1
    assert team.module("model").where == "work tree"


def test_a_missing_module_names_its_file_and_the_fix(churn: Path):
    team.use_sources(Path.cwd())
    with pytest.raises(DataError, match=r"^src/churn_team/features\.py is missing; restore it with `git checkout`$"):
        team.module("features")
    (churn / "features.py").write_text("import no_such_library\n", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        team.module("features")


def test_the_repository_is_found_from_below(churn: Path, tmp_path: Path):
    assert repository.find(churn) == tmp_path / "work"
    with pytest.raises(DataError, match=r"no folder above it holds contract\.yaml and src/"):
        repository.find(tmp_path)
