"""The faults of a drill. Each is a block in which something is wrong, and names the alert that has to see it."""

import json
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import psutil

from mlproduct import team
from mlproduct.artifacts import SERVING
from mlproduct.config import Params
from mlproduct.contract.columns import Contract
from mlproduct.gameday.supervised import Supervised
from mlproduct.gameday.traffic import Record, feed, hanging
from mlproduct.gameday.watch import FASTER
from mlproduct.inference.request import examples
from mlproduct.packaging.store import STORE

LARGE = 500  # records in a request of a caller that sends many
QUARTER = 15 * 60 / FASTER + 3  # seconds until a restart of the service is no reason any more
SLICE = 0.02  # seconds for which a throttled worker runs
SHARE = 0.1  # of the rows: the far end of a feature


class LeftOutError(Exception):
    """A fault that this repository cannot have."""


@dataclass(frozen=True)
class Scene:
    """What a fault can harm.

    Attributes
    ----------
    rows : DataFrame of shape (n_rows, n_columns)
        Of the train set: what callers who are well send.
    hold : Path
        While this file is there, the broken source is held (HOLD_FEED of deploy/on-call.env).
    """

    contract: Contract
    params: Params
    rows: pd.DataFrame
    service: Supervised
    hold: Path

    def source(self, records: list[Record]) -> AbstractContextManager[None]:
        """Let one more source send records, until it is held."""
        return feed(self.service.url, records, self.hold.exists)


@dataclass(frozen=True)
class Fault:
    """A fault, the alert that has to fire, and how long that may take in a drill."""

    name: str
    alert: str
    severity: str
    inject: Callable[[Scene], AbstractContextManager[str]]


@contextmanager
def drift(scene: Scene) -> Iterator[str]:
    """Send rows from the far end of one feature only: each is as it should be, and together they are not."""
    numbers = [name for name in scene.contract.features if pd.api.types.is_numeric_dtype(scene.rows[name])]
    numbers = [name for name in numbers if scene.rows[name].nunique() > 1 / SHARE]
    if not numbers:
        raise LeftOutError("no numeric feature has a far end")
    limits = json.loads((SERVING / "reference.json").read_text(encoding="utf-8"))["features"]
    name = min(numbers, key=lambda each: limits[each]["limit"])  # windows of the reference differ least in it
    far = scene.rows[scene.rows[name] >= scene.rows[name].quantile(1 - SHARE)]
    with _broken(scene, examples(scene.contract, far)):
        yield f"only the highest tenth of {name} comes"


@contextmanager
def nulls(scene: Scene) -> Iterator[str]:
    """Send a feature as null that is seldom so."""
    shares = {name: scene.rows[name].isna().mean() for name in scene.contract.features}
    able = {name: share for name, share in shares.items() if scene.contract.columns[name].nullable}
    if not able or min(able.values()) > 0.5:
        raise LeftOutError("contract.yaml lets no feature be null that is not so already")
    name = min(able, key=lambda each: able[each])
    with _broken(scene, [row | {name: None} for row in examples(scene.contract, scene.rows)]):
        yield f"a source has lost {name}"


@contextmanager
def _broken(scene: Scene, records: list[Record]) -> Iterator[None]:
    with scene.source(records), scene.source(records), scene.source(records):
        try:
            yield
        finally:
            scene.hold.unlink(missing_ok=True)


@contextmanager
def latency(scene: Scene) -> Iterator[str]:
    """Return the worker the processor for a moment at a time, as a limit of the container does, and send it more work.

    Requests that wait before the worker has read them are not slow to it: what it has begun has to be cut.
    """
    worker, over = _worker(scene), threading.Event()
    pause, records = 1.2 * scene.params.objectives.latency_seconds, min(LARGE, scene.params.service.max_records)

    def throttle() -> None:
        while not over.is_set() and worker.is_running():
            try:
                worker.send_signal(signal.SIGSTOP)
                time.sleep(pause)
                worker.send_signal(signal.SIGCONT)
            except psutil.NoSuchProcess:
                return
            time.sleep(SLICE)

    thread = threading.Thread(target=throttle, daemon=True)
    thread.start()
    try:
        with feed(scene.service.url, examples(scene.contract, scene.rows), batch=records):
            yield f"the worker runs {1000 * SLICE:.0f} ms, rests {pause:.2g} s; more records a request"
    finally:
        over.set()
        thread.join()


@contextmanager
def errors(scene: Scene) -> Iterator[str]:
    """Take all places with requests that never end."""
    number = scene.params.service.max_concurrency
    with hanging(scene.service.port, number):
        yield f"{number} callers begin a request and do not end it"


@contextmanager
def stale(scene: Scene) -> Iterator[str]:
    """Let the model be older than is promised: the service is started with one whose date is changed."""
    days = scene.params.objectives.model_age_days
    if not days:
        raise LeftOutError("objectives.model_age_days is 0: no age is too old")
    home = STORE / "models" / team.package()
    newest = home / (home / "latest").read_text(encoding="utf-8").strip() / "model.yaml"
    long_ago = (datetime.now(UTC) - timedelta(days=days + 1)).isoformat()
    text = newest.read_text(encoding="utf-8")
    newest.write_text(re.sub(r"(?m)^creation_time: .*$", f"creation_time: '{long_ago}'", text), encoding="utf-8")
    _restart(scene.service)
    yield f"the model is {days + 1:g} days old"


@contextmanager
def worker(scene: Scene) -> Iterator[str]:
    """Kill the worker, as the kernel does when memory is out; not in the first quarter of an hour of the rules."""
    time.sleep(max(0.0, scene.service.since + QUARTER - time.monotonic()))
    killed = _worker(scene)
    killed.kill()
    yield f"the worker (process {killed.pid}) is killed"


def _worker(scene: Scene) -> psutil.Process:
    (first, *_) = scene.service.workers()
    return first


def _restart(service: Supervised) -> None:
    psutil.Popen(["bash", "-c", service.restart]).wait()


FAULTS = (
    Fault("drift", "FeatureDrift", "ticket", drift),
    Fault("nulls", "NullsRise", "ticket", nulls),
    Fault("latency", "LatencyBurn", "page", latency),
    Fault("errors", "AvailabilityBurn", "page", errors),
    Fault("worker", "WorkerRestarts", "ticket", worker),
    Fault("stale", "ModelStale", "ticket", stale),
)
