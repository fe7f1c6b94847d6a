"""The prediction log: one JSON line a prediction, and one an outcome, in files that are rotated by size.

Schema of `predictions-*.jsonl`: `time` (ISO 8601, UTC), `prediction_id`, `variant`, `model`, `prediction`, `score`
(probability of the positive class, else of the last one; the value of a regression), `features` (those of the contract
that are not protected, nothing else), `flags` where there are any, `unit` (pseudonym of `rollout.entity`, where one is
set), `shadow_of` (the id that the caller was shown, of a prediction made in the shadow).

Schema of `outcomes-*.jsonl`: `time`, `prediction_id`, `outcome`, and `value` where one was sent.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from mlproduct.contract.columns import Contract

PREDICTIONS, OUTCOMES = "predictions", "outcomes"


class Clock:
    """Tells the time as the log writes it, ISO 8601 in UTC; what changes once a second is kept for a second."""

    def __init__(self) -> None:
        self._kept = (0, "")

    def __call__(self) -> str:
        """Tell what time it is."""
        second, rest = divmod(time.time_ns(), 10**9)
        kept = self._kept
        if kept[0] != second:
            kept = self._kept = (second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)))
        return f"{kept[1]}.{rest // 1000:06}+00:00"


def allowed(contract: Contract) -> list[str]:
    """Return the columns that may stand in the log: features, and of them none that is protected."""
    return [name for name in contract.features if contract.columns[name].role != "protected"]


class Lines:
    """Appends lines to files of this process: each is written before the answer, so that a crash loses none.

    Parameters
    ----------
    folder : Path or None
        Where the files are; None writes nothing.
    kind : str
        How their names begin.
    most_bytes : int
        After which a new file is begun.
    keep : int
        Files of this kind, of all processes, that are kept; the oldest are removed.
    failed : function
        Called where a line cannot be written: no request fails for that.
    """

    def __init__(self, folder: Path | None, kind: str, most_bytes: int, keep: int, failed: Callable[[], None]) -> None:
        self._folder, self._kind, self._most, self._keep, self._failed = folder, kind, most_bytes, keep, failed
        self._file, self._size, self._lock = -1, 0, threading.Lock()  # a shadow and a batch write from threads

    def write(self, entries: Iterable[dict[str, Any]]) -> None:
        """Append entries in one go."""
        if self._folder is None:
            return
        content = b"".join([to_json(entry, inf_nan_mode="null") + b"\n" for entry in entries])
        try:
            with self._lock:
                if self._file < 0 or self._size + len(content) > self._most:
                    self._open(self._folder)
                os.write(self._file, content)
                self._size += len(content)
        except OSError:
            self._failed()

    def _open(self, folder: Path) -> None:
        self.close()
        folder.mkdir(parents=True, exist_ok=True)
        now = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        name = f"{self._kind}-{now}-{time.time_ns() % 10**9:09}-{os.getpid()}.jsonl"  # in the order of their making
        self._file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        self._size = 0
        for old in sorted(folder.glob(f"{self._kind}-*.jsonl"))[: -self._keep]:
            old.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file at hand."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
