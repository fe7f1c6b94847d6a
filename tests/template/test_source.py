"""What may stand in the template, whatever the answers."""

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


@pytest.mark.parametrize("mark", ["--index-url", "--extra-index-url", "--find-links", "/opt", "/root", "file:"])
def test_locks_resolve_for_a_user_elsewhere(mark: str) -> None:
    for lock in files("*.lock"):
        assert mark not in lock.read_text(encoding="utf-8")


def test_every_pin_has_a_hash() -> None:
    for lock in files("*.lock"):
        pins = [block for block in lock.read_text(encoding="utf-8").split("\n") if "==" in block and block[0].isalpha()]
        assert pins
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
