"""A contract with a column of each type, and a table that keeps to it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from under_test import ROOT, contract, params

CONTRACT = """
version: 1
task: classification
positive: "Yes"
source: {path: data/raw.csv, delimiter: ";", decimal: ",", missing: ["", "NA"]}
columns:
  "größe in m": {role: feature, type: number, nullable: true, range: [0, 3]}
  visits: {role: feature, type: integer, range: [0, 100]}
  smoker: {role: feature, type: boolean, categories: ["No", "Yes"]}
  plan: {role: feature, type: category, nullable: true, categories: [basic, pro]}
  level: {role: feature, type: category, categories: [1, 2, 3]}
  joined: {role: feature, type: datetime, format: "%d.%m.%Y"}
  seen: {role: feature, type: datetime, format: epoch_s}
  comment: {role: feature, type: text, nullable: true}
  group: {role: protected, type: category, categories: [a, b]}
  row: {role: ignore, type: integer, reason: running number}
  left: {role: target, type: category, categories: ["No", "Yes"]}
"""


@pytest.fixture
def small(tmp_path: Path):
    path = tmp_path / "contract.yaml"
    path.write_text(CONTRACT, encoding="utf-8")
    return contract.Contract.load(path)


@pytest.fixture
def raw() -> pd.DataFrame:
    """Two hundred rows as texts, in which many visits make a customer stay."""
    rng = np.random.default_rng(1)
    visits = rng.integers(0, 100, 200)
    table = {
        "größe in m": [f"{x:.2f}".replace(".", ",") for x in rng.uniform(1, 2, 200)],
        "visits": [str(x) for x in visits],
        "smoker": rng.choice(["No", "Yes"], 200),
        "plan": rng.choice(["basic", "pro", ""], 200),
        "level": rng.choice(["1", "2", "3.0"], 200),
        "joined": [f"{day:02}.{month:02}.2024" for day, month in rng.integers(1, 13, (200, 2))],
        "seen": [str(x) for x in rng.integers(1_700_000_000, 1_720_000_000, 200)],
        "comment": rng.choice(["very good", "bad, slow", "", "??"], 200),
        "group": rng.choice(["a", "b"], 200),
        "row": [str(i) for i in range(200)],
        "left": np.where(visits < 40, "Yes", "No"),
    }
    return pd.DataFrame(table, index=pd.RangeIndex(1, 201, name="row"), dtype="str")


@pytest.fixture
def frame(small, raw: pd.DataFrame) -> pd.DataFrame:
    parsed, violations = contract.parse(raw, small)
    assert violations == []
    return parsed


@pytest.fixture(scope="session")
def ours():
    """Load the contract of this repository."""
    return contract.Contract.load(ROOT / "contract.yaml")


@pytest.fixture(scope="session")
def tuned():
    """Load the parameters of this repository."""
    return params.Params.load(ROOT / "params.yaml")


def changed(text: str, **values: object) -> str:
    """Give YAML with other values at its head."""
    return yaml.safe_dump(yaml.safe_load(text) | values, allow_unicode=True)
