"""The rules of the house that a tool can keep."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PACKAGE = ROOT / "src" / "mlscaffold"


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=" ".join,
)
def test_static_checks_pass(command: list[str]) -> None:
    done = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_documentation_builds(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(BIN / "mkdocs"), "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "fonts.googleapis" not in page


def test_the_reference_of_the_checks_is_generated_from_them(tmp_path: Path) -> None:
    page, kept = tmp_path / "checks.md", ROOT / "docs" / "reference" / "checks.md"
    subprocess.run([sys.executable, str(ROOT / "scripts" / "checks_reference.py"), str(page)], check=True)
    assert kept.read_text(encoding="utf-8") == page.read_text(encoding="utf-8"), (
        "checks.md is behind the code: run `python scripts/checks_reference.py`"
    )


def test_the_reference_of_the_command_line_is_generated_from_the_code(tmp_path: Path) -> None:
    page, text = tmp_path / "cli.md", tmp_path / "help.txt"
    subprocess.run([sys.executable, str(ROOT / "scripts" / "cli_reference.py"), str(page), str(text)], check=True)
    for generated, committed in ((page, ROOT / "docs" / "reference" / "cli.md"), (text, PACKAGE / "help.txt")):
        assert committed.read_text(encoding="utf-8") == generated.read_text(encoding="utf-8"), (
            f"{committed.name} is behind the code: run `python scripts/cli_reference.py`"
        )


def importers(module: str) -> set[str]:
    """Name the rooms (a module, or a folder of them) that import a library."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if any(name.split(".")[0] == module for name in names):
                found.add(path.relative_to(PACKAGE).parts[0])
    return found


@pytest.mark.parametrize(
    ("module", "owners"),
    [("rich", {"show"}), ("copier", {"render"}), ("typer", {"cli"})],
)
def test_a_library_is_imported_in_one_place(module: str, owners: set[str]) -> None:
    assert importers(module) == owners


def test_git_is_spawned_in_one_place() -> None:
    spawners = [path for path in PACKAGE.rglob("*.py") if '["git"' in path.read_text(encoding="utf-8")]
    assert spawners == [PACKAGE / "git.py"]


@pytest.mark.parametrize("command", ["--help", "--version"])
def test_a_quick_command_imports_nothing_heavy(command: str) -> None:
    code = (
        "import sys; from mlscaffold.cli import main\n"
        f"sys.argv = ['mlscaffold', '{command}']\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "heavy = {'copier', 'pandas', 'polars', 'yaml', 'jinja2', 'repo_review'}\n"
        "heavy &= {name.split('.')[0] for name in sys.modules}\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_page_of_the_library_is_the_one_its_docstrings_give(tmp_path: Path) -> None:
    page, api = tmp_path / "page.md", tmp_path / "api.txt"
    words = [str(ROOT / "scripts" / "api_reference.py"), "--page", str(page), "--api", str(api)]
    subprocess.run([sys.executable, *words], check=True)
    committed = ROOT / "docs" / "reference" / "mlproduct.md"
    assert committed.read_text() == page.read_text(), "run `python scripts/api_reference.py`"
