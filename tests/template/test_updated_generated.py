"""A trained repository of the last copied platform, updated and trained again: each row keeps its prediction."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import Run, git, serve
from template.conftest import Make, bundle_with_the_checkout, commit

pytestmark = [pytest.mark.slow, pytest.mark.heavy]
COPIED = "from penguins.train import load_model; from penguins.columns import Contract"
LIBRARY = "from mlproduct.training.train import load_model; from mlproduct.contract.columns import Contract"
PREDICT = """
import numpy as np, pandas as pd
model, contract = load_model(), Contract.load()
for part in ("train", "test"):
    frame = pd.read_parquet(f"data/prepared/{part}.parquet")
    np.save(f"{part}.npy", model.predict_proba(frame[contract.features]))
"""
Rows = dict[str, tuple[pd.DataFrame, "np.ndarray"]]


def predicted(project: Path, python: Path, imports: str) -> Rows:
    """Return the prepared rows of both parts, and what the model predicts for each row, shape (n_rows, n_classes)."""
    env = {**os.environ, "PYTHONPATH": "src"}
    subprocess.run([str(python), "-c", f"{imports}\n{PREDICT}"], cwd=project, env=env, check=True)
    found = {}
    for part in ("train", "test"):
        found[part] = (pd.read_parquet(project / f"data/prepared/{part}.parquet"), np.load(project / f"{part}.npy"))
        (project / f"{part}.npy").unlink()
    return found


def test_every_row_has_the_prediction_that_it_had_before_the_update(
    copied: Path, copied_platform: Path, environment: Path, make: Make, run: Run, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before = predicted(copied, copied_platform / ".venv" / "bin" / "python", COPIED)
    serve(bundle_with_the_checkout(tmp_path), monkeypatch)
    result = run("update", copied)
    assert result.code == 0, result.out + result.err
    assert not (copied / "src" / "penguins" / "train.py").exists()
    commit(copied, "the library")
    make(copied, "train", "WHY=the library")
    assert git(copied, "ls-files", "reports/*.html", "reports/*.png") == ""
    after = predicted(copied, environment / "bin" / "python", LIBRARY)
    for part, (rows, scores) in before.items():
        pd.testing.assert_frame_equal(after[part][0], rows)
        assert scores.shape == (len(rows), 3)
        np.testing.assert_array_equal(after[part][1], scores)
    assert "release: v1.0.0" in (copied / "champion.yaml").read_text(encoding="utf-8")
    assert git(copied, "status", "--porcelain", "src", "tests", "ce") == ""
