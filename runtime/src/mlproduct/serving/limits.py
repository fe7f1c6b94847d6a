"""What stands before the model: bodies that are too large and callers without a token stay out, and are told why."""

import asyncio
import hmac
import json
import os
from http import HTTPStatus
from typing import Any

from starlette.types import Receive, Scope

Headers = dict[str, str]
DRAIN = 20  # times the limit that is read, and thrown away, before the answer: a caller cut off would not read it


class ProblemError(Exception):
    """A request that is not answered; told as `application/problem+json` (RFC 9457).

    Attributes
    ----------
    status : int
        Of the HTTP answer.
    reason : str
        For the metric `ml_requests_refused_total`.
    detail : str
        For the caller; never a stack trace.
    headers : dict
        Of the answer: `Retry-After` and the like.
    errors : list of dict
        `record`, `field` and `message` of each fault.
    """

    def __init__(
        self, status: int, reason: str, detail: str, headers: Headers | None = None, errors: list[Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.reason, self.detail = status, reason, detail
        self.headers, self.errors = headers or {}, errors or []

    def body(self) -> bytes:
        """Write the problem document."""
        title = HTTPStatus(self.status).phrase
        told = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        return json.dumps(told | ({"errors": self.errors} if self.errors else {})).encode()


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
    """Whether the caller says that more is coming than would be read and thrown away."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return value.isdigit() and int(value[:20]) > DRAIN * most
    return False


class Tokens:
    """The bearer tokens of SERVICE_TOKEN, separated by commas: two while one is being rotated; none, and it is open."""

    def __init__(self, listed: str | None = None) -> None:
        listed = os.environ.get("SERVICE_TOKEN", "") if listed is None else listed
        self._known = [token.strip().encode() for token in listed.split(",") if token.strip()]

    def check(self, scope: Scope) -> None:
        """Compare in constant time.

        Raises
        ------
        ProblemError
            If no token, or a wrong one, is sent.
        """
        if not self._known:
            return
        sent = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        kind, _, token = sent.partition(b" ")
        known = [hmac.compare_digest(token.strip(), wanted) for wanted in self._known]  # all of them, whatever fits
        if kind.lower() != b"bearer" or not any(known):
            wanted = {"WWW-Authenticate": "Bearer"}
            raise ProblemError(401, "unauthorized", "a bearer token is needed: `Authorization: Bearer ...`", wanted)
