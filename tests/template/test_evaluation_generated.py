"""Continuous evaluation as a team meets it: a clean repository passes, a planted fault fails the gate meant for it."""

import itertools
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from template.conftest import ROOT, commit

Make = Callable[..., subprocess.CompletedProcess[str]]
Plant = Callable[[Path], None]

pytestmark = [pytest.mark.slow]
FLIGHTS = ROOT.parent / "shared" / "data" / "flights.csv"
STAGES = ("prepare", "train", "evaluate", "champion", "slices", "bias", "drift", "fragility", "compare", "verdict")


def clinic(file: Path, n: int = 6000) -> None:
    """Write a table in which dose and note decide, and the sex does not."""
    rng = random.Random(1)
    rows = ["patient,dose,weight,ward,note,sex,ill"]
    for i in range(n):
        dose, weight = rng.gauss(0, 1), rng.gauss(70, 10)
        note = rng.choice(
            ["no complaints today", "severe cough at night", "slept well", "fever and cough since monday"]
        )
        chance = 0.03 + 0.75 * (dose > 0.3) + 0.2 * ("cough" in note)
        ill = "yes" if rng.random() < chance else "no"
        text = f"{note} says nurse {rng.randrange(3000)}"
        rows.append(f"P{i:05},{dose:.3f},{weight:.1f},{rng.choice('abc')},{text},{rng.choice('fm')},{ill}")
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, template: Path, make: Make) -> Path:
    """Make a repository from that table, train it, and release its model as v1.0.0."""
    folder = tmp_path_factory.mktemp("clinic")
    clinic(folder / "clinic.csv")
    project = folder / "clinic"
    words = [sys.executable, "-m", "mlscaffold", "new", str(project), "--template", str(template), "--defaults"]
    words += ["--data", str(folder / "clinic.csv"), "--target", "ill", "--protected", "sex", "--id", "patient"]
    created = subprocess.run(words, capture_output=True, text=True, check=False)
    assert created.returncode == 0, created.stderr
    done = make(project, "data", "train", "WHY=the first model")
    assert "This model may ship" in done.stdout, done.stdout
    commit(project, "the first model")
    git(project, "tag", "v1.0.0")
    return project


@pytest.fixture
def copied(released: Path, tmp_path: Path) -> Path:
    shutil.copytree(released, tmp_path / "clinic", symlinks=True)
    return tmp_path / "clinic"


def git(project: Path, *words: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *words], cwd=project, capture_output=True, text=True, check=True).stdout


