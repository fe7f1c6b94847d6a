"""Two replicas of a served Bento under a real Prometheus, with the rules and the dashboard of the repository."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from template.serving import Service, served, until
from template.test_generated import Make, free_port

pytestmark = [pytest.mark.slow]
Query = Callable[[str], list[dict[str, Any]]]
SENT = 900  # records to the first replica; a third of it to the second


@pytest.fixture(scope="module")
def replicas(project: Path, environment: Path) -> Iterator[list[Service]]:
    with served(project, environment) as one, served(project, environment) as other:
        yield [one, other]


def traffic(project: Path, replicas: list[Service]) -> None:
    """Send what a day brings, while Prometheus looks; the second replica sees other penguins than the first."""
    rows = json.loads((project / "models/serving/background.json").read_text(encoding="utf-8"))
    for service, n in zip(replicas, (SENT, SENT // 3), strict=True):
        more = {} if service is replicas[0] else {"island": "Torgersen"}
        answers = []
        for begin in range(0, n, 60):
            many = [rows[i % len(rows)] | more for i in range(begin, begin + 60)]
            answers += service.ask("/predict", {"records": many})[1]["predictions"]
            time.sleep(0.7)
        outcomes = [{"prediction_id": a["prediction_id"], "outcome": "Adelie", "value": 1.0} for a in answers[:50]]
        assert service.ask("/feedback", {"feedback": outcomes})[0] == 202
        assert service.ask("/predict", {"island": "Atlantis"})[0] == 422
        assert service.ask("/explain", rows[0])[0] == 200


@pytest.fixture(scope="module")
def prometheus(project: Path, replicas: list[Service], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    """Run Prometheus with the repository's rules, on loopback and with short intervals."""
    if shutil.which("prometheus") is None:
        if os.environ.get("CI"):
            pytest.fail("prometheus is missing: `.ci/run` installs it")
        pytest.skip("prometheus is missing: apt-get install prometheus")
    folder = Path(shutil.copytree(project / "deploy" / "prometheus", tmp_path_factory.mktemp("prometheus") / "it"))
    config = yaml.safe_load((folder / "prometheus.yaml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    targets = [f"127.0.0.1:{service.port}" for service in replicas]
    config["scrape_configs"] = [{"job_name": "penguins", "static_configs": [{"targets": targets}]}]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    rules = folder / "rules.yaml"
    rules.write_text(re.sub(r"interval: \w+", "interval: 1s", rules.read_text(encoding="utf-8")), encoding="utf-8")
    port = free_port()
    words = ["prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)

    def query(expression: str) -> list[dict[str, Any]]:
        parameters = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{parameters}", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return found

    query.address = f"http://127.0.0.1:{port}"  # type: ignore[attr-defined]
    try:
        until(lambda: process.poll() is not None or _up(query), 60)
        assert process.poll() is None, (folder / "log").read_text()
        traffic(project, replicas)
        time.sleep(3)
        yield query
    finally:
        process.terminate()
        process.wait(timeout=20)


def _up(query: Query) -> bool:
    try:
        return len(query("up == 1")) == 2
    except OSError:
        return False


def value(found: list[dict[str, Any]]) -> float:
    (one,) = found
    return float(one["value"][1])


def test_counters_of_two_replicas_add_up(prometheus: Query, replicas: list[Service]) -> None:
    expected = sum(service.metric("ml_records_total") for service in replicas)
    assert expected == SENT + SENT // 3
    until(lambda: value(prometheus("sum(ml_records_total)")) == expected, 30)
    assert value(prometheus("sum(ml_feedback_total)")) == 100
    assert value(prometheus("count(count by (instance) (ml_model_info))")) == 2


def test_the_psi_of_two_replicas_is_that_of_their_sum(
    prometheus: Query, replicas: list[Service], project: Path
) -> None:
    island = json.loads((project / "models/serving/reference.json").read_text(encoding="utf-8"))["features"]["island"]
    name = 'job_model_feature:ml_feature_psi:1d{feature="island"}'
    until(lambda: bool(prometheus(name)), 60)
    counts = prometheus('sum by (bin) (ml_feature_bin_total{feature="island"})')
    observed = {row["metric"]["bin"]: float(row["value"][1]) for row in counts}
    p = np.maximum([observed[bin_] / sum(observed.values()) for bin_ in island["bins"]], 1e-4)
    q = np.maximum(list(island["bins"].values()), 1e-4)
    expected = float(((p - q) * np.log(p / q)).sum())
    assert expected > 0.05
    until(lambda: abs(value(prometheus(name)) - expected) < 0.1 * expected, 60)


def test_every_metric_of_the_rules_and_the_dashboard_exists(prometheus: Query, project: Path) -> None:
    """What a rule records counts if it has a value, or if what it looks at has and only its condition does not hold."""
    folder = project / "deploy" / "prometheus"
    files = [yaml.safe_load((folder / name).read_text(encoding="utf-8")) for name in ("rules.yaml", "alerts.yaml")]
    groups = [group for file in files for group in file["groups"]]
    expressions = [rule["expr"] for group in groups for rule in group["rules"]]
    dashboard = (project / "deploy" / "grafana" / "dashboard.json").read_text(encoding="utf-8")
    expressions += re.findall(r'"expr": "((?:[^"\\]|\\.)*)"', dashboard)
    exported = {name for text in expressions for name in re.findall(r"\bml_[a-z_]+", text)}
    recorded = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    parts = {name for record in recorded for name in re.findall(r"ml_[a-z_]+", record)}
    never = {"ml_shadow_failures_total"}  # of a service without a challenger
    names = {name for name in exported if name not in parts or name.endswith("_total")} - never
    assert len(names) > 15
    missing = {name for name in names if not prometheus(f"count({name})")}
    assert missing == set()
    used = {name for text in expressions for name in re.findall(r"\bjob[a-z_]*:[a-z_]+:[a-z0-9_]+", text)}
    assert used <= recorded
    empty = {name for name in recorded if not prometheus(f"count({name})")}
    assert not {name for name in empty if not re.search("errors:increase|quiet|variant", name)}  # none failed or paused


def test_no_alert_fires_in_a_service_that_is_well(prometheus: Query) -> None:
    firing = {row["metric"]["alertname"] for row in prometheus('ALERTS{alertstate="firing"}')}
    assert firing <= {
        "FeatureDrift",
        "ScoreDrift",
        "LiveLossHigh",
    }  # other penguins, and outcomes that are mostly wrong


def test_every_check_of_the_runbooks_works_on_a_live_service(
    prometheus: Query, replicas: list[Service], project: Path, make: Make
) -> None:
    where = {"URL": replicas[0].url, "PROMETHEUS": prometheus.address}  # type: ignore[attr-defined]
    done = make(project, "runbooks", check=False, **where)
    assert "FAILED" not in done.stdout, done.stdout
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\nok ") > 20
