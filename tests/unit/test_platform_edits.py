"""Which lines of a team's code name modules that are gone, and what to write instead."""

import doctest
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from mlscaffold.errors import UserError
from mlscaffold.platform_edits import library
from mlscaffold.platform_edits.imports import Gone, find_stale
from mlscaffold.platform_edits.library import find_place
from mlscaffold.platform_edits.names import Names, read_names
from mlscaffold.team_package import find_package

PATHS = {"src/churn/columns.py", "src/churn/params.py", "src/churn/judging/gate.py", "tests/under_test.py"}
MODULES = {
    "mlproduct/__init__.py": "",
    "mlproduct/errors.py": "class DataError(Exception): ...\n",
    "mlproduct/contract/columns.py": "class Contract: ...\nLIMIT: int = 3\nA = B = 1\n",
    "mlproduct/config/__init__.py": "__all__ = ['Params']\n",
    "mlproduct/config/params.py": "class Params: ...\n",
    "mlproduct/evaluation/gates.py": "def decide(): ...\n",
    "mlproduct/_tests/test_errors.py": "class DataError: ...\n",
}


def wheel(modules: dict[str, str]) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name, text in modules.items():
            archive.writestr(name, text)
    return file.getvalue()


def told(folder: Path, text: str, *, file: str = "src/churn/model.py", names: Names | None = None) -> list[str]:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)
    removed = Gone("churn", PATHS, read_names(wheel(MODULES)) if names is None else names)
    return [f"{each.line}: {each.instead}" for each in find_stale(folder, [file], removed)]


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("from .columns import Contract, DataError", "contract.columns import Contract; from E import DataError"),
        ("from .columns import LIMIT as most, B", "contract.columns import LIMIT as most, B"),
        ("from .columns import *", "contract.columns import *"),
        ("from .columns import nothing", "the library has no nothing"),
        ("from churn.params import Params", "config import Params"),
        ("from . import columns", "contract import columns"),
        ("from .judging import gate", "evaluation import gates as gate"),
        ("from .judging import gate as g", "evaluation import gates as g"),
        ("import churn.judging.gate", "import mlproduct.evaluation.gates"),
        ("import churn.judging.gate as g", "import mlproduct.evaluation.gates as g"),
        ("import under_test", "import mlproduct.testing as under_test"),
    ],
)
def test_an_import_is_named_with_what_to_write(line: str, instead: str, tmp_path: Path) -> None:
    (advice,) = told(tmp_path, f"{line}\n")
    full = instead.replace("from E", "from mlproduct.errors")
    assert advice == f"1: {full if full.startswith(('import', 'the')) else f'from mlproduct.{full}'}"


def test_imports_of_what_is_there_are_not_named(tmp_path: Path) -> None:
    lines = (
        "from .features import Text\nfrom .model import build\nimport columns\nfrom judging import gate\nimport os\n"
    )
    assert told(tmp_path, lines) == []


def test_a_conflict_is_read_on_the_teams_side_with_its_line_numbers(tmp_path: Path) -> None:
    lines = "import os\n<<<<<<< before updating\nfrom .params import Params\n=======\nfrom .columns import A\n"
    assert told(tmp_path, f"{lines}>>>>>>> after updating\nfrom .columns import Contract\n") == [
        "3: from mlproduct.config import Params",
        "7: from mlproduct.contract.columns import Contract",
    ]


def test_what_is_not_python_is_passed_over(tmp_path: Path) -> None:
    assert told(tmp_path, "from .columns import (\n") == []
    assert told(tmp_path, "python -m churn.columns\n", file="docs/notes.md") == []
    assert told(tmp_path, "cmd: python -m churn.columns\n", file="dvc.lock") == []


def test_a_command_is_named(tmp_path: Path) -> None:
    (line,) = told(tmp_path, "ours:\n\tpython -m churn.judging.gate --all\n", file="Makefile")
    assert line == "2: a verb of `mlproduct` (`mlproduct --help`), for mlproduct.evaluation.gates"


def test_without_a_wheel_the_table_answers(tmp_path: Path) -> None:
    assert read_names(b"not a wheel") == Names()
    assert told(tmp_path, "from .columns import DataError\n", names=Names()) == [
        "1: from mlproduct.contract.columns import DataError"
    ]


def test_the_example_of_a_place_runs() -> None:
    assert doctest.testmod(library).failed == 0


def test_a_module_that_has_no_point_says_how_to_keep_it() -> None:
    assert "mlproduct eject" in find_place("src/churn/shipping/ship.py", "churn").point
    assert find_place("ce/test_model.py", "churn").module == ""


def test_the_package_is_the_only_one_with_a_model(tmp_path: Path) -> None:
    assert find_package(tmp_path, {"package": "churn"}) == "churn"
    for name in ("core", "tools"):
        (tmp_path / "src" / name).mkdir(parents=True)
    (tmp_path / "src/core/model.py").touch()
    assert find_package(tmp_path, {"package": "churn"}) == "core"
    assert find_package(tmp_path, {}) == ""
    (tmp_path / "src/tools/model.py").touch()
    with pytest.raises(UserError, match="core, tools"):
        find_package(tmp_path, {"package": "churn"})
    (tmp_path / "src/churn").mkdir()
    assert find_package(tmp_path, {"package": "churn"}) == "churn"
