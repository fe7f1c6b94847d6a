"""The drill's parts that need no service: rules in a hurry, the choice of faults, and what is told in the end."""

import subprocess
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import yaml
from mlproduct.contract import validation as contract
from mlproduct.gameday import drill, watch
from mlproduct.monitoring import runbooks
from mlproduct_tests.repository import ROOT

faults = drill.FAULTS
RULES = ROOT / "deploy" / "prometheus"


def test_every_duration_of_the_rules_is_shorter_by_the_same_factor():
    text = (
        "interval: 2m\nrecord: job:x:rate5m\nexpr: rate(x_5m[5m] offset 15m) > 14.4 and max_over_time(y[8d:5m]) > 2\n"
    )
    assert watch.faster(text, 60) == (
        "interval: 2000ms\nrecord: job:x:rate5m\n"
        "expr: rate(x_5m[5000ms] offset 15000ms) > 14.4 and max_over_time(y[11520000ms:5000ms]) > 2\n"
    )


@pytest.mark.parametrize("name", ["rules.yaml", "alerts.yaml"])
def test_nothing_else_of_the_rules_is_changed(name: str):
    before = (RULES / name).read_text(encoding="utf-8")
    after = watch.faster(before)
    assert yaml.safe_load(after).keys() == yaml.safe_load(before).keys()
    assert watch.TIMED.sub("", after) == watch.TIMED.sub("", before)
    assert not [found for found in watch.TIMED.findall(after) if not found.strip("[]").endswith("ms")]


def test_each_fault_has_an_alert_with_a_fix_in_its_runbook():
    alerts = yaml.safe_load((RULES / "alerts.yaml").read_text(encoding="utf-8"))
    pairs = {(rule["alert"], rule["labels"]["severity"]) for group in alerts["groups"] for rule in group["rules"]}
    for fault in faults:
        assert (fault.alert, fault.severity) in pairs
        kinds = {command.kind for command in runbooks.commands(fault.alert, runbooks.pages([fault.alert])[fault.alert])}
        assert {"check", "fix"} <= kinds


class Silent:
    """A Prometheus in which an alert fires or does not, whatever happens."""

    def __init__(self, *states: bool) -> None:
        self.states = list(states)

    def firing(self, alert: str, severity: str) -> bool:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


@contextmanager
def broken(scene):
    yield "it is broken"


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(drill, "FIRES", 0.3)
    monkeypatch.setattr(drill, "ENDS", 0.3)
    return drill.Story()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch):
    def written(*blocks: str):
        text = "\n".join(f"```bash {block}\n```\n" for block in blocks)
        monkeypatch.setattr(drill, "pages", lambda names: {names[0]: text})

    return written


FAULT = drill.Fault("errors", "AvailabilityBurn", "page", broken)


def test_an_alert_that_does_not_fire_has_failed(story):
    found = drill.practise(FAULT, None, Silent(False), {}, story)
    assert found.result == drill.FAILED
    assert "AvailabilityBurn (page) did not fire" in found.said


def test_a_runbook_whose_check_fails_has_failed(story, page):
    page("check\nfalse", "fix\ntrue")
    found = drill.practise(FAULT, None, Silent(True), {}, story)
    assert found.result == drill.FAILED
    assert found.said.startswith("FAILED AvailabilityBurn:1")


def test_a_fix_that_does_not_help_has_failed(story, page):
    page("check\ntrue", "fix\ntrue", "fix\nexit 3")
    found = drill.practise(FAULT, None, Silent(True), {}, story)
    assert (found.result, found.said) == (
        drill.FAILED,
        "no fix of docs/runbooks/AvailabilityBurn.md ends AvailabilityBurn",
    )


def test_the_first_fix_that_ends_the_alert_is_named(story, page, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    page("check\ntrue", "fix\nexit 3", f"fix\ntouch {tmp_path}/mended")
    found = drill.practise(FAULT, None, Silent(True, True, False), {}, story)
    assert (found.result, found.said) == (drill.OK, "fixed by line 9 of the runbook")
    assert (tmp_path / "mended").exists()
    assert "AvailabilityBurn fires (page)" in capsys.readouterr().out
    assert "AvailabilityBurn   " in drill.render([found])


def test_what_this_repository_cannot_have_is_left_out_and_said(story):
    @contextmanager
    def never(scene):
        raise drill.LeftOutError("no number")
        yield ""

    found = drill.practise(drill.Fault("drift", "FeatureDrift", "ticket", never), None, Silent(False), {}, story)
    assert (found.result, found.said) == (drill.LEFT_OUT, "no number")
    assert "left out" in drill.render([found])


def test_the_copy_has_what_git_has_and_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    repository = tmp_path / "here"
    (repository / ".venv").mkdir(parents=True)
    (repository / "params.yaml").write_text("a: 1\n", encoding="utf-8")
    for words in (["init", "-q"], ["add", "params.yaml"]):
        subprocess.run(["git", *words], cwd=repository, check=True)
    monkeypatch.chdir(repository)
    copy = drill.copied(tmp_path / "copy")
    assert not (copy / ".venv").exists()
    listed = subprocess.run(["git", "ls-files"], cwd=copy, capture_output=True, text=True, check=True).stdout
    assert listed == "params.yaml\n"
    (copy / "params.yaml").write_text("a: 2\n", encoding="utf-8")
    assert (repository / "params.yaml").read_text(encoding="utf-8") == "a: 1\n"


def test_an_unknown_fault_is_named():
    with pytest.raises(contract.DataError, match="there is no flood; there are checks, drift, nulls"):
        drill.main("flood")


def test_a_feature_with_a_far_end_is_chosen_or_the_fault_is_left_out():
    drift = next(fault for fault in faults if fault.name == "drift")

    class Scene:
        contract = type("Contract", (), {"features": ["flag", "city"]})
        rows = pd.DataFrame({"flag": [0, 1] * 20, "city": ["a", "b"] * 20})

    with pytest.raises(drill.LeftOutError), drift.inject(Scene()):
        pass
