"""What is told to Prometheus. The names here are the ones that deploy/prometheus and deploy/grafana may use."""

import os
import shutil
import tempfile
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from mlproduct.artifacts import ALWAYS, OTHER
from mlproduct.config import CHALLENGER, Params
from mlproduct.contract.columns import Contract

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
if MULTIPROCESS in os.environ:  # a folder of this service alone: BentoML empties its own whenever another one starts
    folders, parent = Path(tempfile.gettempdir()), psutil.Process(os.getppid())
    for folder in folders.glob("ml-metrics-*-*"):
        if not psutil.pid_exists(int(folder.name.split("-")[2])):
            shutil.rmtree(folder, ignore_errors=True)  # of a service that has ended
    os.environ[MULTIPROCESS] = str(folders / f"ml-metrics-{parent.pid}-{parent.create_time():.0f}")
    Path(os.environ[MULTIPROCESS]).mkdir(exist_ok=True)
import prometheus_client as prometheus  # noqa: E402  reads the variable when it is imported

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
HOUR = 3600
DELAYS = tuple(h * HOUR for h in (1, 6, 24, 72, 168, 336, 720, 2160))  # seconds until an outcome is known
REFUSALS = (
    "body_too_large",
    "too_many_records",
    "malformed",
    "contract",
    "busy",
    "unauthorized",
    "forbidden",
    "timeout",
    "error",
)
FAULTS = (500, 503, 504)
ROUTES = ("/predict", "/explain", "/feedback", "/version")


def _counter(name: str, documentation: str, *labels: str) -> Any:
    return prometheus.Counter(name, documentation, labels)


def _gauge(name: str, documentation: str, *labels: str, over: Any = "max") -> Any:
    return prometheus.Gauge(name, documentation, labels, multiprocess_mode=over)


REQUESTS = _counter(
    "ml_requests_total", "requests answered; probes and scrapes are not counted", "route", "method", "status"
)
SLOW = _counter("ml_requests_slow_total", "requests slower than the latency objective", "route")
SECONDS = prometheus.Histogram("ml_request_seconds", "time until the answer", ["route"], buckets=LATENCIES)
REFUSED = _counter("ml_requests_refused_total", "requests that were refused", "reason")
IN_FLIGHT = _gauge("ml_requests_in_flight", "requests at work, the most of the last second", over="livesum")
LIMIT = _gauge("ml_requests_in_flight_limit", "requests that may be at work", over="livesum")
RECORDS = _counter("ml_records_total", "records predicted", "variant")
PREDICTIONS = _counter("ml_predictions_total", "predictions by class", "variant", "prediction")
SCORE_BIN = _counter("ml_score_bin_total", "scores by bin of the reference", "variant", "bin")
FEATURE_BIN = _counter("ml_feature_bin_total", "values of a feature by bin of the reference", "feature", "bin")
REFERENCE = _gauge("ml_reference_ratio", "share of a bin in the reference", "feature", "bin")
REFERENCE_SCORE = _gauge("ml_reference_score_ratio", "share of a bin of scores in the reference", "bin")
DRIFT_LIMIT = _gauge(
    "ml_drift_limit", "PSI above which a feature has drifted, from windows inside the reference", "feature"
)
SCORE_DRIFT_LIMIT = _gauge("ml_score_drift_limit", "PSI above which the score has drifted")
FEEDBACK = _counter("ml_feedback_total", "outcomes that came back", "variant")
OTHER_MODEL = _counter("ml_feedback_other_model_total", "outcomes of predictions of a model that runs here no more")
DELAY = prometheus.Histogram("ml_feedback_delay_seconds", "from prediction to outcome", ["variant"], buckets=DELAYS)
LOSS = _counter("ml_feedback_loss_total", "loss of labelled predictions; 1 is what guessing loses", "variant")
LOSS_SQUARED = _counter("ml_feedback_loss_squared_total", "its square, for intervals", "variant")
GAINED = _counter("ml_feedback_value_gained_total", "business value above zero that came with outcomes", "variant")
LOST = _counter("ml_feedback_value_lost_total", "business value below zero, as a positive number", "variant")
LAST_FEEDBACK = _gauge("ml_feedback_last_timestamp_seconds", "when the last outcome came")
SHADOW_FAILURES = _counter("ml_shadow_failures_total", "records that a shadow could not predict", "variant")
INFO = _gauge("ml_model_info", "what runs", "variant", "model", "data", "commit", "verdict", "path")
TRAINED = _gauge("ml_model_trained_timestamp_seconds", "when the model was packaged", "variant")
MODEL_LOSS = _gauge("ml_model_loss", "loss on the test rows; 1 is what guessing loses", "variant")
STARTS = _counter("ml_worker_starts_total", "workers that were started, those in place of a dead one too")
EXTENSION_FAILURES = _counter("ml_extension_failures_total", "requests in which extensions.py failed", "function")
LOG_ERRORS = _counter("ml_prediction_log_errors_total", "lines that could not be written to the prediction log")
OBJECTIVE = _gauge("ml_objective", "the objectives of params.yaml", "objective")
ALL = [value for value in list(globals().values()) if isinstance(value, prometheus.metrics.MetricWrapperBase)]
METRICS = tuple(
    f"{metric._name}_total" if metric._type == "counter" else name
    for metric in ALL
    for name in (
        [f"{metric._name}_{part}" for part in ("bucket", "sum", "count")]
        if metric._type == "histogram"
        else [metric._name]
    )
)


