"""A generated repository's own tests, all of them, as its CI runs them."""

import re
from pathlib import Path

import pytest

from template.conftest import Render, commit
from template.test_generated import Make

pytestmark = [pytest.mark.slow]


def test_every_test_of_a_fresh_repository_passes(render: Render, make: Make) -> None:
    project = render(name="penguins")
    commit(project)
    output = make(project, "test").stdout
    assert " passed" in output
    assert "failed" not in output
    score = make(project, "train", "ce").stdout
    found = sections(score)
    assert min(found[name] for name in ("data", "infrastructure", "monitoring")) >= 4
    # 120 penguins to test on: no slice has 200 rows, nobody is protected; what a linear model would do is looked at
    assert found["model"] >= 2
    assert "quality is enough in each important slice: ce/test_quality.py::test_slice had nothing to look at" in score


def test_tests_may_be_packages(project: Path, make: Make) -> None:
    collect = "ARGS=tests ce --collect-only"
    before = make(project, "test", collect).stdout
    for folder in ("tests", "ce"):
        (project / folder / "__init__.py").touch()
    assert collected(make(project, "test", collect).stdout) == collected(before) > 20


def collected(output: str) -> int:
    """Read how many tests pytest found, and that it could import all of them."""
    assert "errors during collection" not in output
    return int(re.findall(r"^(\d+) tests collected", output, re.MULTILINE)[0])


def sections(output: str) -> dict[str, float]:
    """Read the points of each section of the ML Test Score, as `make ce` prints them."""
    score = output[output.index("ML Test Score") :]
    return {name: float(points) for name, points in re.findall(r"^  (\w+) +([\d.]+) of 7$", score, re.MULTILINE)}