def stages(project: Path, environment: Path, *names: str) -> None:
    """Run stages as DVC does, but in one process: it imports once."""
    code = "import sys; from mlproduct import stages\nfor name in sys.argv[1:]: stages.run(name)"
    words = ["python", "-W", "ignore", "-c", code, *(names or STAGES)]
    done = subprocess.run(words, cwd=project, env=inside(environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def inside(environment: Path) -> dict[str, str]:
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": "src"}


def release(project: Path, environment: Path) -> None:
    """Train with the parameters at hand, release the model as v1.0.0, and name it as champion."""
    subprocess.run(["dvc", "repro", "-q", "evaluate"], cwd=project, env=inside(environment), check=True)
    commit(project, "another champion")
    git(project, "tag", "-f", "v1.0.0")
    against_release(project)


def gates(project: Path) -> dict[str, str]:
    """Give the verdict of each gate by its title."""
    found = {}
    for file in (project / "reports" / "ce").glob("*.json"):
        for gate in json.loads(file.read_text(encoding="utf-8"))["gates"]:
            found[f"{gate['name']} ({gate['slice']})" if gate["slice"] else gate["name"]] = gate["verdict"]
    return found


def failing(project: Path) -> set[str]:
    return {title for title, verdict in gates(project).items() if verdict in ("FAIL", "NOT COMPARABLE")}


def compared(project: Path) -> dict[str, object]:
    details = json.loads((project / "reports" / "ce" / "compare.json").read_text(encoding="utf-8"))["details"]
    return dict(details)


def against_release(project: Path) -> None:
    """Name the release as champion, as `make train` does."""
    commit_of = git(project, "rev-parse", "v1.0.0").strip()
    (project / "champion.yaml").write_text(f"release: v1.0.0\ncommit: {commit_of}\n", encoding="utf-8")


def rows_of(project: Path) -> tuple[list[str], list[list[str]]]:
    lines = (project / "data" / "raw.csv").read_text(encoding="utf-8").splitlines()
    return lines[0].split(","), [line.split(",") for line in lines[1:]]


def write_rows(project: Path, names: list[str], rows: list[list[str]]) -> None:
    raw = project / "data" / "raw.csv"
    raw.unlink()  # DVC's link, not its file
    raw.write_text("\n".join([",".join(names), *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")


def set_params(project: Path, **values: str) -> None:
    file = project / "params.yaml"
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        name = line.strip().partition(":")[0]
        lines.append(f"  {name}: {values.pop(name)}" if name in values else line)
    assert not values
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_clean_repository_passes_every_gate(released: Path, make: Make) -> None:
    assert failing(released) == set()
    families = {title.partition(".")[0] for title in gates(released)}
    assert families == {"slices", "bias", "drift", "fragility", "compare", "alternatives"}
    verdict = json.loads((released / "reports" / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["verdict"] == "blessed"
    output = make(released, "ce").stdout
    assert "failed" not in output
    model = output[output.index("  model ") : output.index("  infrastructure ")]
    assert model.startswith("  model           4.0 of 7"), model
    assert "it is known what an old model costs: ce/test_model.py::test_what_an_old_model_costs_is_known had" in model
    assert make(released, "ce", "ARGS=-m bias").stdout.count("passed") == 1


def test_shuffled_labels_lose_against_the_champion(copied: Path, environment: Path) -> None:
    names, rows = rows_of(copied)
    against_release(copied)
    stages(copied, environment, "prepare")
    tested = _rows_of_the_test_set(copied, environment)
    rng = random.Random(3)
    chosen = [i for i in range(len(rows)) if i + 1 not in tested and rng.random() < 0.3]
    labels = [rows[i][-1] for i in chosen]
    rng.shuffle(labels)
    for i, label in zip(chosen, labels, strict=True):
        rows[i][-1] = label
    write_rows(copied, names, rows)
    stages(copied, environment)
    assert "compare.loss" in failing(copied)
    assert "data" in compared(copied)["changed"]


def _rows_of_the_test_set(project: Path, environment: Path) -> set[int]:
    code = "import pandas as pd; print(*pd.read_parquet('data/prepared/test.parquet').index)"
    output = subprocess.run(
        ["python", "-c", code], cwd=project, env=inside(environment), capture_output=True, text=True, check=True
    ).stdout
    return set(map(int, output.split()))


def biased_labels(project: Path) -> None:
    names, rows = rows_of(project)
    sex, ill = names.index("sex"), names.index("ill")
    rng = random.Random(4)
    write_rows(project, names, [
        [*row[:ill], "yes" if row[sex] == "m" and rng.random() < 0.75 else row[ill]] for row in rows])  # fmt: skip


def leaked_column(project: Path) -> None:
    names, rows = rows_of(project)
    write_rows(project, [*names, "discharge code"], [[*row, "12.5" if row[-1] == "yes" else "3.25"] for row in rows])
    contract = project / "contract.yaml"
    document = yaml.safe_load(contract.read_text(encoding="utf-8"))
    document["columns"]["discharge code"] = {"role": "feature", "type": "number"}
    contract.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def in_time(project: Path, change: Callable[[list[str], list[str]], None], **of_weight: object) -> None:
    """Give each row a day, and change the newest fifth."""
    names, rows = rows_of(project)
    for i, row in enumerate(rows):
        if i >= int(len(rows) * 0.8):
            change(row, names)
        row.insert(0, f"2024-{1 + i // 600:02}-{1 + i % 28:02}")
    write_rows(project, ["day", *names], rows)
    contract = project / "contract.yaml"
    document = yaml.safe_load(contract.read_text(encoding="utf-8"))
    document["columns"] = {"day": {"role": "time", "type": "datetime"}} | document["columns"]
    document["columns"]["weight"] |= of_weight
    contract.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def drifted_rows(project: Path) -> None:
    """Let the newest fifth come from another scale."""

    def heavier(row: list[str], names: list[str]) -> None:
        row[names.index("weight")] = f"{float(row[names.index('weight')]) + 15:.1f}"

    in_time(project, heavier, range=[0, 300])


def turned_concept(project: Path) -> None:
    """Let the label of the newest fifth follow from the dose the other way round: no column looks different."""

    def turn(row: list[str], names: list[str]) -> None:
        row[names.index("ill")] = {"yes": "no", "no": "yes"}[row[names.index("ill")]]

    in_time(project, turn)


def drifted_labels(project: Path) -> None:
    """Let most of the newest fifth be ill, whatever the dose."""
    rng = random.Random(5)

    def fall_ill(row: list[str], names: list[str]) -> None:
        row[names.index("ill")] = "yes" if rng.random() < 0.6 else row[names.index("ill")]

    in_time(project, fall_ill)


def sudden_nulls(project: Path) -> None:
    """Let every other weight of the newest fifth be missing."""
    turn = itertools.cycle([True, False])

    def forget(row: list[str], names: list[str]) -> None:
        row[names.index("weight")] = "" if next(turn) else row[names.index("weight")]

    in_time(project, forget, nullable=True)


def fragile_keywords(project: Path) -> None:
    """Let the model look for words as they are written, and for nothing else in the text."""
    features = project / "src" / project.name / "features.py"
    text = features.read_text(encoding="utf-8")
    keyword = 'texts = texts.where(texts.astype("str").str.contains("cough"), "nothing")\n        return texts.where('
    features.write_text(text.replace("return texts.where(", keyword), encoding="utf-8")
    assert features.read_text(encoding="utf-8") != text


@pytest.mark.parametrize(
    ("plant", "gate"),
    [
        (biased_labels, "bias.base_rate (sex)"),
        (leaked_column, "compare.leak (discharge code)"),
        (drifted_rows, "drift.column (weight)"),
        (sudden_nulls, "drift.column (weight)"),
        (drifted_labels, "drift.column (ill)"),
        (turned_concept, "drift.concept"),
        (fragile_keywords, "fragility.service (text in capitals and blanks)"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_planted_fault_fails_the_gate_meant_for_it(copied: Path, environment: Path, plant: Plant, gate: str) -> None:
    (copied / "champion.yaml").write_text("release: null\ncommit: null\n", encoding="utf-8")
    plant(copied)
    stages(copied, environment)
    assert gate in failing(copied)
    verdict = json.loads((copied / "reports" / "verdict.json").read_text(encoding="utf-8"))
    assert gate in verdict["failing"]


def test_rows_in_time_that_have_not_drifted_pass(copied: Path, environment: Path) -> None:
    """The control: the same days, and nothing changed in the newest fifth."""
    (copied / "champion.yaml").write_text("release: null\ncommit: null\n", encoding="utf-8")
    in_time(copied, lambda *_: None)
    stages(copied, environment)
    assert failing(copied) == set()
    assert gates(copied)["drift.concept"] == "PASS"
    assert len([title for title in gates(copied) if title.startswith("drift.concept (")]) == 10


def test_a_champion_that_saw_the_test_rows_is_not_compared_with(copied: Path, environment: Path) -> None:
    set_params(copied, test_size="0.01")
    release(copied, environment)
    set_params(copied, test_size="0.2")
    stages(copied, environment)
    assert "compare.loss" in failing(copied)
    assert gates(copied)["compare.loss"] == "NOT COMPARABLE"
    assert "was trained on" in str(compared(copied)["why"])


def test_a_swapped_test_set_is_not_compared_on(copied: Path, environment: Path) -> None:
    """Somebody puts rows that the models have learnt in the place of the test set: it would look splendid."""
    against_release(copied)
    stages(copied, environment, "prepare", "train")
    code = "import pandas as pd; pd.read_parquet('data/prepared/train.parquet').head(1200)"
    code += ".to_parquet('data/prepared/test.parquet')"
    subprocess.run(["python", "-c", code], cwd=copied, env=inside(environment), check=True)
    stages(copied, environment, *STAGES[2:])
    assert gates(copied)["compare.loss"] == "NOT COMPARABLE"
    assert "split" in compared(copied)["changed"]  # type: ignore[operator]


def test_another_seed_is_no_improvement(copied: Path, environment: Path) -> None:
    against_release(copied)
    params = (copied / "params.yaml").read_text(encoding="utf-8")
    other = params.replace("seed: 1 # of the model's", "seed: 7 # of the model's")
    assert other != params
    (copied / "params.yaml").write_text(other, encoding="utf-8")
    stages(copied, environment)
    assert compared(copied)["changed"] == ["seed"]
    assert str(compared(copied)["said"]).startswith("Not an improvement: only the seed")
    assert failing(copied) == set()


def test_a_true_improvement_is_promoted(copied: Path, environment: Path) -> None:
    set_params(copied, max_iter="3")
    release(copied, environment)
    set_params(copied, max_iter="60")
    stages(copied, environment)
    assert str(compared(copied)["said"]).startswith("An improvement")
    assert compared(copied)["axes"]["params"] == {"model.max_iter": [3, 60]}  # type: ignore[index]
    assert failing(copied) == set()


def test_new_rows_are_put_to_both_models(copied: Path, environment: Path) -> None:
    """Fresh rows at the end of the file: another split, and the champion is asked about rows that it never saw."""
    clinic(copied / "more.csv", 12000)
    more = (copied / "more.csv").read_text(encoding="utf-8").splitlines()[1:]
    names, rows = rows_of(copied)
    write_rows(copied, names, [*rows, *(line.split(",") for line in more[6000:])])
    against_release(copied)
    stages(copied, environment)
    assert "both are judged on" in str(compared(copied)["why"])
    assert {"data", "split"} <= set(compared(copied)["changed"])  # type: ignore[arg-type]
    assert gates(copied)["compare.loss"] in ("PASS", "INCONCLUSIVE")


def test_the_way_of_a_rejected_model(copied: Path, make: Make) -> None:
    """Rejected, refused by the packaging, waived, forced; and the journal remembers all of it."""
    set_params(copied, max_iter="1", learning_rate="0.01")
    trained = make(copied, "train", "WHY=less is more")
    assert "should not ship" in trained.stdout
    refused = make(copied, "package", check=False)
    assert refused.returncode
    assert "compare.loss" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert make(copied, "ce", check=False).returncode
    forced = make(copied, "ship", "FORCE=to try the path")
    assert "verdict     rejected: reports/ce.html says why" in forced.stdout
    page = (copied / "reports" / "journal.html").read_text(encoding="utf-8")
    assert "<td>shipped</td>" in page
    assert "<td>to try the path</td>" in page
    assert (
        "**Shipped without a blessing.** The reason given: to try the path"
        in (copied / "docs/model-card.md").read_text()
    )
    (bento,) = (copied / ".bentoml" / "bentos" / "clinic").glob("*/bento.yaml")
    labels = yaml.safe_load(bento.read_text(encoding="utf-8"))["labels"]
    assert (labels["verdict"], labels["forced"]) == ("rejected", "to try the path")
    again = make(copied, "train")
    assert "tried this on" in again.stdout
    assert "shipped (" in again.stdout
    assert "Running stage" not in again.stdout
    output = make(copied, "journal").stdout
    assert "shipped" in output[output.index("the first model") :]
    assert "forced: to try the path" in output
    failed = make(copied, "journal", "ARGS=--failed").stdout
    assert "less is more" not in failed  # it was rejected, and shipped all the same
    titles = json.loads((copied / "reports" / "verdict.json").read_text(encoding="utf-8"))["failing"]
    names = {title.partition(" (")[0] for title in titles}
    waivers = [{"gate": name, "reason": "known", "owner": "Ada", "expires": "2999-01-01"} for name in names]
    (copied / "waivers.yaml").write_text(
        yaml.safe_dump(waivers).replace("'2999-01-01'", "2999-01-01"), encoding="utf-8"
    )
    waived = make(copied, "train")
    assert "accepted for a while" in waived.stdout
    assert "Known and accepted until 2999-01-01" in (copied / "docs" / "model-card.md").read_text(encoding="utf-8")
    make(copied, "package")
    expired = (copied / "waivers.yaml").read_text(encoding="utf-8").replace("2999", "2020")
    (copied / "waivers.yaml").write_text(expired, encoding="utf-8")
    late = make(copied, "package", check=False)
    assert late.returncode
    assert "expired" in late.stderr
    assert make(copied, "ce", check=False).returncode


def test_a_known_run_does_not_train_again_unless_asked(copied: Path, make: Make) -> None:
    """Another clone without caches, where the same run would train anew: it says who tried it, and stops."""
    shutil.rmtree(copied / ".dvc" / "cache" / "runs")
    (copied / "dvc.lock").unlink()
    refused = make(copied, "train", check=False)
    assert refused.returncode
    assert "tried this on" in refused.stderr
    assert "blessed" in refused.stderr
    entry = next((copied / "experiments").glob("*.json"))
    assert json.loads(entry.read_text(encoding="utf-8"))["status"] == "blessed"
    make(copied, "train", "AGAIN=the cache is lost")
    run = json.loads(entry.read_text(encoding="utf-8"))
    assert (run["status"], run["again"][0]["why"]) == ("blessed", "the cache is lost")


def test_a_crash_is_kept_too(copied: Path, make: Make) -> None:
    model = copied / "src" / copied.name / "model.py"
    model.write_text(
        model.read_text(encoding="utf-8").replace("    estimator = ", "    1 / 0\n    estimator = "), encoding="utf-8"
    )
    assert make(copied, "train", "WHY=division is fun", check=False).returncode
    (crashed,) = [run for run in runs(copied) if run["status"] == "crashed"]
    assert crashed["hypothesis"] == "division is fun"
    assert "train" in str(crashed["said"])


def runs(project: Path) -> list[dict[str, object]]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in (project / "experiments").glob("*.json")]


def test_variants_are_tried_beside_the_workspace(copied: Path, make: Make) -> None:
    params = (copied / "params.yaml").read_text(encoding="utf-8")
    tried = make(copied, "try", "WHY=is simple enough?", "SET=model.kind=linear")
    assert "model.kind=linear: " in tried.stdout
    assert (copied / "params.yaml").read_text(encoding="utf-8") == params
    found = {str(run["hypothesis"]): run for run in runs(copied)}
    assert found["is simple enough?"]["metrics"]
    assert "tried this on" in make(copied, "try", "WHY=again", "SET=model.kind=linear").stdout
    refused = make(copied, "try", "SET=model.depth=8", "WHY=deeper", check=False)
    assert "model: unknown key 'depth'" in refused.stderr
    assert make(copied, "sweep", "SET=model.max_iter=10", check=False).returncode  # no reason
    swept = make(copied, "sweep", "WHY=how many trees", "SET=model.max_iter=5,10")
    assert swept.stdout.count("to keep it: dvc exp apply run-") == 2


def test_two_branches_merge_their_journals(copied: Path, make: Make) -> None:
    for branch, trees in (("one", "40"), ("two", "50")):
        git(copied, "checkout", "-q", "-b", branch, "v1.0.0")
        (copied / "experiments" / f"{trees}.json").write_text(
            json.dumps(runs(copied)[0] | {"fingerprint": trees, "hypothesis": branch}), encoding="utf-8")  # fmt: skip
        git(copied, "add", "experiments")
        git(copied, "commit", "-qm", branch)
    git(copied, "merge", "-q", "one", "-m", "both")
    output = make(copied, "journal").stdout
    assert "why: one" in output
    assert "why: two" in output


def test_questions_about_a_difference_are_answered(copied: Path, make: Make) -> None:
    set_params(copied, max_iter="20")
    make(copied, "train")
    output = make(copied, "difference").stdout
    losses = {
        tuple(line.split()[:2]): float(line.split()[2]) for line in output.splitlines() if line[:3] in ("old", "new")
    }
    assert losses["old", "old"] == losses["new", "old"]  # the data is the same
    assert losses["old", "old"] != losses["old", "new"]
    assert "a difference under" in make(copied, "noise").stdout


def test_new_rows_are_compared_with_the_reference(copied: Path, make: Make) -> None:
    names, rows = rows_of(copied)
    weight = names.index("weight")
    same, moved = copied / "same.csv", copied / "moved.csv"
    same.write_text("\n".join([",".join(names), *(",".join(row) for row in rows[::2])]), encoding="utf-8")
    for row in rows:
        row[weight] = f"{float(row[weight]) * 1.3:.1f}"
    moved.write_text("\n".join([",".join(names[:-1]), *(",".join(row[:-1]) for row in rows[::2])]), encoding="utf-8")
    assert "Nothing has moved" in make(copied, "drift", "DATA=same.csv").stdout
    drifted = make(copied, "drift", "DATA=moved.csv", check=False)
    assert drifted.returncode
    assert "drift.column (weight)" in drifted.stdout
    turned = copied / "turned.csv"
    others = {"yes": "no", "no": "yes"}
    lines = [",".join([*row[:-1], others[row[-1]]]) for row in rows_of(copied)[1][::2]]
    turned.write_text("\n".join([",".join(names), *lines]), encoding="utf-8")
    concept = make(copied, "drift", "DATA=turned.csv", check=False)
    assert concept.returncode
    assert "**drift.concept**" in concept.stdout
    assert "drift.column (dose)" not in concept.stdout
    lacking = copied / "lacking.csv"
    lacking.write_text("dose\n1\n", encoding="utf-8")
    assert "lacks 'weight', 'ward', 'note'" in make(copied, "drift", "DATA=lacking.csv", check=False).stderr


@pytest.mark.skipif(not FLIGHTS.exists(), reason="the shared data are not part of the repository")
def test_the_months_that_differ_are_found(tmp_path: Path, template: Path, environment: Path) -> None:
    """A model of January to March meets the rest of the year: delays are rare in September and common in December."""
    head, *lines = FLIGHTS.read_text(encoding="utf-8").splitlines()
    early = [line for line in lines if line.split(",")[1] < "2013-04"]
    (tmp_path / "early.csv").write_text("\n".join([head, *early]) + "\n", encoding="utf-8")
    late = [line for line in lines if line.split(",")[1] >= "2013-04"]
    project = tmp_path / "flights"
    words = [sys.executable, "-m", "mlscaffold", "new", str(project), "--template", str(template), "--defaults"]
    words += ["--data", str(tmp_path / "early.csv"), "--target", "late", "--time", "date", "--id", "flight_id"]
    subprocess.run(words, capture_output=True, check=True)
    stages(project, environment)
    assert {
        title for title in failing(project) if title.startswith("drift.")
    } == set()  # the control: its own test rows
    (project / "late.csv").write_text("\n".join([head, *late]) + "\n", encoding="utf-8")
    words = ["mlproduct", "drift", "--data", "late.csv"]
    done = subprocess.run(words, cwd=project, env=inside(environment), capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    by_month = {row["period"]: row["drifted"] for row in drifted(project)}
    assert {month for month, columns in by_month.items() if "late" in columns} >= {"2013-09", "2013-12"}
    assert not {month for month, columns in by_month.items() if "late" in columns} & {"2013-05", "2013-08"}


def drifted(project: Path) -> list[dict[str, object]]:
    report = project / "reports" / "ce" / "drift-new.json"
    return list(json.loads(report.read_text(encoding="utf-8"))["details"]["periods"])
