"""`make labels`: predictions and the outcomes that came back -> how good the model is live, and rows to learn from.

Writes data/live.*, in the form of the raw data and for `make drift DATA=...` as it is, and reports/live.json. A
protected column never was in the log: join it from where it is kept, if live fairness is to be judged.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlproduct.artifacts import SERVING
from mlproduct.config import load
from mlproduct.contract.columns import Contract
from mlproduct.errors import DataError
from mlproduct.evaluation.gates import Bounds, mean_bounds, plain
from mlproduct.serving.prediction_ids import Ids
from mlproduct.serving.prediction_log import OUTCOMES, PREDICTIONS

REPORT = Path("reports/live.json")


def lines(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    """Read a kind of lines, in the order of their files; the last line of a process that was killed may be cut off."""
    for file in sorted(folder.glob(f"{kind}-*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


def joined(folder: Path, about: dict[str, Any]) -> pd.DataFrame:
    """Join predictions and outcomes; of two outcomes of one prediction the later counts.

    Returns
    -------
    DataFrame of n_predictions rows
        `time`, `prediction_id`, `variant`, `model`, `prediction`, `unit`, `features`, and where they are known
        `outcome`, `value` and `loss`, in units of what guessing loses; `replaced` says that the variant has another
        model by now.
    """
    found = pd.DataFrame(list(lines(folder, PREDICTIONS)))
    if found.empty:
        raise DataError(f"there are no predictions in {folder}: `make serve` writes them there")
    outcomes = {line["prediction_id"]: line for line in lines(folder, OUTCOMES)}
    shown = found["shadow_of"].fillna(found["prediction_id"]) if "shadow_of" in found else found["prediction_id"]
    outcome_lines = [outcomes.get(prediction_id, {}) for prediction_id in shown]
    last = found.sort_values("time", kind="stable").groupby("variant")["model"].last()
    found = found.assign(
        shown=shown,
        replaced=found["model"] != found["variant"].map(last),
        unit=found.get("unit"),
        outcome=[line.get("outcome") for line in outcome_lines],
        value=[line.get("value", np.nan) for line in outcome_lines],
    )
    ids = Ids(about["version"], len(about["labels"]))
    all_scores = [_scores(ids, prediction_id) for prediction_id in found["prediction_id"]]
    found["loss"] = [
        np.nan if outcome is None or scores is None else loss(scores, outcome, about["labels"], about["guess"])
        for scores, outcome in zip(all_scores, found["outcome"], strict=True)
    ]
    return found


def _scores(ids: Ids, written: str) -> list[float] | None:
    """Read an id; a model that knew other classes has written one that says nothing here."""
    try:
        return ids.read(written).scores
    except ValueError:
        return None


def loss(scores: list[float], outcome: Any, labels: list[str], guess: float) -> float:
    """Return the loss of one prediction, as `metrics.losses` does for a table."""
    if not labels:
        return float(abs(float(outcome) - scores[0]) / guess)
    hits = [label == str(outcome) for label in labels]
    return float(sum((p - hit) ** 2 for p, hit in zip(scores, hits, strict=True)) + (not any(hits))) / guess


def performance(found: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Say how each variant does: predictions, outcomes, loss and business value with their bounds.

    A model that was replaced is told apart, by its version.
    """
    report = {}
    for (name, replaced, model), rows in found.groupby(["variant", "replaced", "model"], sort=False):
        labelled = rows[rows["loss"].notna()]
        valued = labelled[labelled["value"].notna()]
        report[f"{name}, before: {model[:8]}" if replaced else str(name)] = {
            "predictions": len(rows),
            "outcomes": len(labelled),
            "loss": asdict(bounds(labelled, "loss")),
            "right": float((labelled["prediction"].astype(str) == labelled["outcome"].astype(str)).mean()),
            "value": asdict(bounds(valued, "value")),
        }
    return report


def bounds(rows: pd.DataFrame, column: str) -> Bounds:
    """Bound a mean; rows of one unit count as one observation."""
    units = rows["unit"].fillna(rows["prediction_id"])
    return mean_bounds(rows[column].to_numpy("float64"), pd.factorize(units)[0] if len(rows) else None)


def table(found: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Lay rows with a known outcome out as the raw data: features, target, and time where the contract has one."""
    labelled = found[found["outcome"].notna() & (found["variant"] == found["variant"].iloc[0])]
    rows = pd.DataFrame(list(labelled["features"]), index=labelled.index)
    rows[contract.target] = labelled["outcome"]
    if contract.time and contract.time not in rows:
        rows[contract.time] = labelled["time"]
    for name in rows:
        if contract.columns[name].type == "datetime":
            rows[name] = _written(pd.to_datetime(rows[name], format="ISO8601", utc=True), contract.columns[name].format)
        if contract.columns[name].type == "boolean":
            rows[name] = rows[name].map(dict(enumerate(contract.columns[name].labels)))
    return rows[[name for name in contract.columns if name in rows]]


def _written(dates: pd.Series, form: str | None) -> pd.Series:
    if form in ("epoch_s", "epoch_ms"):
        return (dates - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(1, unit=form[6:])
    return dates.dt.strftime("%Y-%m-%dT%H:%M:%S" if form in (None, "iso") else form)


def write(rows: pd.DataFrame, contract: Contract) -> Path:
    """Write rows in the form of the raw data."""
    source = contract.source
    path = Path("data") / f"live{Path(source.path).suffix}"
    if source.format == "parquet":
        rows.to_parquet(path, index=False)
    else:
        absent, mark, code = source.missing[0] if source.missing else "", source.decimal, source.encoding
        rows.to_csv(path, sep=source.delimiter, decimal=mark, encoding=code, index=False, na_rep=absent)
    return path


def read_log(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the joined log of a folder, and what models/serving/serving.json says of the model."""
    about = json.loads((SERVING / "serving.json").read_text(encoding="utf-8"))
    return joined(folder, about), about


def main(folder: Path) -> None:
    """Join the log at hand and say how the model does live."""
    found, about = read_log(folder)
    contract, _ = load()
    report = performance(found)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(plain(report | {"test": {"loss": about["loss"]}}), indent=1) + "\n", encoding="utf-8")
    for name, row in report.items():
        print(f"{name}: {row['predictions']} predictions, {row['outcomes']} outcomes" + _said(row, about["loss"]))
    if found["outcome"].notna().any():
        print(f"{write(table(found, contract), contract)}: rows with their outcome; `make drift DATA=` reads it")


def _said(row: dict[str, Any], tested: float) -> str:
    if not row["outcomes"]:
        return ""
    loss = row["loss"]
    text = f"; loss {loss['value']:.3f} [{loss['low']:.3f}, {loss['high']:.3f}], {tested:.3f} on the test rows"
    value = row["value"]
    return text + (f"; value {value['value']:.3g} each" if np.isfinite(value["value"]) else "")
