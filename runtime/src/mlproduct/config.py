"""params.yaml: every number a person may tune, as values that cannot change; an unknown key is refused."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_origin

import yaml

from mlproduct.artifacts import LOCK, digest
from mlproduct.contract.columns import CONTRACT, Contract
from mlproduct.errors import DataError

PARAMS = Path("params.yaml")
LIMITS = {  # lowest and highest value with which the libraries work
    "test_size": (0.01, 0.99),
    "seed": (0, 2**32 - 1),
    "learning_rate": (1e-6, 10),
    "max_leaf_nodes": (2, 2**31),
    "regularization": (1e-9, 1e9),
    "confidence": (0.5, 0.999),
    "margin": (0, 10),
    "headline_margin": (0, 10),
    "gap": (0, 100),
    "worse": (0, 10),
    "parity": (0, 1),
    "odds": (0, 1),
    "worst_group": (0, 100),
    "calibration": (0, 10),
    "base_rate": (0, 1),
    "factor": (1, 100),
    "floor": (0.001, 10),
    "concept": (0, 10),
    "tolerance": (0, 1),
    "timeout_seconds": (0.1, 3600),
    "share": (0, 1),
    "availability": (0.5, 0.99999),
    "latency": (0.5, 0.99999),
    "latency_seconds": (0.001, 600),
    "requests_per_second": (0.01, 1e6),
    "model_age_days": (0, 1e5),
    "label_delay_hours": (0, 1e6),
    "null_ratio": (0, 1),
    "live_loss": (0, 100),
    "variant_worse": (0, 100),
    "quiet_minutes": (0, 1e6),
    "windows": (2, 100),
    "bands": (2, 20),
}
POSITIVE = (1, 2**31)
ALONE, SPLIT, SHADOW = "alone", "split", "shadow"  # no word that YAML takes for false
CONTROL, CHALLENGER = "control", "challenger"
CHOICES = {"mode": (ALONE, SPLIT, SHADOW)}


@dataclass(frozen=True)
class Prepare:
    """How rows are divided into train and test."""

    test_size: float
    seed: int


@dataclass(frozen=True)
class Model:
    """What `model.build_model` is given."""

    kind: str
    seed: int
    learning_rate: float
    max_iter: int
    max_leaf_nodes: int
    min_samples_leaf: int
    regularization: float
    min_category_count: int
    max_categories: int
    max_words: int


@dataclass(frozen=True)
class Evaluate:
    """How sure a metric has to be said."""

    bootstrap: int
    confidence: float
    seed: int


@dataclass(frozen=True)
class Compare:
    """How much worse than the champion a candidate may be."""

    margin: float
    headline_margin: float
    seeds: int


@dataclass(frozen=True)
class Slices:
    """Where the model may be weak."""

    gap: float
    worse: float
    min_rows: int
    min_class_rows: int
    bands: int
    most_groups: int
    two_way: list[list[str]]


@dataclass(frozen=True)
class Bias:
    """How differently groups may be treated."""

    allow: list[str]
    parity: float
    odds: float
    worst_group: float
    calibration: float
    base_rate: float
    worse: float


@dataclass(frozen=True)
class Drift:
    """When data has moved."""

    windows: int
    factor: float
    floor: float
    concept: float


@dataclass(frozen=True)
class Fragility:
    """What the model is asked under strain."""

    rows: int
    tolerance: float
    expectations: dict[str, str]


@dataclass(frozen=True)
class Service:
    """What the API accepts, and how it answers."""

    max_records: int
    max_body_bytes: int
    timeout_seconds: float
    max_concurrency: int
    tolerance: float
    explain_draws: int


@dataclass(frozen=True)
class Log:
    """How much of the prediction log is kept."""

    rotate_megabytes: int
    keep_files: int


@dataclass(frozen=True)
class Rollout:
    """How champion and challenger share the work."""

    mode: str
    entity: str
    share: float


@dataclass(frozen=True)
class Objectives:
    """What is promised of the service; alerts measure against it."""

    availability: float
    latency: float
    latency_seconds: float
    requests_per_second: float
    model_age_days: float
    label_delay_hours: float
    null_ratio: float
    live_loss: float
    variant_worse: float
    quiet_minutes: float


@dataclass(frozen=True)
class Params:
    """All of params.yaml; one section a stage."""

    prepare: Prepare
    model: Model
    evaluate: Evaluate
    compare: Compare
    slices: Slices
    bias: Bias
    drift: Drift
    fragility: Fragility
    service: Service
    log: Log
    rollout: Rollout
    objectives: Objectives

    @classmethod
    def load(cls, path: Path = PARAMS) -> "Params":
        """Read params.yaml.

        Raises
        ------
        DataError
            If the file cannot be read, or says something that cannot be.
        """
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, yaml.YAMLError) as error:
            raise DataError(f"{path} cannot be read: {error}") from None
        return cls.of(document)

    @classmethod
    def of(cls, document: Any, path: Path = PARAMS) -> "Params":
        """Check what params.yaml holds.

        Raises
        ------
        DataError
            If a section or a key is missing or unknown, or a value is not allowed.
        """
        if not isinstance(document, dict) or not all(isinstance(section, dict) for section in document.values()):
            raise DataError(f"{path} holds sections, and each section `key: value`")
        kinds = {field.name: field.type for field in fields(cls)}
        _same_keys(path.name, set(document), set(kinds))
        return cls(**{name: _section(name, kind, document[name]) for name, kind in kinds.items()})


def load(folder: Path = Path()) -> tuple[Contract, Params]:
    """Read contract.yaml and params.yaml; protected columns that `bias.allow` names are features as well.

    Raises
    ------
    DataError
        If one cannot be read, or `bias.allow` names a column that is not protected.
    """
    contract, params = Contract.load(folder / CONTRACT), Params.load(folder / PARAMS)
    if wrong := [name for name in params.bias.allow if name not in contract.protected]:
        raise DataError(f"params.yaml, bias.allow: {', '.join(map(str, wrong))}: no `role: protected` in contract.yaml")
    entity = params.rollout.entity
    if entity and entity not in contract.columns:
        raise DataError(f"params.yaml, rollout.entity: {entity!r} is no column of contract.yaml")
    return replace(contract, allowed=tuple(params.bias.allow)), params


def deciding(params: Params) -> dict[str, Any]:
    """Give the parameters that decide about a model."""
    return {"prepare": asdict(params.prepare), "model": asdict(params.model), "bias.allow": params.bias.allow}


def inputs(contract: Contract, params: Params) -> dict[str, str]:
    """Hash what a model is made from, but for the code.

    Raises
    ------
    DataError
        If the raw data is not there.
    """
    raw = Path(contract.source.path)
    if not raw.exists():
        raise DataError(f"there is no {raw}: put the data there, or fetch it by `make pull`")
    return {
        "data": digest(raw, "md5"),
        "contract": digest(CONTRACT),
        "params": hashlib.sha256(json.dumps(deciding(params), sort_keys=True).encode()).hexdigest(),
        "lock": digest(LOCK),
    }


def _section(name: str, kind: Any, values: dict[str, Any]) -> Any:
    _same_keys(f"params.yaml, {name}", set(values), {field.name for field in fields(kind)})
    for field in fields(kind):
        _check(f"params.yaml, {name}.{field.name}", values[field.name], field.type, *LIMITS.get(field.name, POSITIVE))
    return kind(**values)


def _check(place: str, value: Any, kind: Any, low: float, high: float) -> None:
    wanted = {float: int | float}.get(kind, get_origin(kind) or kind)
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise DataError(f"{place}: {value!r} is no {getattr(kind, '__name__', kind)}")
    if value not in CHOICES.get(place.rpartition(".")[2], (value,)):
        raise DataError(f"{place}: {value!r} is none of {', '.join(CHOICES['mode'])}")
    if isinstance(value, int | float) and not low <= value <= high:
        raise DataError(f"{place}: {value!r} is not between {low:g} and {high:g}")


def _same_keys(place: str, found: set[str], wanted: set[str]) -> None:
    if found - wanted:
        raise DataError(f"{place}: unknown {', '.join(sorted(found - wanted))}; it knows {', '.join(sorted(wanted))}")
    if wanted - found:
        raise DataError(f"{place}: {', '.join(sorted(wanted - found))} is missing")
