"""What this machine can do: ASGI by hand, msgspec and ONNX Runtime; no contract, metrics, log or error handling."""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime

HERE = Path(os.environ["BENCH_BARE"])
FACTS = json.loads((HERE / "columns.json").read_text(encoding="utf-8"))
COLUMNS, LABELS = FACTS["columns"], FACTS["labels"]
STARTS = np.cumsum([0, *(column["width"] for column in COLUMNS)]).tolist()
NUMBERS = [(column["name"], start) for column, start in zip(COLUMNS, STARTS, strict=False) if "rows" not in column]
CATEGORIES = [
    (
        column["name"],
        slice(start, start + column["width"]),
        {value: np.array(row, "float32") for value, row in column["rows"].items()},
        np.array(column["none"], "float32"),
    )
    for column, start in zip(COLUMNS, STARTS, strict=False)
    if "rows" in column
]
fields = [(name, float | None, None) for name, _ in NUMBERS] + [(c[0], str | None, None) for c in CATEGORIES]
decode = msgspec.json.Decoder(msgspec.defstruct("Record", fields)).decode
encode = msgspec.json.Encoder().encode
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
run = onnxruntime.InferenceSession(HERE / "model.onnx", options, providers=["CPUExecutionProvider"]).run
Message = dict[str, Any]


def predict(body: bytes) -> bytes:
    """Answer one record."""
    record = decode(body)
    row = np.empty((1, STARTS[-1]), "float32")
    for name, i in NUMBERS:
        value = getattr(record, name)
        row[0, i] = np.nan if value is None else value
    for name, part, rows, none in CATEGORIES:
        row[0, part] = rows.get(getattr(record, name), none)
    scores = run(["probabilities"], {"row": row})[0][0].tolist()
    best = LABELS[scores.index(max(scores))]
    return encode({"prediction": best, "probabilities": dict(zip(LABELS, scores, strict=True))})


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Read the body, answer, done."""
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = predict(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
