"""The BentoML service: it loads what is packaged and hands each request to api.py. HTTP stands there."""

import gc
import json
import logging
import os
import platform
from pathlib import Path
from typing import Any

import bentoml
from opentelemetry import context as telemetry

from ..answering.predict import Predictor
from ..answering.request import Reader
from ..artifacts import PACKAGE
from ..params import CHALLENGER, CONTROL, load
from .answers import Answers, Journal
from .api import Api, Front, page
from .openapi import PAGE, openapi
from .prediction_log import OUTCOMES, PREDICTIONS, Clock, Lines
from .signals import LOG_ERRORS, Signals

# scikit-learn is not loaded yet: threads cost more than one record is worth
os.environ.setdefault("OMP_NUM_THREADS", "1")
HERE = Path(__file__).parents[1]
ROOT = HERE.parent if (HERE.parent / "contract.yaml").exists() else HERE.parents[1]  # in a Bento, in the repository
CONTRACT, PARAMS = load(ROOT)
LOG = os.environ.get("PREDICTION_LOG")
ENDPOINT = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
TRACED: Any = {
    "exporter_type": "otlp",
    "sample_rate": 1.0,
    "otlp": {"protocol": "http", "endpoint": f"{ENDPOINT}/v1/traces"},
}
UNTRACED: Any = {"excluded_urls": ".*"}  # spans that nobody collects cost a third of the time of a request
if not ENDPOINT:  # and so that not even the URL of a request is put together, to be found among the excluded ones
    telemetry.attach(telemetry.set_value("suppress_instrumentation", True))
logging.getLogger("uvicorn.access").propagate = False  # with nobody to write them, uvicorn makes up no lines either
LABELS = ("data", "contract", "lock", "service_lock", "commit", "verdict", "failing", "waived", "forced")
MARGIN = 5  # seconds after our own timeout until BentoML's, whose answer is of another form
MEGABYTE = 2**20
IMAGE = bentoml.images.Image(  # no compiler, no git: every package comes as a wheel
    base_image=f"python:{'.'.join(platform.python_version_tuple()[:2])}-slim", distro="none"
).run("pip install --no-cache-dir --require-hashes --requirement env/docker/uv.txt")  # shipping/package.py writes it
_running: list[Api] = []


@bentoml.service(
    name=PACKAGE,
    image=IMAGE,
    envs=[{"name": "UV_REQUIRE_HASHES", "value": "1"}],  # of the image: what has no hash is not installed
    workers=int(os.environ.get("WORKERS", "1")),
    traffic={"timeout": PARAMS.service.timeout_seconds + MARGIN},
    metrics={"enabled": False},  # signals.py has its own, whose labels nobody can add to
    logging={"access": {"enabled": False}},  # the prediction log says more
    tracing=TRACED if ENDPOINT else UNTRACED,
)
class PredictService:
    """Predict from records that keep to contract.yaml."""

    model = bentoml.models.BentoModel(f"{PACKAGE}:latest")

    def __init__(self) -> None:
        """Load the models, and get ready to answer."""
        folder, info = Path(self.model.path), self.model.info
        with_challenger = (folder / CHALLENGER).is_dir()
        folders = {CONTROL: folder} | ({CHALLENGER: folder / CHALLENGER} if with_challenger else {})
        predictors = {
            name: Predictor.load(CONTRACT, path, ROOT / "trusted-types.yaml") for name, path in folders.items()
        }
        signals = Signals(CONTRACT, PARAMS, _read(folder / "serving/reference.json"), predictors[CONTROL].labels)
        for name, predictor in predictors.items():
            about = dict(info.labels) | {"model": predictor.version, "path": predictor.about["path"]}
            told = {key: str(about.get(key, "unknown")) for key in ("model", "data", "commit", "verdict", "path")}
            signals.variant(name, CONTRACT, told, info.creation_time.timestamp(), float(predictor.about["loss"]))
        examples = _read(folder / "serving/background.json")
        reader = Reader(CONTRACT, len(examples))
        journal = Journal(self._lines(PREDICTIONS), self._lines(OUTCOMES), Clock())
        answers = Answers(predictors, PARAMS, signals, journal, reader.read({"records": examples}).records)
        version = self.version(predictors)
        secured = bool(os.environ.get("SERVICE_TOKEN"))
        document = openapi(CONTRACT, PARAMS, PACKAGE, version["bento"], examples[0], secured)
        described = page(document)
        pages = {"/version": page(version), "/openapi.json": described, "/docs.json": described}
        pages |= dict.fromkeys(("/", "/docs"), (PAGE.encode(), b"text/html; charset=utf-8"))
        _running[:] = [Api(answers, signals, PARAMS, pages, predictors[CONTROL].about["path"] == "onnx")]

    def _lines(self, kind: str) -> Lines:
        folder = Path(LOG).absolute() if LOG else None
        return Lines(folder, kind, PARAMS.log.rotate_megabytes * MEGABYTE, PARAMS.log.keep_files, LOG_ERRORS.inc)

    def version(self, predictors: dict[str, Predictor]) -> dict[str, Any]:
        """Say what runs."""
        control, info, context = predictors[CONTROL], self.model.info, bentoml.server_context
        variants = {name: {"model": p.version, "path": p.about["path"]} for name, p in predictors.items()}
        told = {
            "service": PACKAGE,
            "bento": str(getattr(context, "bento_version", None) or "not packaged"),
            "model": control.version,
            "path": control.about["path"],
            "path_because": control.about.get("why", ""),
            "trained": info.creation_time.isoformat(),
        }
        labels = {key: info.labels[key] for key in LABELS if info.labels.get(key)}
        return told | labels | {"rollout": PARAMS.rollout.mode, "variants": variants}

    @bentoml.on_startup
    async def begin(self) -> None:
        """Start what runs beside the requests, and set what is loaded aside from garbage collection.

        A full collection walks over every object, pandas' and scikit-learn's too, and stops all answers for 50 to
        150 ms; BentoML keeps a timer for each request until its timeout, which calls for one after the other.
        """
        _running[0].start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)

    @bentoml.on_shutdown
    async def end(self) -> None:
        """Tell what was counted last."""
        _running[0].stop()


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


PredictService.add_asgi_middleware(Front, api=lambda: _running[0])  # type: ignore[attr-defined]
