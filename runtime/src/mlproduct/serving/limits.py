"""Limits of a request: the bytes of its body, and the seconds until it is answered."""

import asyncio
from typing import Any

from starlette.types import Receive, Scope

from mlproduct.serving.problems import ProblemError

DRAIN = 20  # times the limit that is read, and thrown away, before the answer: a caller cut off would not read it


class Disconnected(Exception):  # noqa: N818
    """The caller has gone; nobody waits for an answer."""


class Deadline:
    """What `asyncio.timeout` does, for less than half of its price: one timer, which nobody can move.

    Raises
    ------
    TimeoutError
        At the end of the block, if it took longer than `seconds` and was cancelled for it.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._late = seconds, False

    def __enter__(self) -> None:
        """Start the timer."""
        loop = asyncio.get_running_loop()
        self._task: Any = asyncio.current_task(loop)
        self._timer = loop.call_later(self._seconds, self._end)

    def _end(self) -> None:
        self._late = True
        self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Stop the timer, and tell a cancellation of ours from one by somebody else."""
        self._timer.cancel()
        if self._late and self._task.uncancel() <= 0 and kind is asyncio.CancelledError:
            raise TimeoutError


async def read_body(receive: Receive, most: int) -> bytes:
    """Read a body, counting what comes in, also where no length is declared.

    Raises
    ------
    ProblemError
        If it is over `most` bytes.
    Disconnected
        If the caller leaves before it is complete.
    """
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body") and len(message["body"]) <= most:
        return bytes(message["body"])  # nearly every request
    chunks, got = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise Disconnected
        got += len(message.get("body", b""))
        if got <= most:
            chunks.append(message.get("body", b""))
        if not message.get("more_body") or got > DRAIN * most:
            break
        message = await receive()
    if got > most:
        raise ProblemError(413, "body_too_large", f"the body is over {most} bytes")
    return b"".join(chunks)


def declared_too_large(scope: Scope, most: int) -> bool:
    """Return whether the caller says that more is coming than would be read and thrown away."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return value.isdigit() and int(value[:20]) > DRAIN * most
    return False
