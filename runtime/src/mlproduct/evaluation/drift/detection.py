"""Has the world moved? Train against test, and the reference against any new file, by size of effect."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlproduct.config import Drift, Params, load
from mlproduct.contract.columns import Contract
from mlproduct.contract.validation import parse, read
from mlproduct.data.prepare import TEST, TRAIN
from mlproduct.errors import DataError
from mlproduct.evaluation.drift.concept import Asked, asked, grown, unseen
from mlproduct.evaluation.drift.distance import FEWEST, drift, gates, parts_of
from mlproduct.evaluation.gates import FAIL, REPORTED, Family, Gate, mean_bounds
from mlproduct.evaluation.metrics import Array
from mlproduct.evaluation.predictions import predicted, read_predictions

REPORT = Path("reports/drift.md")
SCORE = "score of the model"


def _spans(frame: pd.DataFrame, contract: Contract, params: Drift) -> list[tuple[str, Array]]:
    """Return the windows of time of some rows, each by its ends and the places of its rows; few times are one each."""
    if contract.time is None:
        return []
    times = frame[contract.time]
    dated = pd.api.types.is_datetime64_any_dtype(times)
    texts = times.dt.strftime("%Y-%m-%d") if dated else times.map("{:.15g}".format)
    windows = parts_of(frame, contract, params)
    if times.nunique() <= params.windows:
        each = [np.flatnonzero(times == time) for time in sorted(times.dropna().unique())]
        windows = [rows for rows in each if len(rows) >= FEWEST]
    ends = [(texts.iloc[rows[0]], texts.iloc[rows[-1]], rows) for rows in windows]
    return [(first if first == last else f"{first} to {last}", rows) for first, last, rows in ends]


def over_time(found: list[Asked], contract: Contract, params: Drift) -> list[dict[str, Any]]:
    """Return the loss by window of time, before and after."""
    rows = []
    for split, part in zip(("train", "test"), found, strict=False):
        for span, window in _spans(part.frame, contract, params):
            loss = mean_bounds(part.loss[window], part.entity[window])
            row = {"split": split, "span": span, "n": len(window)}
            rows.append(row | {"loss": loss.value, "low": loss.low, "high": loss.high})
    return rows


def concept(found: list[Asked], contract: Contract, params: Drift) -> list[Gate]:
    """Gate the growth of the loss from the train to the test rows, and report it for each window of time.

    A bad fortnight is no reason to ship nothing: no other model would have known it. The alarm says when it was.
    """
    if not found:
        message = "too few rows, or too few of a second class, to train models on parts of them"
        return [Gate("drift.concept", REPORTED, message)]
    before, after = found
    spans = _spans(after.frame, contract, params)
    looks = [("", np.arange(len(after.loss))), *(spans if len(spans) > 1 else [])]
    gates = [
        grown(before, parts_of(before.frame, contract, params, len(rows)), after, rows, params, span)
        for span, rows in looks
    ]
    return [replace(gate, verdict=REPORTED) if gate.slice and gate.verdict == FAIL else gate for gate in gates]


def between(train: pd.DataFrame, test: pd.DataFrame, contract: Contract, params: Params) -> Family:
    """Compare the train rows with the test rows: columns, scores, and how well the target can be told, over time."""
    effects = drift(train, test, [*contract.features, contract.target], contract, params.drift)
    found = unseen(train, test, contract, params)
    if found:
        before, after = (part.frame.assign(**{SCORE: watched(part.predictions, contract)}) for part in found)
        effects += drift(before, after, [SCORE], contract, params.drift)
    rows = over_time(found, contract, params.drift)
    details = {"reference": len(train), "new": len(test), "effects": [asdict(e) for e in effects], "over_time": rows}
    return Family("drift", [*gates(effects, len(test)), *concept(found, contract, params.drift)], details)


def watched(predictions: pd.DataFrame, contract: Contract) -> pd.Series:
    """Return for predictions what `scored` returns for a model's answers."""
    if not contract.labels:
        return predictions["prediction"]
    return predictions[f"p {contract.labels[-1] if contract.positive is None else contract.positive}"]


def scored(frame: pd.DataFrame, model: Any, contract: Contract) -> pd.Series:
    """Return what is watched of the model's answers: the probability of the positive (or last) class, or the value."""
    if not contract.labels:
        return pd.Series(model.predict(frame[contract.features]), frame.index, name=SCORE)
    label = str(contract.positive if contract.positive is not None else model.classes_[-1])
    place = [str(name) for name in model.classes_].index(label)
    return pd.Series(model.predict_proba(frame[contract.features])[:, place], frame.index, name=SCORE)


def periods(frame: pd.DataFrame, contract: Contract) -> pd.Series:
    """Name the day, week or month of each row, so that there are some; one period where there is no time."""
    if contract.time is None or contract.time not in frame or frame[contract.time].isna().all():
        return pd.Series("all", index=frame.index)
    times = frame[contract.time]
    if not pd.api.types.is_datetime64_any_dtype(times):
        return times.map("{:.15g}".format)
    days = (times.max() - times.min()).days
    return times.dt.to_period("M" if days > 60 else "W" if days > 14 else "D").astype("str")


