"""params.yaml: every number a person may tune, each with a type, limits, a default and what it does.

A key that is missing has its default, an unknown key is an error. `mlproduct params --explain` shows all.
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from pydantic import Field, JsonValue, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from mlproduct.artifacts import LOCK, digest
from mlproduct.config import sections
from mlproduct.config.explain import table
from mlproduct.config.faults import closest, explained
from mlproduct.config.yaml_file import read_yaml
from mlproduct.contract.columns import CONTRACT, Contract
from mlproduct.errors import DataError

PARAMS = Path("params.yaml")
ALONE, SPLIT, SHADOW = "alone", "split", "shadow"  # no word that YAML takes for false
CONTROL, CHALLENGER = "control", "challenger"


class Params(sections.Values):
    """All of params.yaml, one section a stage; `own` is the team's."""

    prepare: sections.Prepare = Field(default_factory=sections.Prepare)
    model: sections.Model = Field(default_factory=sections.Model)
    evaluate: sections.Evaluate = Field(default_factory=sections.Evaluate)
    compare: sections.Compare = Field(default_factory=sections.Compare)
    slices: sections.Slices = Field(default_factory=sections.Slices)
    bias: sections.Bias = Field(default_factory=sections.Bias)
    drift: sections.Drift = Field(default_factory=sections.Drift)
    fragility: sections.Fragility = Field(default_factory=sections.Fragility)
    log: sections.Log = Field(default_factory=sections.Log)
    rollout: sections.Rollout = Field(default_factory=sections.Rollout)
    objectives: sections.Objectives = Field(default_factory=sections.Objectives)
    service: sections.Service = Field(default_factory=sections.Service)
    own: dict[str, JsonValue] = Field(default={}, description="The team's own values, by any name.")

    @classmethod
    def load(cls, path: Path = PARAMS) -> Self:
        """Read params.yaml.

        Raises
        ------
        DataError
            If the file cannot be read, or says something that is not allowed.
        """
        return cls.of(read_yaml(path), path)

    @classmethod
    def of(cls, document: Any, path: Path = PARAMS) -> Self:
        """Check what params.yaml holds; sections and keys that are missing or empty get their defaults.

        Raises
        ------
        DataError
            If a section or a key is unknown, or a value is not allowed: one line for each error.
        """
        if not isinstance(document, dict | None):
            raise DataError(f"{path.name}: holds sections, and each section `key: value` lines")
        filled = {name: {} if values is None else values for name, values in (document or {}).items()}
        try:
            return cls.model_validate(filled)
        except ValidationError as error:
            raise DataError(explained(error, json_schema(), path.name)) from None


def load(folder: Path = Path()) -> tuple[Contract, Params]:
    """Read contract.yaml and params.yaml; protected columns that `bias.allow` names are features as well.

    Raises
    ------
    DataError
        If one cannot be read, or `bias.allow` or `rollout.entity` names a column that does not fit.
    """
    contract, params = Contract.load(folder / CONTRACT), Params.load(folder / PARAMS)
    if wrong := [name for name in params.bias.allow if name not in contract.protected]:
        raise DataError(f"params.yaml, bias.allow: {', '.join(wrong)}: no `role: protected` in contract.yaml")
    entity = params.rollout.entity
    if entity and entity not in contract.columns:
        hint = closest(entity, list(contract.columns))
        raise DataError(f"params.yaml, rollout.entity: {entity!r} is not a column of contract.yaml; {hint}")
    return replace(contract, allowed=tuple(params.bias.allow)), params


def deciding(params: Params) -> dict[str, Any]:
    """Return the parameters that decide about a model."""
    own = {"own": params.own} if params.own else {}
    return {"prepare": dict(params.prepare), "model": dict(params.model), "bias.allow": params.bias.allow, **own}


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


class _Untitled(GenerateJsonSchema):
    """A JSON Schema without titles, which would repeat the names of the keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """Set none."""
        return False


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of params.yaml, by which editors complete and check it."""
    schema = Params.model_json_schema(schema_generator=_Untitled)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def explain(params: Params) -> str:
    """Return every parameter as a table: value, default, what is allowed and what it does."""
    return table(params.model_dump(), json_schema())
