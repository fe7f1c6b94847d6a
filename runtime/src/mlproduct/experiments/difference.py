"""On request: whether it was the data or the parameters, and how much of a difference is noise."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from mlproduct import team
from mlproduct.config import Params, load
from mlproduct.contract.columns import Contract
from mlproduct.contract.validation import parse, read
from mlproduct.data.prepare import TEST, TRAIN, clusters, prepare
from mlproduct.errors import DataError
from mlproduct.evaluation.champion import Champion
from mlproduct.evaluation.gates import Family, mean_bounds
from mlproduct.evaluation.metrics import losses
from mlproduct.evaluation.predictions import keys, predicted
from mlproduct.training.train import train


def noise(train_rows: pd.DataFrame, test: pd.DataFrame, contract: Contract, params: Params) -> dict[str, float]:
    """Train with other seeds, on resampled rows, and give how far the losses of such equals lie apart.

    Where the model draws no lots, another seed gives the same model; the rows it happened to get are then the noise.
    """
    labels, found = [str(label) for label in contract.labels], []
    for i in range(params.compare.seeds):
        rows = train_rows.sample(len(train_rows), replace=True, random_state=params.model.seed + i)
        model = train(rows, contract, params.replace(model=params.model.replace(seed=params.model.seed + i)))
        found.append(float(losses(predicted(model, test, contract), labels).mean()))
    return {
        "trainings": len(found),
        "mean": float(np.mean(found)),
        "spread": float(np.std(found, ddof=1)) if len(found) > 1 else 0.0,
        "largest_difference": float(np.ptp(found)),
    }


def old_inputs(champion: Champion, folder: Path) -> tuple[pd.DataFrame, Contract, Params]:
    """Fetch back the rows, contract and parameters that the champion was trained with.

    Raises
    ------
    DataError
        If there is no champion, or its data is neither here nor in the storage.
    """
    if champion.release is None:
        raise DataError(
            "there is no release to explain a difference from: `git tag v1.0.0` makes one, AGAINST=REV names one"
        )
    contract, params = load(champion.folder)
    raw = folder / Path(contract.source.path).name
    get = ["dvc", "get", ".", contract.source.path, "--rev", str(champion.commit), "--out", str(raw), "--quiet"]
    if subprocess.run(get, capture_output=True, check=False).returncode:
        raise DataError(
            f"the data of {champion.release} is neither here nor in the storage: `dvc fetch --all-tags` may help"
        )
    return parse(read(raw, contract), contract)[0], contract, params


def two_by_two(champion: Champion, contract: Contract, params: Params) -> list[dict[str, object]]:
    """Train on old and new data, with old and new parameters, by today's code; score all four on the same rows.

    Judged on the test rows of today that none of the four was trained on.
    """
    train_rows, test = pd.read_parquet(TRAIN), pd.read_parquet(TEST)
    with tempfile.TemporaryDirectory() as folder:
        frame, old_contract, old_params = old_inputs(champion, Path(folder))
    if old_contract.features != contract.features or old_contract.labels != contract.labels:
        raise DataError("features or classes differ from the champion's: old and new rows do not fit one model")
    split = team.extension("split", old_params.own)
    old_rows = prepare(frame, old_contract, old_params.prepare, split)[0]
    unseen = ~keys(test, contract).isin(keys(old_rows, contract)).to_numpy()
    if unseen.sum() < 10:
        raise DataError("the old data holds all test rows of today: there is nothing left to judge on")
    test, labels = test[unseen], [str(label) for label in contract.labels]
    found = []
    for data, rows in (("old", old_rows), ("new", train_rows)):
        for tuned, chosen in (("old", old_params), ("new", params)):
            loss = losses(predicted(train(rows, contract, params.replace(model=chosen.model)), test, contract), labels)
            bounds = mean_bounds(loss, clusters(test, contract))
            found.append(
                {
                    "data": data,
                    "params": tuned,
                    "rows": len(rows),
                    "judged": len(test),
                    "loss": bounds.value,
                    "low": bounds.low,
                    "high": bounds.high,
                }
            )
    return found


def measure_noise() -> None:
    """Print how far the losses of equal models lie apart, and write reports/ce/noise.json."""
    contract, params = load()
    found = noise(pd.read_parquet(TRAIN), pd.read_parquet(TEST), contract, params)
    Family("noise", [], found).write()
    print(
        f"{found['trainings']} trainings: loss {found['mean']:.4f}, spread {found['spread']:.4f}; "
        f"a difference under {2 * found['spread']:.4f} says nothing"
    )


def attribute() -> None:
    """Print the 2x2 of old and new data and parameters, and write reports/ce/explain.json."""
    contract, params = load()
    rows = two_by_two(Champion.load(), contract, params)
    Family("explain", [], {"rows": rows}).write()
    print(f"{'data':6} {'params':8} {'loss':>8}   (on {rows[0]['judged']} rows; 1 is a guess)")
    for row in rows:
        print(f"{row['data']:6} {row['params']:8} {row['loss']:8.4f}   [{row['low']:.4f}, {row['high']:.4f}]")
