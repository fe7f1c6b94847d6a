"""What may stand in the template, whatever the answers."""

import ast
import re
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template"


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


# What is read together: by a data scientist who changes the model, by whoever is on call, by whoever doubts a verdict.
ROOMS = {
    "data and model": (
        1030, "artifacts columns contract params prepare features model train metrics evaluate __init__"),
    "serving": (1000, (
        "serving.__init__ serving.answers serving.api serving.batch serving.contributions serving.encode serving.guard "
        "serving.ids serving.openapi serving.prediction_log serving.signals serving.variants")),
    "served form": (660, "bins export trees request predict"),
    "shipping": (520, "store package service serve ship client"),
    "operating": (300, "labels ab runbooks"),
    "practising": (490, "drill drilling.__init__ drilling.watch drilling.supervised drilling.traffic drilling.faults"),
    "releasing": (450, "changelog sbom pin rebuild release rollback"),
    "verdict": (1520, "gate champion slices bias drift fragility compare explain bless"),
    "telling": (900, "journal report ce_report"),
}  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_of_the_package_is_read_in_ten_minutes(room: str) -> None:
    most, modules = ROOMS[room]
    assert sum(lines_of_code(path) for path in files("src/**/*.py") if name_of(path) in modules.split()) <= most
    assert {name_of(path) for path in files("src/**/*.py")} == {
        name for _, names in ROOMS.values() for name in names.split()
    }


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


ORDER = [
    "artifacts", "columns", "contract", "params", "prepare", "features", "model", "train", "metrics", "gate",
    "evaluate", "champion", "slices", "bias", "drift", "bins", "request", "serving.encode", "predict", "trees",
    "export",
    "fragility", "compare", "explain", "bless", "journal", "report", "ce_report", "store",
    "serving.guard", "serving.ids", "serving.contributions", "serving.openapi", "serving.prediction_log",
    "serving.signals", "serving.variants", "serving.batch", "serving.answers", "serving.api",
    "package", "service", "serve", "client", "labels", "ab", "ship", "runbooks",
    "drilling.watch", "drilling.supervised", "drilling.traffic", "drilling.faults", "drill", "changelog",
    "sbom", "pin", "rebuild", "release", "rollback",
]  # fmt: skip


def name_of(path: Path) -> str:
    """Give the name of a module inside the package: `gate`, `serving.api`."""
    return ".".join(path.relative_to(TEMPLATE / "src" / "{{ package }}").with_suffix("").parts)


def imports_of(module: Path) -> set[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    below = f"{module.parent.name}." if module.parent.parent.name == "{{ package }}" else ""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            inside = below if node.level == 1 else ""
            found |= {inside + name for name in ([node.module] if node.module else [a.name for a in node.names])}
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
