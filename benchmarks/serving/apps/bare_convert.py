"""Write what the bare app needs, the trees as ONNX and the columns as a table: `python bare_convert.py FOLDER`.

A number is passed to the trees as it is, a category becomes the ones and zeros that the fitted encoder gives it.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import frame
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.pipeline import Pipeline


def columns(model: Pipeline, record: dict[str, Any]) -> list[dict[str, Any]]:
    """Say of each column of the record, in the order of the row: a number, or which row each category becomes."""
    found: list[dict[str, Any]] = []
    for kind, fitted, names in model["columns"].transformers_:
        if kind not in {"number", "category"}:
            sys.exit(f"the bare app knows numbers and categories; this model has columns of the kind {kind}")
        if kind == "number":
            found += [{"name": name, "width": 1} for name in names]
            continue
        encoder = fitted["onehotencoder"]
        outputs = encoder.get_feature_names_out([str(i) for i in range(len(names))])
        for i, name in enumerate(names):
            values = [value for value in encoder.categories_[i] if isinstance(value, str)]
            width = sum(output.startswith(f"{i}_") for output in outputs)
            start = sum(column["width"] for column in found)
            frame_ = pd.DataFrame([record | {name: value} for value in [*values, None]])
            rows = model["columns"].transform(frame_)[:, start : start + width].tolist()
            found.append(
                {"name": name, "width": width, "rows": dict(zip(values, rows, strict=False)), "none": rows[-1]}
            )
    return found


if __name__ == "__main__":
    model = frame.load()
    record = json.loads(Path(os.environ["BENCH_RECORD"]).read_text(encoding="utf-8"))
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    table = columns(model, record)
    shape = [None, sum(column["width"] for column in table)]
    trees = to_onnx(model["estimator"], initial_types=[("row", FloatTensorType(shape))], options={"zipmap": False})
    (folder / "model.onnx").write_bytes(trees.SerializeToString())
    labels = [str(label) for label in model.classes_]
    (folder / "columns.json").write_text(json.dumps({"columns": table, "labels": labels}), encoding="utf-8")
