"""A real Prometheus on loopback with the rules of deploy/prometheus, in which time goes by faster."""

import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from mlproduct.errors import DataError
from mlproduct.packaging.ship import PATIENCE, free_port

RULES = Path("deploy/prometheus")
FASTER = 60  # a minute of the rules in a second
SCRAPE = "1s"  # five of them in the shortest window of the rules, five minutes
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
TIMED = re.compile(r"\[[^\]\n]+\]|(?<=offset )\w+|^\s*(?:for|interval): \w+", re.MULTILINE)


def faster(rules: str, factor: int = FASTER) -> str:
    """Divide each duration of a file of rules: windows, offsets, `for` and `interval`; names and limits stay."""

    def shorter(found: re.Match[str]) -> str:
        milliseconds = int(found[1]) * SECONDS[found[2]] * 1000 / factor
        return f"{max(1, round(milliseconds))}ms"

    return TIMED.sub(lambda found: re.sub(r"(?<![\w.])(\d+)([smhdw])\b", shorter, found[0]), rules)


@dataclass(frozen=True)
class Watch:
    """A Prometheus that runs."""

    url: str

    def firing(self, alert: str, severity: str) -> bool:
        """Return whether an alert of that name and severity fires now."""
        with urllib.request.urlopen(f"{self.url}/api/v1/alerts", timeout=10) as answer:  # noqa: S310
            alerts = json.load(answer)["data"]["alerts"]
        labels = {"alertname": alert, "severity": severity}
        return any(each["state"] == "firing" and labels.items() <= each["labels"].items() for each in alerts)


@contextmanager
def watching(folder: Path, job: str, target: str) -> Iterator[Watch]:
    """Let Prometheus look at a service until the block ends.

    Parameters
    ----------
    folder : Path
        A new one, for its rules and its data.
    job, target : str
        The name of the service in the metrics, and its host and port.

    Raises
    ------
    DataError
        If Prometheus is not installed, or does not take the rules.
    """
    if shutil.which("prometheus") is None:
        raise DataError("prometheus is missing: apt-get install prometheus, or brew install prometheus")
    folder.mkdir()
    for name in ("rules.yaml", "alerts.yaml"):
        (folder / name).write_text(faster((RULES / name).read_text(encoding="utf-8")), encoding="utf-8")
    config = {
        "global": {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE, "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml", "alerts.yaml"],
        "scrape_configs": [{"job_name": job, "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    port, log = free_port(), folder / "log"
    words = ["prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data"]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [*words, f"--web.listen-address=127.0.0.1:{port}"], stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield _ready(Watch(f"http://127.0.0.1:{port}"), process, log)
    finally:
        process.terminate()
        process.wait()


def _ready(watch: Watch, process: "subprocess.Popen[bytes]", log: Path) -> Watch:
    late = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < late:
        try:
            with urllib.request.urlopen(f"{watch.url}/-/ready", timeout=2):  # noqa: S310
                return watch
        except OSError:
            time.sleep(0.1)
    tail = "\n".join(log.read_text(encoding="utf-8").splitlines()[-10:])
    raise DataError(f"Prometheus did not start; the end of its log:\n{tail}")
