"""The rules of a rendered repository by the real promtool, and that it sees what is broken."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from template.conftest import Render

Make = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def prometheus(render: Render) -> Path:
    if shutil.which("promtool") is None:
        if os.environ.get("CI"):
            pytest.fail("promtool is missing: `.ci/run` installs it")
        pytest.skip("promtool is missing: apt-get install prometheus")
    return render() / "deploy" / "prometheus"


@pytest.fixture
def rules(prometheus: Path, tmp_path: Path) -> Path:
    """Give a copy to break."""
    return Path(shutil.copytree(prometheus, tmp_path / "prometheus"))


def promtool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True, check=False)


def test_the_configuration_and_its_rules_are_valid(prometheus: Path) -> None:
    done = promtool(prometheus, "check", "config", "prometheus.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rules found" in done.stdout


@pytest.mark.parametrize("file", ["rules.yaml", "alerts.yaml"])
def test_rules_are_valid_and_none_is_there_twice(prometheus: Path, file: str) -> None:
    done = promtool(prometheus, "check", "rules", "--lint=all", "--lint-fatal", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_and_stay_silent_as_their_tests_say(render: Render, prometheus: Path, make: Make) -> None:
    done = make(prometheus.parents[1], "alerts")
    assert done.stdout.count("SUCCESS") >= len(list((prometheus / "tests").glob("*.yaml")))
    assert "FAILED" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "test", "right", "wrong"),
    [
        # the mean of replicas in place of their sum
        ("rules.yaml", "psi", "sum by (job, model, feature, bin) (", "avg by (job, model, feature, bin) ("),
        ("rules.yaml", "psi", ">= 500", ">= 400"),
        ("rules.yaml", "psi", "(ml_feature_bin_total < increase", "(ml_feature_bin_total < 0 * increase"),
        ("rules.yaml", "slo", 'route!="other"', 'route!=""'),
        ("alerts.yaml", "slo-days", "clamp_max(14.4", "clamp_max(144"),
        ("alerts.yaml", "slo", ", 0.9)", ", 9)"),
        ("alerts.yaml", "service", "unless resets", "and resets"),
        ("alerts.yaml", "data", "unless on (job, model, feature)", "and on (job, model, feature)"),
        ("alerts.yaml", "model", "- 3 * job_variant", "- 0 * job_variant"),
        ("rules.yaml", "model", "max_over_time(job:ml_feedback_last:timestamp[30d])", "job:ml_feedback_last:timestamp"),
    ],
)  # fmt: skip
def test_a_broken_rule_fails_its_test(rules: Path, file: str, test: str, right: str, wrong: str) -> None:
    text = (rules / file).read_text(encoding="utf-8")
    assert right in text
    (rules / file).write_text(text.replace(right, wrong), encoding="utf-8")
    done = promtool(rules / "tests", "test", "rules", f"{test}.yaml")
    assert done.returncode != 0
    assert "FAILED" in done.stdout + done.stderr


def test_a_rule_that_is_no_promql_is_refused(rules: Path) -> None:
    document = yaml.safe_load((rules / "alerts.yaml").read_text(encoding="utf-8"))
    document["groups"][0]["rules"][0]["expr"] += " > "
    (rules / "alerts.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    assert promtool(rules, "check", "config", "prometheus.yaml").returncode != 0


def test_make_alerts_says_what_is_missing(render: Render) -> None:
    make = shutil.which("make") or ""
    done = subprocess.run(
        [make, "alerts"], cwd=render(), env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "apt-get install prometheus" in done.stderr
