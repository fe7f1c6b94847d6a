"""The team's model: it learns from the rows of this repository, and is the same when it is trained again."""

from pathlib import Path

import pytest
from mlproduct.config import Params, load
from mlproduct.contract.columns import Contract
from mlproduct.contract.validation import parse, read
from mlproduct.training import train

ROWS = 300
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def given() -> tuple[Contract, Params]:
    return load(ROOT)


@pytest.fixture(scope="module")
def frame(given: tuple[Contract, Params]):
    """Return some rows of the raw data, of each class where there are classes."""
    contract, _ = given
    if not (ROOT / contract.source.path).exists():
        pytest.skip(f"{contract.source.path} is not here: `make pull` fetches it")
    rows, violations = parse(read(ROOT / contract.source.path, contract), contract)
    assert not violations
    rows = rows[rows[contract.target].notna()]
    return rows.sample(min(ROWS, len(rows)), random_state=1)


def test_it_learns_from_the_rows_of_this_repository(given, frame):
    contract, params = given
    model = train.train(frame, contract, params)
    assert len(model.predict(frame[contract.features])) == len(frame)
    assert not set(contract.protected) - set(params.bias.allow) & set(model.feature_names_in_)


def test_the_same_training_gives_the_same_file(given, frame):
    contract, params = given
    files = {train.dumps(train.train(frame, contract, params)) for _ in range(2)}
    assert len(files) == 1


def test_a_row_without_any_value_is_predicted(given, frame):
    contract, params = given
    model = train.train(frame, contract, params)
    empty = frame[contract.features].reindex([-1])  # no row has this number: all values are missing
    assert len(model.predict(empty)) == 1
