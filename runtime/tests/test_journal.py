"""The journal keeps every run, says who tried what, and merges by itself."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mlproduct import config as params
from mlproduct.contract import validation as contract
from mlproduct.evaluation import champion
from mlproduct.experiments import journal, publish
from mlproduct.experiments.shipped import mark_shipped
from mlproduct_tests.repository import ROOT
from mlproduct_tests.samples import PARAMS

RUN = journal.Run("abc123", "rejected", "Ada", "2026-11-23T10:00:00+00:00", "deeper is better", {}, {}, "c0ffee",
                  metrics={"roc_auc": 0.75}, failing=["bias.parity (sex)"])  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("contract.yaml", "requirements.lock"):
        Path(name).write_bytes((ROOT / name).read_bytes())
    Path("params.yaml").write_text(PARAMS, encoding="utf-8")
    shutil.copytree(ROOT / "src", "src")
    raw = Path(contract.Contract.load().source.path)
    raw.parent.mkdir(parents=True)
    raw.write_text("a,b\n1,2\n", encoding="utf-8")
    return tmp_path


def test_a_fingerprint_changes_with_what_decides_and_with_nothing_else(desk: Path):
    tuned = params.Params.load()
    first = journal.begin(tuned, "one").fingerprint
    assert journal.begin(tuned, "another reason").fingerprint == first
    assert journal.begin(tuned.replace(evaluate=tuned.evaluate.replace(seed=9)), "").fingerprint == first
    assert journal.begin(tuned.replace(model=tuned.model.replace(seed=9)), "").fingerprint != first
    raw = Path(contract.Contract.load().source.path)
    raw.write_text("a,b\n1,3\n", encoding="utf-8")
    assert journal.begin(tuned, "").fingerprint != first
    raw.unlink()
    with pytest.raises(contract.DataError, match="put the data there"):
        journal.begin(tuned, "")


def test_it_is_kept_one_file_a_run(desk: Path):
    RUN.write()
    replace(RUN, fingerprint="def456", when="2026-11-22T10:00:00+00:00", status="crashed", metrics={}).write()
    assert [run.fingerprint for run in journal.runs()] == ["def456", "abc123"]
    assert json.loads(Path("experiments/abc123.json").read_text(encoding="utf-8"))["who"] == "Ada"
    assert journal.known(RUN) == "Ada tried this on 2026-11-23: rejected (bias.parity (sex)), roc_auc 0.75."
    text = journal.listing(journal.runs())
    assert "why: deeper is better" in text
    assert "no metric" in text
    assert max(map(len, text.splitlines()[:2])) <= 80
    with pytest.raises(contract.DataError, match="--sort luck"):
        journal.listing([RUN], "luck")


def test_what_was_shipped_from_here_is_shown_and_changes_no_file_of_the_journal(desk: Path):
    run = replace(RUN, model="m1")
    run.write()
    before = run.path.read_bytes()
    mark_shipped("m1")
    assert ": shipped (bias.parity (sex))" in journal.known(run)
    assert "shipped" in journal.listing(journal.runs())
    assert "Ada" not in journal.table(failed=True)
    publish.write_page()
    assert "<td>shipped</td>" in publish.PAGE.read_text(encoding="utf-8")
    assert run.path.read_bytes() == before
    crashed = replace(run, status="crashed")  # it has the model of the run before
    assert ": crashed" in journal.known(crashed)


def test_a_lesson_is_written_to_one_run(desk: Path):
    RUN.write()
    journal.learn("depth does not help", "abc")
    assert journal.runs()[0].lesson == "depth does not help"
    assert "Lesson: depth does not help" in journal.known(journal.runs()[0])
    with pytest.raises(contract.DataError, match="0 runs begin with 'x'"):
        journal.learn("no", "x")


def test_a_damaged_file_is_named(desk: Path):
    RUN.write()
    RUN.path.write_text("{", encoding="utf-8")
    with pytest.raises(contract.DataError, match=r"abc123\.json is not a run of the journal"):
        journal.runs()


def test_settings_are_a_grid_and_are_checked(desk: Path):
    assert journal.settings("model.max_iter=50,100 model.kind=linear") == [
        {"model.max_iter": 50, "model.kind": "linear"},
        {"model.max_iter": 100, "model.kind": "linear"},
    ]
    assert journal.with_settings({"model.max_iter": 7}).model.max_iter == 7
    with pytest.raises(contract.DataError, match=r"write `section.name=value`"):
        journal.settings("depth=8")
    with pytest.raises(contract.DataError, match="unknown key 'depth'"):
        journal.with_settings({"model.depth": 8})
    with pytest.raises(contract.DataError, match="'many' is not a whole number"):
        journal.with_settings({"model.max_iter": "many"})


def test_a_run_that_is_run_again_keeps_what_was_learnt(desk: Path):
    replace(RUN, lesson="depth does not help", forced="a demo").write()
    now = replace(RUN, who="Bob", when="2027-01-01T00:00:00+00:00", status="running", lesson="", metrics={})
    assert journal.started(now, "") == (journal.runs()[0], journal.runs()[0])
    began, old = journal.started(now, "the seed was fixed")
    assert (old.status, began.status, began.lesson, began.forced) == (
        "rejected",
        "running",
        "depth does not help",
        "a demo",
    )
    assert began.again == [{"who": "Bob", "when": now.when, "why": "the seed was fixed"}]
    assert journal.runs() == [began]


@pytest.fixture
def pipeline(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that says how the pipeline ends, which takes a minute where it runs: by a code or an error."""

    def ends(code: int | BaseException, verdict: str = "blessed") -> None:
        def run(command: list[str], env: dict[str, str], lines: int) -> tuple[int, list[str]]:
            if isinstance(code, BaseException):
                raise code
            Path("reports").mkdir(exist_ok=True)
            Path("reports/metrics.json").write_text(json.dumps({"roc_auc": {"value": 0.9}}), encoding="utf-8")
            Path("reports/verdict.json").write_text(json.dumps({"verdict": verdict, "model": "m"}), encoding="utf-8")
            return code, ["ERROR: failed to reproduce 'train'"] if code else []

        monkeypatch.setattr(journal.processes, "watch", run)
        monkeypatch.setattr(champion, "name", lambda *_: None)

    return ends


