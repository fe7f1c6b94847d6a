"""What came back: joined to the predictions, judged, laid out as rows to learn from; and two variants compared."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlproduct.contract import validation as contract
from mlproduct.evaluation import metrics
from mlproduct.inference import request
from mlproduct.monitoring import ab, labels
from mlproduct.serving import prediction_ids

OLD = "fedcba" * 2
ABOUT = {"version": "0123456789ab", "labels": ["No", "Yes"], "guess": 0.5, "loss": 0.3}


def logged(
    folder: Path,
    small,
    frame: pd.DataFrame,
    n: int = 100,
    *,
    worse: float = 0.0,
    shadow: bool = False,
    share: float = 0.5,
) -> Path:
    """Write a log in which the challenger's probabilities are nearer to guessing by `worse`."""
    rng = np.random.default_rng(1)
    folder.mkdir()
    writer = prediction_ids.Ids(ABOUT["version"], 2)
    rows = request.values(small, frame)
    predictions, outcomes = [], []
    for i in range(n):
        row, truth = rows[i % len(rows)], bool(rng.random() < 0.5)
        right = rng.uniform(0.6, 1.0)
        names = ["control", "challenger"] if shadow else ["challenger" if rng.random() < share else "control"]
        for name in names:
            p = right - worse * (name == "challenger")
            scores = [1 - p, p] if truth else [p, 1 - p]
            line = {"time": "2024-05-01T10:00:00+00:00", "variant": name, "model": ABOUT["version"], "score": scores[1],
                    "prediction": "Yes" if scores[1] > 0.5 else "No", "prediction_id": writer.write(0, scores),
                    "unit": f"{i // 2}", "features": row}  # fmt: skip
            if name == "challenger" and shadow:
                line["shadow_of"] = predictions[-1]["prediction_id"]
            predictions.append(line)
        shown = predictions[-len(names)]["prediction_id"]
        outcomes.append(
            {"prediction_id": shown, "outcome": "Yes" if truth else "No", "value": 1.0 + (name == "control")}
        )
    for kind, found in (("predictions", predictions), ("outcomes", outcomes)):
        content = "\n".join(json.dumps(line, default=str) for line in found)
        (folder / f"{kind}-1.jsonl").write_text(content + '\n{"cut o', encoding="utf-8")
    return folder


def test_outcomes_are_joined_and_the_loss_is_that_of_the_evaluation(small, frame, tmp_path: Path):
    found = labels.joined(logged(tmp_path / "log", small, frame), ABOUT)
    assert len(found) == 100
    p = [prediction_ids.Ids(ABOUT["version"], 2).read(one).scores for one in found["prediction_id"]]
    predictions = pd.DataFrame({"truth": found["outcome"], "p No": [x[0] for x in p], "p Yes": [x[1] for x in p]})
    expected = metrics.losses(predictions, ["No", "Yes"]) * metrics.guessing(predictions["truth"], ["No", "Yes"]) / 0.5
    np.testing.assert_allclose(found["loss"], expected)
    performance = labels.performance(found[found["variant"] == "control"])["control"]
    assert performance["loss"]["low"] < performance["loss"]["value"] < performance["loss"]["high"]
    assert performance["right"] == 1


def test_the_rows_to_learn_from_keep_to_the_contract(small, frame, tmp_path: Path, monkeypatch):
    found = labels.joined(logged(tmp_path / "log", small, frame), ABOUT)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    path = labels.write(labels.table(found, small), small)
    raw = contract.read(path, small)
    parsed, violations = contract.parse(raw, small, [*small.features, small.target])
    assert violations == []
    first = found[found["variant"] == found["variant"].iloc[0]].index[0]
    same = request.values(small, parsed.head(1))[0]
    assert same == request.values(small, frame.iloc[[first % len(frame)]])[0]
    assert "group" not in raw


def test_a_model_that_was_replaced_is_told_apart(small, frame, tmp_path: Path):
    folder = logged(tmp_path / "log", small, frame, share=0.0)
    old = prediction_ids.Ids(OLD, 3).write(0, [0.2, 0.3, 0.5])  # it knew a class more
    line = json.loads((folder / "predictions-1.jsonl").read_text(encoding="utf-8").splitlines()[0])
    line |= {"time": "2024-04-01T10:00:00+00:00", "model": OLD, "prediction_id": old, "variant": "control"}
    (folder / "predictions-0.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    outcome = {"prediction_id": old, "outcome": "Yes"}
    (folder / "outcomes-0.jsonl").write_text(json.dumps(outcome) + "\n", encoding="utf-8")
    found = labels.joined(folder, ABOUT)
    assert found["replaced"].tolist() == [True] + [False] * 100
    report = labels.performance(found)
    before = f"control, before: {OLD[:8]}"
    assert {name: one["predictions"] for name, one in report.items()} == {before: 1, "control": 100}
    assert report["control"]["outcomes"] == 100
    assert len(labels.table(found, small)) == 101  # what came true is worth learning from, whoever predicted


def test_an_empty_log_is_told(small, tmp_path: Path):
    with pytest.raises(contract.DataError, match="make serve"):
        labels.joined(tmp_path, ABOUT)


@pytest.mark.parametrize("shadow", [False, True])
@pytest.mark.parametrize(("worse", "verdict"), [(0.0, "PASS"), (0.25, "FAIL")])
def test_a_worse_challenger_is_told_from_an_equal_one(
    small, frame, tuned, tmp_path: Path, shadow: bool, worse: float, verdict: str
):
    folder = logged(tmp_path / "log", small, frame, 4000, worse=worse, shadow=shadow)
    rollout = tuned.rollout.replace(mode="shadow" if shadow else "split", share=0.5)
    found = {gate.name: gate for gate in ab.compared(labels.joined(folder, ABOUT), tuned.replace(rollout=rollout))}
    assert found["ab.loss"].verdict == verdict
    if not shadow:
        assert found["ab.value"].verdict == "FAIL"  # it earns 1 where the control earns 2
        assert found["ab.share"].verdict == "PASS"


def test_a_share_that_was_not_planned_is_not_comparable(small, frame, tuned, tmp_path: Path):
    found = labels.joined(logged(tmp_path / "log", small, frame, 1000, share=0.3), ABOUT)
    gate = ab.shared(found.assign(unit=None), tuned.rollout.replace(mode="split", share=0.5))
    assert gate.verdict == "NOT COMPARABLE"


def test_a_few_outcomes_decide_nothing(small, frame, tuned, tmp_path: Path):
    found: Any = ab.compared(labels.joined(logged(tmp_path / "log", small, frame, 20), ABOUT), tuned)
    assert [gate.verdict for gate in found] == ["REPORTED"]
