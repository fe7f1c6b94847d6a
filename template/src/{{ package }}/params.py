"""params.yaml: every number a person may tune, as values that cannot change; an unknown key is refused."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from .contract import DataError

PARAMS = Path("params.yaml")


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
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        kinds = {"prepare": Prepare, "model": Model, "evaluate": Evaluate, "service": Service}
        _same_keys(path.name, set(document), set(kinds))
        return cls(**{name: _section(name, kind, document[name]) for name, kind in kinds.items()})


def _section(name: str, kind: type, values: dict[str, Any]) -> Any:
    _same_keys(f"params.yaml, {name}", set(values or {}), {field.name for field in fields(kind)})
    return kind(**values)


def _same_keys(place: str, found: set[str], wanted: set[str]) -> None:
    if found - wanted:
        raise DataError(f"{place}: unknown {', '.join(sorted(found - wanted))}; it knows {', '.join(sorted(wanted))}")
    if wanted - found:
        raise DataError(f"{place}: {', '.join(sorted(wanted - found))} is missing")