def on_the_page() -> list[tuple[str, str, str]]:
    """Read status, metric and what failed from the rows of reports/journal.html."""
    rows = re.findall(r"<tr>(<td>.*)</tr>", publish.PAGE.read_text(encoding="utf-8").split("<h2>")[1])
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in rows]
    return [(row[3], row[4], row[7]) for row in cells]


def test_the_page_tells_how_a_run_has_ended(pipeline: Callable[..., None]):
    pipeline(0, "rejected")
    assert journal.train("deeper", "", None) == 0
    assert on_the_page() == [("rejected", "roc_auc 0.9", "")]


def test_the_page_tells_of_a_crash(pipeline: Callable[..., None]):
    pipeline(1)
    assert journal.train("deeper", "", None) == 1
    assert on_the_page() == [("crashed", "no metric", "ERROR: failed to reproduce &#39;train&#39;")]


@pytest.mark.parametrize("cause", [KeyboardInterrupt, SystemExit])
def test_the_page_tells_of_an_interruption(pipeline: Callable[..., None], cause: type[BaseException]):
    pipeline(cause())
    with pytest.raises(cause):
        journal.train("deeper", "", None)
    assert on_the_page() == [("crashed", "no metric", "interrupted")]


def test_a_run_that_is_known_stays_what_it_was_when_it_is_interrupted(pipeline: Callable[..., None]):
    pipeline(0)
    journal.train("deeper", "", None)
    before = journal.runs()
    pipeline(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        journal.train("deeper", "", None)
    assert journal.runs() == before
    assert on_the_page() == [("blessed", "roc_auc 0.9", "")]


def test_the_page_tells_of_variants_that_were_interrupted(pipeline: Callable[..., None], monkeypatch):
    def interrupted(queued: object, again: str) -> None:
        raise KeyboardInterrupt

    pipeline(0)
    monkeypatch.setattr(journal, "_run_queued", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.experiments("deeper", journal.settings("model.max_iter=5,7"), "")
    assert on_the_page() == [("crashed", "no metric", "interrupted")] * 2


def test_the_page_follows_a_lesson(desk: Path):
    RUN.write()
    journal.learn("depth does not help", "abc")
    assert "<td>depth does not help</td>" in publish.PAGE.read_text(encoding="utf-8")
