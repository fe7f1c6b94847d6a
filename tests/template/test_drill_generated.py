"""`make drill` on a generated repository: real faults, a real Prometheus, and the runbooks' own commands."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from template.test_generated import Make

pytestmark = [pytest.mark.slow]
FAULTS = {
    "drift": "FeatureDrift",
    "nulls": "NullsRise",
    "latency": "LatencyBurn",
    "errors": "AvailabilityBurn",
    "worker": "WorkerRestarts",
    "stale": "ModelStale",
}


def state(project: Path) -> tuple[str, set[Path]]:
    words = ["git", "status", "--porcelain", "--untracked-files=all"]
    output = subprocess.run(words, cwd=project, capture_output=True, text=True, check=True).stdout
    return output, {path.relative_to(project) for path in (project / ".bentoml").rglob("*") if "tmp" not in path.parts}


@pytest.mark.parametrize("faults", [["worker"], pytest.param(list(FAULTS), marks=pytest.mark.heavy)], ids=len)
def test_each_fault_is_seen_and_its_runbook_ends_it(project: Path, make: Make, faults: list[str]) -> None:
    before = state(project)
    done = make(project, "drill", f"ARGS=--only {','.join(faults)}", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if faults == list(FAULTS):
        assert re.search(r"checks   \d\d checks of all runbooks, 0 failed", done.stdout), done.stdout
    for fault in faults:
        alert = FAULTS[fault]
        assert re.search(rf"{fault} +{alert} fires \(", done.stdout), done.stdout
        assert re.search(rf"{fault} +{alert} has ended", done.stdout), done.stdout
        assert re.search(rf"^{fault} +{alert} +\d+ s +\d+ s  ok$", done.stdout, re.MULTILINE), done.stdout
    assert max(map(len, re.findall(r"^ *\d+\.\d s .*$", done.stdout, re.MULTILINE))) <= 80
    assert state(project) == before


@pytest.mark.heavy
def test_an_alert_that_is_switched_off_is_found_out(project: Path, make: Make, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(project, tmp_path / "penguins", symlinks=True))
    alerts = copy / "deploy" / "prometheus" / "alerts.yaml"
    text = alerts.read_text(encoding="utf-8")
    alerts.write_text(text.replace("alert: WorkerRestarts", "alert: SomethingElse"), encoding="utf-8")
    done = make(copy, "drill", "ARGS=--only worker", check=False)
    assert done.returncode
    assert "worker: WorkerRestarts (ticket) did not fire in" in done.stdout, done.stdout
