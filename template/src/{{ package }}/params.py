"""params.yaml: every number a person may tune, as values that cannot change; an unknown key is refused."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from .contract import DataError

PARAMS = Path("params.yaml")
LIMITS = {  # lowest and highest value with which the libraries work
    "test_size": (0.01, 0.99),
    "seed": (0, 2**32 - 1),
    "learning_rate": (1e-6, 10),
    "max_leaf_nodes": (2, 2**31),
    "regularization": (1e-9, 1e9),
    "confidence": (0.5, 0.999),
}
POSITIVE = (1, 2**31)


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
class Service:
    """What the API accepts."""

    max_records: int
    max_body_bytes: int


@dataclass(frozen=True)
class Params:
    """All of params.yaml; one section a stage."""

    prepare: Prepare
    model: Model
    evaluate: Evaluate
    service: Service

    @classmethod
    def load(cls, path: Path = PARAMS) -> "Params":
        """Read params.yaml.

        Raises
        ------
        DataError
            If a section or a key is missing or unknown.
        """
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, yaml.YAMLError) as error:
            raise DataError(f"{path} cannot be read: {error}") from None
        if not isinstance(document, dict) or not all(isinstance(section, dict) for section in document.values()):
            raise DataError(f"{path} holds sections, and each section `key: value`")
        kinds = {"prepare": Prepare, "model": Model, "evaluate": Evaluate, "service": Service}
        _same_keys(path.name, set(document), set(kinds))
        return cls(**{name: _section(name, kind, document[name]) for name, kind in kinds.items()})


def _section(name: str, kind: type, values: dict[str, Any]) -> Any:
    _same_keys(f"params.yaml, {name}", set(values), {field.name for field in fields(kind)})
    for field in fields(kind):
        _check(f"params.yaml, {name}.{field.name}", values[field.name], field.type, *LIMITS.get(field.name, POSITIVE))
    return kind(**values)


def _check(place: str, value: Any, kind: Any, low: float, high: float) -> None:
    wanted = {int: int, float: int | float, str: str}[kind]
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise DataError(f"{place}: {value!r} is no {kind.__name__}")
    if isinstance(value, int | float) and not low <= value <= high:
        raise DataError(f"{place}: {value!r} is not between {low:g} and {high:g}")


def _same_keys(place: str, found: set[str], wanted: set[str]) -> None:
    if found - wanted:
        raise DataError(f"{place}: unknown {', '.join(sorted(found - wanted))}; it knows {', '.join(sorted(wanted))}")
    if wanted - found:
        raise DataError(f"{place}: {', '.join(sorted(wanted - found))} is missing")
