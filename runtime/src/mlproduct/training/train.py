"""Train rows -> models/: the fitted pipeline as a skops file, and what it was made from."""

import hashlib
import io
import json
import os
import platform
import re
import warnings
import zipfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from mlproduct import team
from mlproduct.artifacts import KNOWN, META, MODEL, TRUSTED
from mlproduct.config import Params, inputs, load
from mlproduct.contract.columns import Contract
from mlproduct.data.prepare import TRAIN
from mlproduct.errors import DataError


def train(frame: pd.DataFrame, contract: Contract, params: Params) -> Pipeline:
    """Fit the model of `model.build_model` on the train rows; a feature without a value in them is left out.

    With one thread: the order in which threads add up decides the last digits, and so the number of cores the model.
    On a table of 20,000 rows it is the quicker way too.
    """
    empty = [name for name in contract.features if frame[name].isna().all()]
    if len(empty) == len(contract.features) > 0:
        raise DataError("no feature holds a value in the train rows: nothing can be learnt")
    columns = {c.name: replace(c, role="ignore") if c.name in empty else c for c in contract.columns.values()}
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Skipping features without any observed values")
        allowed = tuple(name for name in contract.allowed if name not in empty)
        build_model = team.with_own(team.module("model").build_model, params.own)
        model = build_model(params.model, replace(contract, columns=columns, allowed=allowed))
        lonely = bool(contract.labels) and frame[contract.target].value_counts().min() < 2
        if lonely and "estimator__early_stopping" in model.get_params():
            model.set_params(estimator__early_stopping=False)  # it sets rows aside by class: one row cannot be divided
        fitted: Pipeline = model.fit(frame[contract.features], frame[contract.target])
        return fitted


def dumps(model: Pipeline) -> bytes:
    """Return the model as a skops archive that is the same for the same model, byte for byte.

    skops 0.16 names arrays by the address of the object in memory, and its archive holds the time of writing. Here
    ids are numbered in the order in which they come, and the time is 1980.
    """
    import skops.io

    archive = zipfile.ZipFile(io.BytesIO(skops.io.dumps(model)))
    schema = _numbered(r'("__id__": )(\d+)', archive.read("schema.json").decode(), "{}")
    schema = re.sub(r'("_stop_words_id": \{[^{}]*"content": )"\d+"', r'\1"0"', schema)  # an address too, of sklearn's
    files = list(dict.fromkeys(re.findall(r'"file": "(.*?)"', schema)))
    schema = _numbered(r'("file": )"(.*?)"', schema, '"{}.npy"')
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as fixed:
        for i, name in enumerate(files):
            fixed.writestr(zipfile.ZipInfo(f"{i}.npy"), archive.read(name))
        fixed.writestr(zipfile.ZipInfo("schema.json"), schema)
    return buffer.getvalue()


def compress(archive: bytes) -> bytes:
    """Return a skops archive with its files deflated: trees shrink to a sixth.

    The version of a model is the hash of the archive before: how zlib packs it differs from machine to machine.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as plain, zipfile.ZipFile(buffer, "w") as packed:
        for name in plain.namelist():
            packed.writestr(zipfile.ZipInfo(name), plain.read(name), zipfile.ZIP_DEFLATED, 6)
    return buffer.getvalue()


def _numbered(pattern: str, text: str, form: str) -> str:
    """Replace each name by its number in the order of first appearance."""
    numbers = {name: i for i, name in enumerate(dict.fromkeys(match[1] for match in re.findall(pattern, text)))}
    return re.sub(pattern, lambda match: match[1] + form.format(numbers[match[2]]), text)


def load_model(path: Path = MODEL, trusted: Path = TRUSTED) -> Pipeline:
    """Load a fitted pipeline; only types of sklearn that skops trusts and those of trusted-types.yaml are made.

    Raises
    ------
    DataError
        If the file is missing, or holds a type that is not trusted.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    if not path.exists():
        raise DataError(f"there is no {path}: `make train` makes it")
    try:
        model: Pipeline = skops.io.load(path, trusted=yaml.safe_load(trusted.read_text(encoding="utf-8")) or [])
    except UntrustedTypesFoundException as error:
        found = str(error).rstrip(".")
        raise DataError(f"{path}: {found}. If you know these types, add them to {trusted.name}") from None
    except zipfile.BadZipFile:
        raise DataError(f"{path} is damaged: `dvc repro --force train` makes it again") from None
    return model


def facts(contract: Contract, params: Params, model: bytes) -> dict[str, Any]:
    """Say what the model was made from; nothing that changes by itself, no time and no machine."""
    names = ("scikit-learn", "numpy", "pandas", "skops")
    return {
        "version": hashlib.sha256(model).hexdigest()[:12],
        "task": contract.task,
        "target": contract.target,
        "features": contract.features,
        "labels": contract.labels,
        **inputs(contract, params),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in names},
    }


def main() -> None:
    """Write models/model.skops and models/meta.json."""
    if message := os.environ.get(KNOWN):
        raise DataError(message)
    contract, params = load()
    model = dumps(train(pd.read_parquet(TRAIN), contract, params))
    MODEL.parent.mkdir(exist_ok=True)
    MODEL.write_bytes(packed := compress(model))
    load_model()  # a type that is not trusted is found here, not in production
    meta = facts(contract, params, model)
    META.write_text(json.dumps(meta, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"model {meta['version']}, {len(packed) / 1e6:.1f} MB")
