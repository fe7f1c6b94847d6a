"""A plugin for pytest: what `make train` measured as tests in ce/, one a gate, and the ML Test Score of all that ran.

A repository loads it in its conftest.py: `pytest_plugins = ["mlproduct.testing"]`. No mathematics here.
"""

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlproduct import pinned, repository, team
from mlproduct.errors import DataError
from mlproduct.evaluation import ml_test_score

os.environ.setdefault("OMP_NUM_THREADS", "1")  # of small tables: threads wait for each other longer than they work
KEPT = "ml_test_score/outcomes"
# By the file's name; gates of the team's own stand beside those of quality.
STAGES = {"quality": ("compare", "own"), "bias": ("bias",), "drift": ("drift",), "fragility": ("fragility",)}
FOLDER = "ce"
_outcomes: pytest.StashKey[dict[str, list[str]]] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Check the library that runs, and put the team's code on the path."""
    root = repository.find(config.rootpath)
    team.use_sources(root)
    try:
        pinned.check(root)
    except DataError as error:
        pytest.exit(f"error: {error}", returncode=2)
    config.stash[_outcomes] = {}


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what has been imported: it stays, and is a million objects."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Note the outcome of a test: passed, failed or skipped, over all its parameters."""
    report = yield
    if report.when == "call" or report.outcome != "passed":
        item.config.stash[_outcomes].setdefault(report.nodeid.split("[")[0], []).append(report.outcome)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep the outcomes in pytest's cache."""
    cache = getattr(session.config, "cache", None)
    if cache is not None and not hasattr(session.config, "workerinput"):
        cache.set(KEPT, cache.get(KEPT, {}) | session.config.stash.get(_outcomes, {}))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of ce/ with the family of its file, for `pytest ce -m bias`."""
    for item in items:
        if item.path.parent.name == FOLDER:
            item.add_marker(item.path.stem.removeprefix("test_"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Return a test that asks for `found` one gate of its family after the other, and `part` one slice."""
    path = metafunc.definition.path
    family = path.stem.removeprefix("test_")
    for fixture, names in (("found", STAGES.get(family, ())), ("part", ("slices",))):
        if path.parent.name == FOLDER and fixture in metafunc.fixturenames:
            gates = [gate for name in names for gate in stage(name)]
            metafunc.parametrize(fixture, gates, ids=[one.title for one in gates])


def stage(name: str) -> list[Any]:
    """Return the gates of a stage."""
    from mlproduct.evaluation.gates import Family

    try:
        return list(Family.read(name).gates)
    except FileNotFoundError:
        pytest.exit(f"reports/ce/{name}.json is missing: `make train` writes it", returncode=2)


@pytest.fixture
def named() -> Callable[[str], Any]:
    """Find what was looked at, and decides nothing, by its name."""
    return {found.name: found for found in stage("alternatives")}.__getitem__


@pytest.fixture
def passes() -> Callable[[Any], None]:
    """Check a gate: the failure says what was measured, the threshold, the evidence, and what to do next."""
    from mlproduct.evaluation import gates, verdict

    granted = verdict.waivers()

    def check(found: Any) -> None:
        waiver = next((waiver for waiver in granted if waiver.covers(found)), None)
        if waiver and found.verdict in (gates.FAIL, gates.NOT_COMPARABLE):
            pytest.xfail(f"known until {waiver.expires}: {waiver.reason} ({waiver.owner})")
        if found.verdict == gates.REPORTED:
            pytest.skip(f"looked at, and decides nothing: {found.said}")
        if found.verdict == gates.INCONCLUSIVE:
            pytest.skip(f"inconclusive: {found.said}")
        assert found.verdict == gates.PASS, f"{found.title}: {found.said}\nnext: {found.next}"

    return check


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the ML Test Score after the tests of ce/, from the tests that ran in this and earlier sessions."""
    path = config.rootpath / ml_test_score.PATH
    if not path.exists() or not any(Path(word).name == FOLDER for word in config.args):
        return
    outcomes = config.cache.get(KEPT, {}) if config.cache else {}
    points = ml_test_score.counted(ml_test_score.read(path), outcomes)
    terminalreporter.write_line("\n" + ml_test_score.render(points))
