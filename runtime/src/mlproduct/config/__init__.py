"""params.yaml as values: sections, defaults, limits, and errors that name the fix."""

from mlproduct.config.params import (
    ALONE,
    CHALLENGER,
    CONTROL,
    PARAMS,
    SHADOW,
    SPLIT,
    Params,
    deciding,
    explain,
    inputs,
    json_schema,
    load,
)
from mlproduct.config.sections import Drift, Evaluate, Fragility, Model, Prepare, Rollout, Slices

__all__ = [
    "ALONE",
    "CHALLENGER",
    "CONTROL",
    "PARAMS",
    "SHADOW",
    "SPLIT",
    "Drift",
    "Evaluate",
    "Fragility",
    "Model",
    "Params",
    "Prepare",
    "Rollout",
    "Slices",
    "deciding",
    "explain",
    "inputs",
    "json_schema",
    "load",
]