def against(
    new: pd.DataFrame, reference: pd.DataFrame, test: pd.DataFrame, model: Any, contract: Contract, params: Params
) -> Family:
    """Compare new rows with those the model was made from: features, score, and target where it is known.

    Parameters
    ----------
    new : DataFrame of m_rows
        Parsed; the target may be missing.
    reference, test : DataFrame
        All rows the model was made from, and those it did not see.
    """
    columns = [
        *contract.features,
        *([contract.target] if contract.target in new and new[contract.target].notna().any() else []),
    ]
    tested = test.assign(**{SCORE: scored(test, model, contract)})
    new = new.assign(**{SCORE: scored(new, model, contract)})
    labels = [str(label) for label in contract.labels]
    labelled = new[new[contract.target].notna()] if contract.target in columns else new.iloc[:0]
    if labels and contract.target in columns:
        labelled = labelled[labelled[contract.target].isin(labels)]
    kept = read_predictions()
    predictions = [kept, predicted(model, labelled, contract)] if len(labelled) else [kept, kept.iloc[:0]]
    before, after = asked(test.loc[kept.index], predictions, labelled, contract)
    found, rows = [], []
    for period, part in new.groupby(periods(new, contract), sort=True):
        where = "" if period == "all" else str(period)
        if len(part) < FEWEST:
            found.append(
                Gate("drift.column", REPORTED, f"{len(part)} rows: too few to say anything", slice=where, n=len(part))
            )
            continue
        effects = drift(reference, part, columns, contract, params.drift) + drift(
            tested, part, [SCORE], contract, params.drift
        )
        found += [replace(gate, slice=f"{where} {gate.slice}".strip()) for gate in gates(effects, len(part))]
        places = np.flatnonzero(labelled.index.isin(part.index))
        if len(places) >= FEWEST:
            windows = parts_of(before.frame, contract, params.drift, len(places))
            found.append(grown(before, windows, after, places, params.drift, where))
        rows.append(
            {
                "period": where or "all",
                "n": len(part),
                "drifted": [e.column for e in effects if e.has_drifted],
                "loss": float(after.loss[places].mean()) if len(places) else None,
                "effects": [asdict(e) for e in effects],
            }
        )
    return Family("drift-new", found, {"periods": rows, "loss_before": float(before.loss.mean())})


def read_new(path: Path, contract: Contract) -> pd.DataFrame:
    """Read a file of new rows: the features have to be there, other columns may be, and values are not judged.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a feature, or holds no rows.
    """
    raw = read(path, contract)
    if missing := [name for name in contract.features if name not in raw]:
        raise DataError(f"{path} lacks {', '.join(map(repr, missing))}, which the model needs")
    if raw.empty:
        raise DataError(f"{path} holds no rows")
    names = [name for name, column in contract.columns.items() if column.role != "ignore" and name in raw]
    return parse(raw, contract, names)[0]


def render(found: Family, path: Path) -> str:
    """Lay a comparison with new rows out in Markdown: each period, then each gate that fails, and what to do."""
    rows = [
        f"| {row['period']} | {row['n']} | {', '.join(row['drifted']) or 'as before'} | "
        f"{'' if row['loss'] is None else format(row['loss'], '.3f')} |"
        for row in found.details["periods"]
    ]
    failing = [f"- **{gate.title}**: {gate.said}. Next: {gate.next}." for gate in found.gates if gate.verdict == FAIL]
    head = f"# {path.name} against the rows that the model was made from\n\n"
    head += "Something has moved.\n" if failing else "Nothing has moved.\n"
    usual = f"\nLoss is in units of a guess's; on the test rows it was {found.details['loss_before']:.3f}.\n"
    table = "\n".join(["| period | rows | moved | loss |", "| --- | ---: | --- | ---: |", *rows])
    return "\n".join([head, table, usual, *failing]).rstrip()


def main() -> None:
    """Write reports/ce/drift.json: the test rows against the train rows."""
    contract, params = load()
    between(pd.read_parquet(TRAIN), pd.read_parquet(TEST), contract, params).write()


def compare_with(path: Path) -> int:
    """Compare a file of new rows with those that the model was made from; return 1 where something has moved."""
    from mlproduct.training.train import load_model

    contract, params = load()
    train, test = pd.read_parquet(TRAIN), pd.read_parquet(TEST)
    rows = pd.concat([train, test]).sort_index()
    found = against(read_new(path, contract), rows, test, load_model(), contract, params)
    found.write()
    print(report := render(found, path))
    REPORT.write_text(report + "\n", encoding="utf-8")
    return int(any(gate.verdict == FAIL for gate in found.gates))