def extension_failed(function: str) -> None:
    """Count a failure of a function of the team's extensions.py."""
    EXTENSION_FAILURES.labels(function).inc()


@dataclass
class Timed:
    """What is known of the latency of a route and not yet told."""

    sum: Any
    buckets: list[int]
    slow: int
    total: float = 0.0


class ServiceMetrics:
    """The metrics of one process. What happens at every value is counted in lists, and told once a second."""

    def __init__(self, contract: Contract, params: Params, reference: dict[str, Any], labels: list[str]) -> None:
        self._slow, self._busiest, self.in_flight = params.objectives.latency_seconds, 0, 0
        self._values: list[tuple[str, Callable[[Any], int]]] = []
        self._counts: list[int] = []
        self._lock = threading.Lock()
        self._children: dict[Any, int] = {}
        for name, feature in reference["features"].items():
            self._values.append((name, self._binned(FEATURE_BIN, (name,), feature, contract, name)))
            self._tell_reference(name, feature)
        for label, share in reference["score"]["bins"].items():
            REFERENCE_SCORE.labels(label).set(share)
        SCORE_DRIFT_LIMIT.set(reference["score"]["limit"])
        self._labels, self._score = labels, reference["score"]
        positive = str(contract.positive) if contract.positive is not None else None
        self._positive = labels.index(positive) if positive in labels else -1
        self._variants: dict[str, tuple[Any, Callable[[Any], int], list[int]]] = {}
        self._outside = {
            name: dict(zip(ALWAYS[1:], self._more(FEATURE_BIN, name), strict=True)) for name, _ in self._values
        }
        self._requests: dict[tuple[str, str, int], int] = {}
        self._routes: dict[str, Timed] = {}
        for objective, value in dict(params.objectives).items():
            OBJECTIVE.labels(objective).set(value)
        LIMIT.set(params.service.max_concurrency)
        for reason in REFUSALS:
            REFUSED.labels(reason)  # a series that begins at zero: a rate sees the first event, too
        for status in FAULTS:
            self._requests["/predict", "POST", status] = self._place(REQUESTS.labels("/predict", "POST", str(status)))
        for route in ROUTES:
            self._routes[route] = self._timed(route)
        STARTS.inc()

    def _more(self, metric: Any, name: str) -> list[int]:
        return [self._place(metric.labels(name, always)) for always in ALWAYS[1:]]

    def _place(self, child: Any) -> int:
        if child not in self._children:
            self._children[child] = len(self._counts)
            self._counts.append(0)
        return self._children[child]

    def _binned(
        self, metric: Any, labels: tuple[str, ...], reference: dict[str, Any], contract: Contract, name: str = ""
    ) -> Callable[[Any], int]:
        """Return the function from a value to the place of its count."""
        places = {label: self._place(metric.labels(*labels, label)) for label in reference["bins"]}
        null, first = places["null"], next(iter(places.values()))
        if "edges" in reference:
            edges = reference["edges"]
            low, high = (contract.columns[name].range if name else None) or (-np.inf, np.inf)
            over = places["out_of_range"]
            return lambda x: null if x is None else (first + bisect_right(edges, x) if low <= x <= high else over)
        if "labels" in reference:
            listed = contract.columns[name].labels  # none where any text is allowed: then nothing is unseen
            table: dict[Any, int] = dict.fromkeys(listed, places[OTHER]) | {x: places[x] for x in reference["labels"]}
            if contract.columns[name].type == "boolean":
                table = {float(i): at for i, at in enumerate(table.values())}
            strange = places["unseen" if listed else OTHER]
            return lambda x: null if x is None else table.get(x, strange)
        return lambda x: null if x is None else first

    def _tell_reference(self, name: str, reference: dict[str, Any]) -> None:
        for label, share in reference["bins"].items():
            REFERENCE.labels(name, label).set(share)
        if reference["limit"] is not None:
            DRIFT_LIMIT.labels(name).set(reference["limit"])

    def variant(self, name: str, contract: Contract, about: dict[str, str], trained: float, loss: float) -> None:
        """Announce a model that answers."""
        INFO.labels(name, *(about[key] for key in ("model", "data", "commit", "verdict", "path"))).set(1)
        TRAINED.labels(name).set(trained)
        MODEL_LOSS.labels(name).set(loss)
        for metric in (FEEDBACK, LOSS, LOSS_SQUARED, GAINED, LOST, DELAY):
            metric.labels(name)
        if name == CHALLENGER:
            SHADOW_FAILURES.labels(name)
        classes = [self._place(PREDICTIONS.labels(name, label)) for label in self._labels or ["value"]]
        of_score = self._binned(SCORE_BIN, (name,), self._score, contract)
        self._variants[name] = (self._place(RECORDS.labels(name)), of_score, classes)

    def seen(self, records: list[dict[str, Any]]) -> None:
        """Count the values of records, each in its bin; once, whoever answers them."""
        counts = self._counts
        with self._lock:  # a batch counts from a thread
            for record in records:
                for name, place in self._values:
                    counts[place(record[name])] += 1

    def predicted(self, variant: str, scores: list[list[float]]) -> None:
        """Count what was predicted."""
        counts, (total, of_score, classes) = self._counts, self._variants[variant]
        with self._lock:  # a shadow and a batch count from threads
            counts[total] += len(scores)
            for row in scores:
                counts[of_score(row[self._positive])] += 1
                counts[classes[row.index(max(row))]] += 1

    def score_of(self, row: list[float]) -> float:
        """Give the one number that stands for a prediction: of the positive class, else the last one, or the value."""
        return row[self._positive]

    def refused(self, reason: str, errors: list[dict[str, Any]]) -> None:
        """Count a request that was refused, and the values for which it was."""
        REFUSED.labels(reason).inc()
        for error in errors:
            if (places := self._outside.get(error.get("field", ""))) and (kind := _kind(error["message"])):
                with self._lock:
                    self._counts[places[kind]] += 1

    def begin(self) -> None:
        """Count a request that is at work from now on."""
        self.in_flight += 1
        self._busiest = max(self._busiest, self.in_flight)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        key = (route, method, status)
        place = self._requests.get(key)
        if place is None:
            place = self._requests[key] = self._place(REQUESTS.labels(route, method, str(status)))
        timed = self._routes.get(route) or self._timed(route)
        with self._lock:
            self._counts[place] += 1
            self._counts[timed.buckets[bisect_left(LATENCIES, seconds)]] += 1
            timed.total += seconds
            if seconds > self._slow:
                self._counts[timed.slow] += 1

    def _timed(self, route: str) -> Timed:
        child = SECONDS.labels(route)
        buckets = [self._place(bucket) for bucket in child._buckets]  # `observe` takes one at a time, and we have many
        timed = self._routes[route] = Timed(child._sum, buckets, self._place(SLOW.labels(route)))
        return timed

    def labelled(
        self, prediction: Any, loss: float, value: float | None, versions: list[str], variants: tuple[str, ...]
    ) -> bool:
        """Count the outcome of a prediction, as its id tells of it; say whether it is of a model that runs here."""
        LAST_FEEDBACK.set(time.time())
        if prediction.model not in versions:
            OTHER_MODEL.inc()
            return False
        name = variants[prediction.variant]
        FEEDBACK.labels(name).inc()
        LOSS.labels(name).inc(loss)
        LOSS_SQUARED.labels(name).inc(loss * loss)
        DELAY.labels(name).observe(max(0.0, time.time() - prediction.seconds))
        if value:
            (GAINED if value > 0 else LOST).labels(name).inc(abs(value))
        return True

    def shadow_failed(self, records: int) -> None:
        """Count records that the challenger did not answer in the shadow."""
        SHADOW_FAILURES.labels(CHALLENGER).inc(records)

    def flush(self) -> None:
        """Tell what was counted since the last time."""
        with self._lock:
            counted = [(child, n) for child, n in zip(list(self._children), self._counts, strict=False) if n]
            self._counts[:] = [0] * len(self._counts)
            totals = [(timed.sum, timed.total) for timed in self._routes.values() if timed.total]
            for timed in self._routes.values():
                timed.total = 0.0
        for child, n in counted + totals:
            child.inc(n)
        IN_FLIGHT.set(self._busiest)
        self._busiest = self.in_flight


def _kind(message: str) -> str | None:
    """Tell from the message of a fault which bin the value belongs to."""
    if "is none of" in message:
        return "unseen"
    return "out_of_range" if "less than or equal" in message or "greater than or equal" in message else None


def exposition() -> bytes:
    """Write what all processes of this service have counted, as Prometheus reads it."""
    if MULTIPROCESS not in os.environ:
        return prometheus.generate_latest()
    from prometheus_client.multiprocess import MultiProcessCollector

    for file in Path(os.environ[MULTIPROCESS]).glob("gauge_live*_*.db"):
        if not psutil.pid_exists(int(file.stem.rpartition("_")[2])):
            file.unlink(missing_ok=True)  # of a worker that died: it has nothing in flight
    registry = prometheus.CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return prometheus.generate_latest(registry)
