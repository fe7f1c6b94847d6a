"""The base of a product's service: it loads what is packaged and hands each request to api.py. HTTP stands there.

A team's service.py declares its class on `ProductService` under `@bentoml.service(**options(__package__))`.
"""

import gc
import json
import logging
import os
import platform
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import bentoml
from opentelemetry import context as telemetry

from mlproduct import pinned, team
from mlproduct.config import CHALLENGER, CONTROL, load
from mlproduct.contract.columns import CONTRACT
from mlproduct.inference.predict import Predictor
from mlproduct.inference.request import Reader
from mlproduct.serving.answers import Answers, Journal
from mlproduct.serving.api import Api, Front, page
from mlproduct.serving.extend import Extended
from mlproduct.serving.metrics import LOG_ERRORS, ServiceMetrics, extension_failed
from mlproduct.serving.openapi import PAGE, openapi
from mlproduct.serving.prediction_log import OUTCOMES, PREDICTIONS, Clock, Lines

# scikit-learn is not loaded yet: threads cost more than one record is worth
os.environ.setdefault("OMP_NUM_THREADS", "1")
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
LABELS = ("data", "contract", "lock", "service_lock", "commit", "uncommitted", "verdict", "failing", "waived", "forced")
MARGIN = 5  # seconds after our own timeout until BentoML's, whose answer is of another form
MEGABYTE = 2**20


def root_of(package: str) -> Path:
    """Return the folder of contract.yaml: beside the package in a Bento, above src/ in the repository."""
    folder = Path(str(import_module(package).__file__)).absolute().parent
    return folder.parent if (folder.parent / CONTRACT).exists() else folder.parents[1]


def options(package: str) -> dict[str, Any]:
    """Return what `bentoml.service` is given: image, limits and telemetry, as params.yaml says.

    Parameters
    ----------
    package : str
        The team's package: `__package__` of its service.py.

    Raises
    ------
    DataError
        If the library that runs is not the one that is pinned, or contract.yaml or params.yaml cannot be read.
    """
    root = root_of(package)
    if (root / "src").is_dir():
        pinned.check(root)
    else:
        pinned.check_unpacked(root)
    python = ".".join(platform.python_version_tuple()[:2])
    image = bentoml.images.Image(base_image=f"python:{python}-slim", distro="none")  # every package comes as a wheel
    return {
        "name": package,
        # packaging/package.py writes uv.txt
        "image": image.run("pip install --no-cache-dir --require-hashes --requirement env/docker/uv.txt"),
        "envs": [{"name": "UV_REQUIRE_HASHES", "value": "1"}],  # of the image: what has no hash is not installed
        "workers": int(os.environ.get("WORKERS", "1")),
        "traffic": {"timeout": load(root)[1].service.timeout_seconds + MARGIN},
        "metrics": {"enabled": False},  # metrics.py has its own, whose labels nobody can add to
        "logging": {"access": {"enabled": False}},  # the prediction log says more
        "tracing": TRACED if ENDPOINT else UNTRACED,
    }


def mount(service: Any) -> None:
    """Put the API in front of BentoML's own routes."""
    service.add_asgi_middleware(Front, api=lambda: service.inner.api)


class ProductService:
    """Predict from records that match contract.yaml.

    Attributes
    ----------
    model : BentoModel
        What is served; the team's class names it.
    api : Api
        What answers, once the service has started.
    """

    model: Any
    api: ClassVar[Api]

    def __init__(self) -> None:
        """Load the models, and get ready to answer."""
        self._package = type(self).__module__.partition(".")[0]
        root = root_of(self._package)
        contract, self._params = load(root)
        folder, info = Path(self.model.path), self.model.info
        with_challenger = (folder / CHALLENGER).is_dir()
        folders = {CONTROL: folder} | ({CHALLENGER: folder / CHALLENGER} if with_challenger else {})
        predictors = {
            name: Predictor.load(contract, path, root / "trusted-types.yaml") for name, path in folders.items()
        }
        metrics = ServiceMetrics(
            contract, self._params, _read(folder / "serving/reference.json"), predictors[CONTROL].labels
        )
        for name, predictor in predictors.items():
            about = dict(info.labels) | {"model": predictor.version, "path": predictor.about["path"]}
            values = {key: str(about.get(key, "unknown")) for key in ("model", "data", "commit", "verdict", "path")}
            metrics.variant(name, contract, values, info.creation_time.timestamp(), float(predictor.about["loss"]))
        examples = _read(folder / "serving/background.json")
        reader = Reader(contract, len(examples))
        journal = Journal(self._lines(PREDICTIONS), self._lines(OUTCOMES), Clock())
        answers = Answers(predictors, self._params, metrics, journal, reader.read({"records": examples}).records)
        version = self.version(predictors)
        extended = Extended.load(self._package, self._params.own, extension_failed)
        authenticate = team.extension("authenticate", self._params.own, self._package)
        secured = bool(os.environ.get("SERVICE_TOKEN"))
        document = openapi(
            contract, self._params, self._package, version["bento"], examples[0], secured, extended, authenticate
        )
        described = page(document)
        pages = {"/version": page(version), "/openapi.json": described, "/docs.json": described}
        pages |= dict.fromkeys(("/", "/docs"), (PAGE.encode(), b"text/html; charset=utf-8"))
        quick = predictors[CONTROL].about["path"] == "onnx"
        type(self).api = Api(answers, metrics, self._params, pages, quick, extended, authenticate)

    def _lines(self, kind: str) -> Lines:
        log = os.environ.get("PREDICTION_LOG")
        folder = Path(log).absolute() if log else None
        return Lines(
            folder, kind, self._params.log.rotate_megabytes * MEGABYTE, self._params.log.keep_files, LOG_ERRORS.inc
        )

    def version(self, predictors: dict[str, Predictor]) -> dict[str, Any]:
        """Say what runs."""
        control, info, context = predictors[CONTROL], self.model.info, bentoml.server_context
        variants = {name: {"model": p.version, "path": p.about["path"]} for name, p in predictors.items()}
        description = {
            "service": self._package,
            "bento": str(getattr(context, "bento_version", None) or "not packaged"),
            "model": control.version,
            "path": control.about["path"],
            "path_because": control.about.get("why", ""),
            "trained": info.creation_time.isoformat(),
        }
        labels = {key: info.labels[key] for key in LABELS if info.labels.get(key)}
        return description | labels | {"rollout": self._params.rollout.mode, "variants": variants}

    @bentoml.on_startup
    async def begin(self) -> None:
        """Start what runs beside the requests, and set what is loaded aside from garbage collection.

        A full collection walks over every object, pandas' and scikit-learn's too, and stops all answers for 50 to
        150 ms; BentoML keeps a timer for each request until its timeout, which calls for one after the other.
        """
        type(self).api.start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)

    @bentoml.on_shutdown
    async def end(self) -> None:
        """Tell what was counted last."""
        type(self).api.stop()


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
