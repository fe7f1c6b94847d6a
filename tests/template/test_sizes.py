"""How much there is to read: of a generated repository, and of each module of the library."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from template.conftest import ROOT, Render

LIBRARY = ROOT / "runtime" / "src" / "mlproduct"
MODULES = sorted(LIBRARY.rglob("*.py"))


@pytest.fixture(scope="module")
def formatted(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Render the default profile and format its Python at 100 columns, the width in which its lines are counted."""
    tree = Path(shutil.copytree(render(), tmp_path_factory.mktemp("formatted") / "churn"))
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", "--line-length", "100", "."], cwd=tree, check=True)
    return tree


def lines(paths: Iterable[Path]) -> int:
    counted = [len(path.read_text(encoding="utf-8").splitlines()) for path in paths]
    assert counted, "no such file: this test looks at nothing"
    return sum(counted)


def test_the_team_reads_its_package_in_ten_minutes(formatted: Path) -> None:
    assert lines((formatted / "src").rglob("*.py")) <= 300


def test_tests_and_evaluation_are_short(formatted: Path) -> None:
    assert lines([*(formatted / "tests").rglob("*.py"), *(formatted / "ce").rglob("*.py")]) <= 600


def test_the_pipeline_is_short(formatted: Path) -> None:
    assert lines([formatted / "dvc.yaml"]) <= 200


def test_a_repository_has_few_files(formatted: Path) -> None:
    assert len([path for path in formatted.rglob("*") if path.is_file()]) <= 130


def name_of(path: Path) -> str:
    return path.relative_to(LIBRARY.parent).with_suffix("").as_posix().replace("/", ".")


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_module_of_the_library_fits_a_head(module: Path) -> None:
    assert lines([module]) <= 400
    too_long = {name: size for name, size in functions(module) if size > 45}
    assert not too_long


def functions(module: Path) -> Iterable[tuple[str, int]]:
    """Yield each function of a module with its number of lines, docstrings not counted."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            first = node.body[0].end_lineno if documented else node.lineno - 1
            yield node.name, (node.end_lineno or node.lineno) - (first or 0) + documented
