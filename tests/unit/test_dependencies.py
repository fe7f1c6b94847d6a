"""Versions of libraries that the package declares."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]


def requirement(name: str) -> Requirement:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return next(each for each in map(Requirement, project["dependencies"]) if each.name == name)


def test_copier_is_capped_at_the_minor_version_that_is_tested() -> None:
    tested = Version(version("copier"))
    cap = next(Version(each.version) for each in requirement("copier").specifier if each.operator == "<")
    assert (cap.major, cap.minor) == (tested.major, tested.minor + 1)


def test_render_is_why_copier_is_capped() -> None:
    sources = (ROOT / "src/mlscaffold/render").glob("*.py")
    private = {
        name for file in sources for name in re.findall(r"from copier\.(_\w+)", file.read_text(encoding="utf-8"))
    }
    comment = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert private
    assert all(f"copier.{name}" in comment for name in private)
