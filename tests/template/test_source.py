"""What may stand in the template, whatever the answers."""

import ast
import re
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template"
PACKAGE = TEMPLATE / "src" / "{{ package }}"


def files(pattern: str) -> list[Path]:
    found = [path for path in TEMPLATE.rglob(pattern) if path.is_file() and "__pycache__" not in path.parts]
    assert found, f"no {pattern} in the template: this test looks at nothing"
    return found


def test_python_holds_no_jinja() -> None:
    sources = [path for path in files("*.py*") if path.name != "pyproject.toml.jinja"]
    jinja = re.compile(r"\{%|\{#|\{\{ ")  # f-strings have {{ too, but no blank behind it
    assert [p for p in sources if p.suffix == ".jinja" or jinja.search(p.read_text(encoding="utf-8"))] == []


def test_symlinks_and_executables_are_absent() -> None:
    for path in files("*"):
        assert not path.is_symlink()
        assert not path.stat().st_mode & stat.S_IXUSR, f"{path} is executable"


# What is read together stands in a folder: at the top what a data scientist reads, below what whoever is on call, or
# doubts a verdict, reads. For each the most lines of code, and its modules in the order of their imports; the folders
# themselves stand in that order too.
ROOMS = {
    "": (1040, "artifacts columns contract params prepare features model train metrics evaluate"),
    "answering": (410, "request encode predict"),
    "judging": (1520, "gate champion slices bias distance concept drift cases fragility compare bless"),
    "exporting": (620, "bins trees tables splits probes export"),
    "experimenting": (460, "journal explain alternatives"),
    "reporting": (660, "drawing report comment page journal_page ce_report"),
    "serving": (1010, (
        "guard ids contributions openapi prediction_log signals variants batch answers api service")),
    "shipping": (420, "store package serve client ship"),
    "operating": (300, "labels ab runbooks"),
    "drilling": (500, "watch supervised traffic faults drill"),
    "releasing": (450, "changelog sbom pin rebuild release rollback"),
}  # fmt: skip
ORDER = [".".join(filter(None, (room, name))) for room, (_, names) in ROOMS.items() for name in names.split()]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_of_the_package_is_read_in_ten_minutes(room: str) -> None:
    most, names = ROOMS[room]
    inside = [path for path in files("src/**/*.py") if path.parent == PACKAGE / room]
    assert sum(lines_of_code(path) for path in inside) <= most
    assert {path.stem for path in inside} == {"__init__", *names.split()}


def test_a_folder_of_the_package_is_a_room() -> None:
    assert {path.parent for path in files("src/**/*.py")} == {PACKAGE / room for room in ROOMS}


def lines_of_code(path: Path) -> int:
    """Count the lines that are neither blank nor comment nor docstring."""
    text = path.read_text(encoding="utf-8")
    docs = {
        number
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    numbered = enumerate(text.splitlines(), start=1)
    return sum(bool(line.strip()) and not line.strip().startswith("#") and i not in docs for i, line in numbered)


def name_of(path: Path) -> str:
    """Give the name of a module inside the package: `gate`, `serving.api`."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def imports_of(module: Path) -> set[str]:
    """Give the modules of the package that one imports: `from ..judging.gate import Gate` is `judging.gate`."""
    here = module.relative_to(PACKAGE).parent.parts
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = [*here[: len(here) + 1 - node.level], *([node.module] if node.module else [])]
            is_folder = "/".join(above) in ROOMS
            found |= {".".join([*above, name.name]) for name in node.names} if is_folder else {".".join(above)}
    return found


@pytest.mark.parametrize("module", files("src/**/*.py"), ids=name_of)
def test_a_module_imports_only_from_those_above_it(module: Path) -> None:
    if module.stem == "__init__":
        assert imports_of(module) == set()
        return
    above = ORDER[: ORDER.index(name_of(module))]
    assert imports_of(module) <= set(above)
    assert "import mlscaffold" not in module.read_text(encoding="utf-8")


@pytest.mark.parametrize("mark", ["--index-url", "--extra-index-url", "--find-links", "/opt", "/root", "file:"])
def test_locks_resolve_for_a_user_elsewhere(mark: str) -> None:
    for lock in files("*.lock"):
        assert mark not in lock.read_text(encoding="utf-8")


def test_every_pin_has_a_hash() -> None:
    for lock in files("*.lock"):
        pins = [block for block in lock.read_text(encoding="utf-8").split("\n") if "==" in block and block[0].isalpha()]
        assert len(pins) > 50
        assert all(pin.endswith("\\") for pin in pins)


def test_the_service_lock_is_a_part_of_the_lock() -> None:
    def pins(name: str) -> set[str]:
        lines = (TEMPLATE / name).read_text(encoding="utf-8").splitlines()
        return {line.split(";")[0].strip(" \\") for line in lines if line[:1].isalpha()}

    assert pins("requirements-service.lock") < pins("requirements.lock")


def test_no_address_of_a_registry_stands_in_the_repository() -> None:
    hosts = ["pypi" + ".org", "python" + "hosted.org", "registry." + "npmjs", "deb." + "debian.org"]
    for host in hosts:
        found = subprocess.run(["git", "grep", "-lI", host], cwd=ROOT, capture_output=True, text=True, check=False)
        assert found.stdout == "", f"{host} is named in {found.stdout}"
