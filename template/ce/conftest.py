"""Continuous evaluation as tests: what the last `make train` measured, one test a gate. No mathematics here."""

from importlib import import_module
from pathlib import Path

import pytest
from score import counted, laid_out, read

ROOT = Path(__file__).parents[1]
PACKAGE = next(ROOT.glob("src/*/contract.py")).parent.name
gate = import_module(f"{PACKAGE}.judging.gate")
_bless = import_module(f"{PACKAGE}.judging.bless")

STAGE = {"quality": "compare", "bias": "bias", "drift": "drift", "fragility": "fragility"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the family of its file, for `pytest ce -m bias`."""
    for item in items:
        item.add_marker(item.path.stem.removeprefix("test_"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that asks for `found` one gate of its family after the other, and `part` one slice."""
    family = metafunc.definition.path.stem.removeprefix("test_")
    for fixture, name in (("found", STAGE.get(family, "")), ("part", "slices")):
        if fixture in metafunc.fixturenames:
            gates = stage(name)
            metafunc.parametrize(fixture, gates, ids=[one.title for one in gates])


def stage(name: str) -> list:
    """Read the gates of a stage."""
    try:
        return gate.Family.read(name).gates
    except FileNotFoundError:
        pytest.exit(f"reports/ce/{name}.json is missing: `make train` writes it", returncode=2)


@pytest.fixture
def named():
    """Find what was looked at, and decides nothing, by its name."""
    return {found.name: found for found in stage("alternatives")}.__getitem__


@pytest.fixture
def bless():
    """Give the module that comes to the verdict."""
    return _bless


@pytest.fixture
def passes(bless):
    """Check a gate: the failure says what was measured, the threshold, the evidence, and what to do next."""
    granted = bless.waivers()

    def check(found) -> None:
        waiver = next((waiver for waiver in granted if waiver.covers(found)), None)
        if waiver and found.verdict in (gate.FAIL, gate.NOT_COMPARABLE):
            pytest.xfail(f"known until {waiver.expires}: {waiver.reason} ({waiver.owner})")
        if found.verdict == gate.REPORTED:
            pytest.skip(f"looked at, and decides nothing: {found.said}")
        if found.verdict == gate.INCONCLUSIVE:
            pytest.skip(f"inconclusive: {found.said}")
        assert found.verdict == gate.PASS, f"{found.title}: {found.said}\nnext: {found.next}"

    return check


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Print the ML Test Score, from the tests that ran in this and earlier sessions."""
    outcomes = config.cache.get("ml_test_score/outcomes", {})
    terminalreporter.write_line("\n" + laid_out(counted(read(ROOT / "ml_test_score.yaml"), outcomes)))
