"""Fixtures of the samples: the contract, its table as texts and parsed, and parameters."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
import yaml
from mlproduct import config as params
from mlproduct.contract import validation as contract
from mlproduct_tests.repository import ROOT
from mlproduct_tests.samples import CONTRACT, PARAMS, drawn

# An environment without the group `test` of pyproject.toml, as that of a team that ejected the library, runs the rest.
NEED_IT = [
    path.name for path in Path(__file__).parent.glob("test_*.py") if "from hypothesis" in path.read_text("utf-8")
]
collect_ignore = [] if find_spec("hypothesis") else NEED_IT


def pytest_report_header() -> list[str]:
    """Say which tests are left out, and what brings them back."""
    if not collect_ignore:
        return []
    install = "`uv pip install --group test`, or `pip install --group test`, in this folder"
    return [f"hypothesis is missing, so {', '.join(sorted(collect_ignore))} are left out: {install}"]


@pytest.fixture(scope="module", autouse=True)
def inside() -> Iterator[None]:
    """Work in the root of the repository, as the command line does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("small") / "contract.yaml"
    path.write_text(CONTRACT, encoding="utf-8")
    return contract.Contract.load(path)


@pytest.fixture
def raw() -> pd.DataFrame:
    return drawn()


@pytest.fixture(scope="session")
def parsed(small) -> pd.DataFrame:
    """Parse the rows of `raw`, once for all tests: those who change them ask for `frame`."""
    found, violations = contract.parse(drawn(), small)
    assert violations == []
    return found


@pytest.fixture
def frame(parsed: pd.DataFrame) -> pd.DataFrame:
    return parsed.copy()


@pytest.fixture(scope="session")
def ours():
    """Load the contract of this repository."""
    return contract.Contract.load(ROOT / "contract.yaml")


@pytest.fixture(scope="session")
def tuned():
    """Give parameters that are nobody's: params.yaml is there to be changed, and these tests are of the code."""
    return params.Params.of(yaml.safe_load(PARAMS))
