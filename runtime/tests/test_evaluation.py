"""The evaluation finds what is planted, and leaves what is clean alone: slices, bias, drift, comparison, leaks."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlproduct import config as params
from mlproduct.contract import validation as contract
from mlproduct.data import prepare
from mlproduct.evaluation import bias, champion, compare, evaluate, predictions, slices, verdict
from mlproduct.evaluation import gates as gate
from mlproduct.evaluation.drift import concept, distance
from mlproduct.evaluation.drift import detection as drift
from mlproduct.inference import request
from mlproduct.training import train
from mlproduct_tests.repository import ROOT
from mlproduct_tests.samples import PARAMS

YAML = """
version: 1
task: classification
positive: "Yes"
source: {path: data/raw.csv}
columns:
  dose: {role: feature, type: number, range: [-10, 10]}
  weight: {role: feature, type: number, range: [-10, 10]}
  ward: {role: feature, type: category, categories: [a, b, c]}
  sex: {role: protected, type: category, categories: [f, m]}
  ill: {role: target, type: category, categories: ["No", "Yes"]}
"""
NONE = champion.Answers(None, pd.Index([]), "there is no release yet")


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("clinic") / "contract.yaml"
    path.write_text(YAML, encoding="utf-8")
    return contract.Contract.load(path)


def table(n: int, seed: int, shift: float = 0.0, unfair: float = 0.0) -> pd.DataFrame:
    """Draw rows in which the dose decides; `unfair` makes men ill more often, whatever they get."""
    rng = np.random.default_rng(seed)
    columns = {"dose": rng.normal(shift, 1, n), "weight": rng.normal(0, 1, n), "ward": rng.choice(list("abc"), n)}
    frame = pd.DataFrame(columns | {"sex": rng.choice(["f", "m"], n)}, index=pd.RangeIndex(1, n + 1, name="row"))
    chance = 1 / (1 + np.exp(-2 * frame["dose"] - unfair * (frame["sex"] == "m")))
    return frame.assign(ill=np.where(rng.random(n) < chance, "Yes", "No"))


def guesses(
    frame: pd.DataFrame, clinic, wrong: pd.Series | None = None, noise: float = 0.0, seed: int = 0
) -> pd.DataFrame:
    """Give the predictions of a good model; the opposite where it is to be wrong."""
    lot = np.random.default_rng(seed).normal(0, noise, len(frame)) if noise else 0.0
    p = 1 / (1 + np.exp(-2 * (frame["dose"] + lot)))
    p = p.where(~wrong, 1 - p) if wrong is not None else p
    found = pd.DataFrame(
        {"truth": frame["ill"], "prediction": np.where(p > 0.5, "Yes", "No"), "p No": 1 - p, "p Yes": p}
    )
    return found.assign(
        split="test", key=predictions.keys(frame, clinic), inputs=predictions.keys(frame, clinic, "ill")
    )


def failing(family) -> set[str]:
    return {found.title for found in family.gates if found.verdict == gate.FAIL}


@pytest.mark.slow
def test_a_weak_slice_is_named_and_a_sound_model_has_none(clinic, tuned):
    frame = table(4000, 1)
    weak = (frame["ward"] == "b") & (np.random.default_rng(1).random(4000) < 0.9)
    assert failing(slices.slices(frame, guesses(frame, clinic, weak), NONE, clinic, tuned)) == {"slices.gap (ward=b)"}
    sound = slices.slices(frame, guesses(frame, clinic), NONE, clinic, tuned)
    assert failing(sound) == set()
    rows = [row for row in sound.details["table"] if row["column"] == "ward"]
    assert sum(row["n"] for row in rows) == 4000
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)


def test_a_slice_that_lost_against_the_champion_is_named(clinic, tuned):
    frame = table(4000, 2)
    old = champion.Answers(guesses(frame, clinic), frame.index, "")
    weak = (frame["ward"] == "c") & (np.random.default_rng(1).random(4000) < 0.25)
    found = failing(slices.slices(frame, guesses(frame, clinic, weak), old, clinic, tuned))
    assert "slices.champion (ward=c)" in found
    assert "slices.champion (ward=a)" not in found


def test_two_way_slices_are_made_on_request(clinic, tuned):
    frame = table(1000, 3)
    named = slices.groups(frame, clinic, tuned.slices.replace(two_way=[["ward", "sex"]]))
    assert set(named["ward x sex"]) == {f"{ward}, {sex}" for ward in "abc" for sex in "fm"}


def test_small_slices_are_shown_and_decide_nothing(clinic, tuned):
    frame = table(150, 4)
    found = slices.slices(frame, guesses(frame, clinic, frame["ward"] == "b"), NONE, clinic, tuned)
    assert {row["verdict"] for row in map(vars, found.gates)} == {gate.REPORTED}
    assert len(found.details["table"]) > 5


def test_bias_of_the_model_is_named_and_an_even_one_has_none(clinic, tuned):
    frame = table(4000, 5)
    found = bias.bias(frame, guesses(frame, clinic), NONE, clinic, tuned)
    assert failing(found) == set()
    assert {row["verdict"] for row in map(vars, found.gates)} == {gate.PASS}
    men = (frame["sex"] == "m").to_numpy()
    p = guesses(frame, clinic)
    p.loc[men, "prediction"], p.loc[men, "p Yes"], p.loc[men, "p No"] = "Yes", 0.9, 0.1
    assert {"bias.parity (sex)", "bias.odds (sex)", "bias.calibration (sex)"} <= failing(
        bias.bias(frame, p, NONE, clinic, tuned)
    )


def test_biased_labels_are_said_to_be_labels(clinic, tuned):
    frame = table(4000, 6, unfair=4.0)
    found = failing(bias.bias(frame, guesses(frame, clinic), NONE, clinic, tuned))
    assert "bias.base_rate (sex)" in found
    assert "bias.parity (sex)" not in found  # the model itself treats both alike: no gate on it can see the labels


@pytest.mark.slow
def test_growing_bias_is_held_against_the_champion(clinic, tuned):
    frame = table(6000, 7)
    old = champion.Answers(guesses(frame, clinic), frame.index, "")
    p = guesses(frame, clinic)
    some = (frame["sex"] == "m").to_numpy() & (np.random.default_rng(1).random(6000) < 0.3)
    p.loc[some, "prediction"] = "Yes"
    assert "bias.champion (sex)" in failing(bias.bias(frame, p, old, clinic, tuned))
    assert failing(bias.bias(frame, guesses(frame, clinic), old, clinic, tuned)) == set()


def test_a_small_group_does_not_hide_the_others_from_the_champion(clinic, tuned):
    frame = table(4000, 7)
    frame.loc[frame.index[:20], "sex"] = None  # too few to be judged, and the gate on the others stays
    old = champion.Answers(guesses(frame, clinic), frame.index, "")
    weak = (frame["sex"] == "m") & (np.random.default_rng(1).random(4000) < 0.3)
    found = bias.bias(frame, guesses(frame, clinic, weak), old, clinic, tuned)
    gates = [one for one in found.gates if one.name == "bias.champion" and "loss over the champion" in one.said]
    assert [(one.verdict, "'m'" in one.said) for one in gates] == [(gate.FAIL, True)]


@pytest.mark.slow
def test_chance_alone_is_no_bias(clinic, tuned):
    tuned = tuned.replace(evaluate=tuned.evaluate.replace(bootstrap=100))
    alarms = sum(bool(failing(bias.bias(frame, guesses(frame, clinic), NONE, clinic, tuned))) for frame in (
        table(500, seed) for seed in range(40)))  # fmt: skip
    assert alarms <= 2


@pytest.mark.parametrize("kind", ["covariate", "label", "nulls", "category"])
def test_drift_is_named_and_a_stable_series_has_none(clinic, tuned, kind: str):
    old, new = table(4000, 8), table(1000, 9)
    columns = [*clinic.features, clinic.target]
    assert [e.column for e in distance.drift(old, new, columns, clinic, tuned.drift) if e.has_drifted] == []
    damaged = {"covariate": "dose", "label": "ill", "nulls": "weight", "category": "ward"}[kind]
    if kind == "covariate":
        new["dose"] += 0.8
    elif kind == "label":
        new["ill"] = np.where(np.random.default_rng(1).random(1000) < 0.85, "Yes", "No")
    elif kind == "nulls":
        new.loc[new.index[:400], "weight"] = np.nan
    else:
        new.loc[new.index[:500], "ward"] = "c"
    assert [e.column for e in distance.drift(old, new, columns, clinic, tuned.drift) if e.has_drifted] == [damaged]


def in_time(frame: pd.DataFrame, clinic):
    """Give rows a day each, in their order, and a contract that knows of it."""
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(len(frame)) * 365 // len(frame), unit="D")
    columns = {"day": contract.Column("day", "time", "datetime"), **clinic.columns}
    return frame.assign(day=days), replace(clinic, columns=columns)


def turned(frame: pd.DataFrame, rows: slice) -> pd.DataFrame:
    """Let the label of some rows follow from the dose the other way round: neither doses nor labels look different."""
    others = frame["ill"].map({"Yes": "No", "No": "Yes"})
    return frame.assign(ill=frame["ill"].mask(frame.index.isin(frame.index[rows]), others))


def judged(frame: pd.DataFrame, clinic, tuned, cut: int) -> tuple[set[str], list[dict]]:
    """Compare the rows up to a cut with those after it; give what fails or alarms, and the loss over time."""
    quick = tuned.replace(model=tuned.model.replace(max_iter=15))
    found = drift.between(frame.iloc[:cut], frame.iloc[cut:], clinic, quick)
    alarms = {one.title for one in found.gates if one.alarm}
    return failing(found) | alarms, found.details["over_time"]


def test_concept_drift_between_train_and_test_is_named(clinic, tuned):
    frame, timed = in_time(table(3000, 10), clinic)
    assert judged(frame, timed, tuned, 2400)[0] == set()  # the control
    found, over = judged(turned(frame, slice(2400, None)), timed, tuned, 2400)
    assert "drift.concept" in found
    assert all(title.startswith("drift.concept") for title in found)
    before, after = ([row["loss"] for row in over if row["split"] == split] for split in ("train", "test"))
    assert (len(before), len(after)) == (10, 10)
    assert max(before) < 0.8
    assert min(after) > 1.2


def test_concept_drift_that_begins_late_is_named_by_its_window(clinic, tuned):
    frame, timed = in_time(table(3000, 11), clinic)
    found, over = judged(turned(frame, slice(2940, None)), timed, tuned, 1800)  # half of the newest window
    assert found == {f"drift.concept ({over[-1]['span']})"}
    assert over[-1]["span"].endswith("to 2024-12-30")


def test_a_window_that_drifts_alarms_and_stops_nothing(clinic, tuned, monkeypatch, tmp_path: Path, capsys):
    """No other model would have known better what came in that fortnight; all test rows together decide."""
    (tmp_path / "src").symlink_to(ROOT / "src")
    monkeypatch.chdir(tmp_path)
    frame, timed = in_time(table(3000, 11), clinic)
    frame = turned(frame, slice(2940, None))
    quick = tuned.replace(model=tuned.model.replace(max_iter=15))
    found = drift.between(frame.iloc[:1800], frame.iloc[1800:], timed, quick)
    (late,) = (one for one in found.gates if one.alarm)
    assert (late.verdict, failing(found)) == (gate.REPORTED, set())
    assert verdict.decide("m", found.gates, [], date(2026, 1, 1)).verdict == verdict.BLESSED
    found.write()
    assert f"REPORTED {late.title}: loses" in capsys.readouterr().out


def test_a_slow_drift_alarms_though_every_window_differs_a_little(clinic, tuned):
    rng, frame = np.random.default_rng(1), table(4000, 12)
    angle = np.linspace(0, np.pi / 2, 4000)  # first the dose decides, in the end the weight
    chance = 1 / (1 + np.exp(-4 * (np.cos(angle) * frame["dose"] + np.sin(angle) * frame["weight"])))
    frame, timed = in_time(frame.assign(ill=np.where(rng.random(4000) < chance, "Yes", "No")), clinic)
    assert "drift.concept" in judged(frame, timed, tuned, 3200)[0]


def test_another_mix_of_classes_is_no_concept_drift(clinic, tuned):
    """A label that becomes rare changes what guessing loses, and not how well the model knows what it knows."""
    frame, timed = in_time(table(6000, 13), clinic)
    rare = (np.arange(6000) >= 3000) & (frame["ill"] == "Yes") & (np.random.default_rng(1).random(6000) < 0.7)
    frame = frame[~rare.to_numpy()]
    found, _ = judged(frame, timed, tuned, 3000)
    assert "drift.column (ill)" in found
    assert not [title for title in found if title.startswith("drift.concept")]


def test_concept_drift_of_new_rows_is_named_and_another_unit_of_guessing_is_none(clinic, tuned):
    frame = table(3000, 10)
    tested, later = guesses(frame.iloc[:2000], clinic), guesses(turned(frame, slice(2000, None)).iloc[2000:], clinic)
    for scored, expected in ((guesses(frame.iloc[2000:], clinic), gate.PASS), (later, gate.FAIL)):
        before, after = concept.asked(frame.iloc[:2000], [tested, scored], frame.iloc[2000:], clinic)
        windows = distance.parts_of(before.frame, clinic, tuned.drift, 1000)
        assert concept.grown(before, windows, after, np.arange(1000), tuned.drift).verdict == expected


def test_times_that_are_few_are_a_window_each(clinic, tuned):
    """A column of years, as in the example: the test rows are of one year, and one look at them is enough."""
    frame, timed = in_time(table(1500, 16), clinic)
    timed = replace(timed, columns={**timed.columns, "day": contract.Column("day", "time", "integer")})
    frame["day"] = 2020.0 + np.arange(1500) // 500
    found = drift.between(frame.iloc[:1000], frame.iloc[1000:], timed, tuned)
    assert [g.slice for g in found.gates if g.name == "drift.concept"] == [""]
    assert [(row["split"], row["span"]) for row in found.details["over_time"]] == [
        ("train", "2020"), ("train", "2021"), ("test", "2022"),
    ]  # fmt: skip
    family = drift.between(frame.iloc[:500], frame.iloc[500:], timed, tuned)
    assert [g.slice for g in family.gates if g.name == "drift.concept"] == ["", "2021", "2022"]


def test_too_few_rows_for_concept_drift_are_said_to_be(clinic, tuned):
    frame, timed = in_time(table(100, 14), clinic)
    found = drift.between(frame.iloc[:60], frame.iloc[60:], timed, tuned)
    assert [(g.name, g.verdict) for g in found.gates][-1] == ("drift.concept", gate.REPORTED)


def test_rows_that_resemble_each_other_are_left_out_together(clinic):
    frame, timed = in_time(table(1000, 15), clinic)
    fold = concept.folds(frame, timed, 1)
    assert frame.groupby("day").apply(lambda rows: len(set(fold[frame.index.isin(rows.index)]))).max() == 1
    assert np.bincount(fold).min() > 100
    patients = frame.assign(patient=[f"P{i % 250}" for i in range(1000)])
    with_patient = replace(timed, columns={**timed.columns, "patient": contract.Column("patient", "id", "category")})
    fold = pd.Series(concept.folds(patients, with_patient, 1))
    assert fold.groupby(patients["patient"].to_numpy()).nunique().max() == 1


@pytest.mark.slow
def test_a_stable_series_alarms_in_5_of_100_at_most(clinic, tuned):
    """All gates of drift together: four columns, the target, the score, the loss, and the loss in ten windows."""
    alarms = 0
    for seed in range(60):
        frame, timed = in_time(table(900, 100 + seed), clinic)
        alarms += bool(judged(frame, timed, tuned, 600)[0])
    assert alarms <= 3


@pytest.mark.slow
def test_the_loss_of_a_stable_world_rarely_alarms(clinic, tuned):
    """Losses as a model has them, many small and few large, 500 times, and each time eleven looks."""
    rng, alarms = np.random.default_rng(1), 0
    wide = tuned.drift.replace(concept=0.0)  # what is usual, and chance, have to do it
    for _ in range(500):
        loss = [rng.beta(0.4, 1.2, n) for n in (1200, 300)]
        before, after = (concept.Asked(pd.DataFrame(index=range(len(x))), pd.DataFrame(), x, np.arange(len(x)))
                         for x in loss)  # fmt: skip
        looks = [np.arange(300), *np.array_split(np.arange(300), 10)]
        windows = [np.array_split(np.arange(1200), max(3, min(10, 1200 // len(rows)))) for rows in looks]
        found = [concept.grown(before, w, after, rows, wide) for w, rows in zip(windows, looks, strict=True)]
        alarms += any(one.verdict == gate.FAIL for one in found)
    assert alarms <= 0.05 * 500


@pytest.mark.slow
def test_stable_series_rarely_alarm(clinic, tuned):
    columns = [*clinic.features, clinic.target]
    alarms = sum(e.has_drifted for seed in range(40) for e in distance.drift(
        table(1000, 2 * seed), table(250, 2 * seed + 1), columns, clinic, tuned.drift))  # fmt: skip
    assert alarms <= 1  # of 160


@pytest.mark.slow
def test_a_worse_candidate_fails_a_better_one_passes_and_an_equal_one_is_not_promoted(clinic, tuned):
    tuned = tuned.replace(evaluate=tuned.evaluate.replace(bootstrap=100))
    frame = table(5000, 13)
    good, poor = guesses(frame, clinic), guesses(frame, clinic, noise=0.8)

    def judged(candidate: pd.DataFrame, old: pd.DataFrame, axes: dict) -> tuple[set[str], str]:
        gates, details = compare.against_champion(
            frame, candidate, champion.Answers(old, frame.index, ""), clinic, tuned)  # fmt: skip
        verdicts = {found.name for found in gates if found.verdict == gate.FAIL}
        return verdicts, compare.promotion(details, axes)

    nothing = dict.fromkeys(["data", "split", "contract", "params", "seed", "code"], False) | {
        "environment": {"lock": False}
    }
    assert judged(poor, good, nothing)[0] == {"compare.loss", "compare.roc_auc"}
    assert judged(poor, good, nothing)[1].startswith("Worse")
    assert judged(good, poor, nothing | {"params": {"model.kind": [1, 2]}})[1].startswith("An improvement")
    other, lot = guesses(frame, clinic, noise=0.05, seed=1), guesses(frame, clinic, noise=0.05, seed=2)
    assert judged(other, lot, nothing)[0] == set()
    assert judged(good, poor, nothing | {"seed": {"model.seed": [1, 2]}})[1].startswith(
        "Not an improvement: only the seed"
    )


def test_a_champion_that_saw_the_test_rows_is_not_compared_with(clinic, tuned, tmp_path):
    frame = table(300, 14)
    leaked = guesses(frame, clinic).assign(split="train")
    leaked.to_parquet(tmp_path / "predictions.parquet")
    (tmp_path / "champion.json").write_text('{"release": "v1.0.0", "commit": "abc", "missing": []}')
    answers = champion.Champion.load(tmp_path).on(frame, guesses(frame, clinic), clinic)
    assert answers.predictions is None
    assert "v1.0.0 was trained on 300 of the 300 test rows" in answers.why
    guesses(frame, clinic).sample(frac=1, random_state=1).to_parquet(tmp_path / "predictions.parquet")
    answers = champion.Champion.load(tmp_path).on(frame, guesses(frame, clinic), clinic)
    assert (answers.predictions["truth"] == frame["ill"]).all()  # the same rows in another order
    assert list(answers.predictions.index) == list(frame.index)


def test_a_leaked_column_is_named(clinic):
    frame = table(2000, 15)
    leaked = frame.assign(
        weight=np.where(frame["ill"] == "Yes", 1.0, -1.0) + np.random.default_rng(1).normal(0, 0.01, 2000)
    )
    assert [g.slice for g in compare.leaks(leaked[:1500], leaked[1500:], clinic) if g.verdict == gate.FAIL] == [
        "weight"
    ]
    assert [g.verdict for g in compare.leaks(frame[:1500], frame[1500:], clinic)] == [gate.PASS]


def test_protected_columns_are_no_features(clinic, tmp_path):
    assert "sex" not in clinic.features
    assert replace(clinic, allowed=("sex",)).features == ["dose", "weight", "ward", "sex"]
    (tmp_path / "contract.yaml").write_text(YAML, encoding="utf-8")
    (tmp_path / "params.yaml").write_text(PARAMS.replace("allow: []", "allow: [sex]"), encoding="utf-8")
    assert params.load(tmp_path)[0].features == ["dose", "weight", "ward", "sex"]
    (tmp_path / "params.yaml").write_text(PARAMS.replace("allow: []", "allow: [ward]"), encoding="utf-8")
    with pytest.raises(contract.DataError, match=r"bias.allow: ward: no `role: protected`"):
        params.load(tmp_path)


def test_protected_columns_do_not_decide(clinic):
    record = {"dose": 1.0, "weight": 0.0, "ward": "a"}
    one, other = [request.Reader(clinic, 10).read(record | {"sex": sex}).records for sex in "fm"]
    assert "sex" not in one[0]
    assert one == other


def test_a_new_column_is_one_line_of_the_contract(clinic, tuned):
    column = contract.Column("age", "feature", "integer", range=(0, 120))
    wider = replace(clinic, columns={"age": column, **clinic.columns})
    frame = table(200, 16).assign(age=40.0)
    assert len(train.train(frame, wider, tuned).predict(frame[wider.features])) == 200


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_stages_fit_together(clinic, tuned, task: str, tmp_path, monkeypatch: pytest.MonkeyPatch):
    """From rows to a verdict, as `make train` does it, but in one process."""
    (tmp_path / "src").symlink_to(ROOT / "src")
    monkeypatch.chdir(tmp_path)
    tuned = tuned.replace(evaluate=tuned.evaluate.replace(bootstrap=50))
    if task == "regression":
        columns = clinic.columns | {"ill": contract.Column("ill", "target", "number")}
        clinic = replace(clinic, task="regression", columns=columns, positive=None)
    frame = table(3000, 17)
    if task == "regression":
        frame["ill"] = frame["dose"] + np.random.default_rng(1).normal(0, 0.3, 3000)
    learned, test, _ = prepare.prepare(frame, clinic, tuned.prepare)
    found = evaluate.evaluate(train.train(learned, clinic, tuned), learned, test, clinic, tuned.evaluate)
    predictions = found.predictions[found.predictions["split"] == "test"]
    assert set(found.predictions["split"]) == {"train", "test"}
    assert list(predictions.index) == list(test.index)
    old = champion.Champion(None, None)
    families = [
        slices.slices(test, predictions, NONE, clinic, tuned),
        bias.bias(test, predictions, NONE, clinic, tuned),
        drift.between(learned, test, clinic, tuned),
        compare.compare(learned, test, predictions, old, clinic, tuned),
    ]
    gates = [one for family in families for one in family.gates]
    decided = verdict.decide("abc", gates, [], verdict.date(2030, 1, 1))
    assert (decided.verdict, decided.failing) == (verdict.BLESSED, [])
    assert bias.without(learned, test, clinic, tuned)["columns"] == ["sex"]


def test_a_parameter_that_is_left_out_is_no_change(tmp_path):
    for name, text in (("old", "model: {max_iter: 100}\n"), ("new", PARAMS + "own: {depth: 3}\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    old, new = (compare.with_defaults(tmp_path / name) for name in ("old", "new"))
    assert {key: new[key] for key in new if old.get(key) != new[key]} == {"own.depth": 3}
    assert set(old) < set(new)
