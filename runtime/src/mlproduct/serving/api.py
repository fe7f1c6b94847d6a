"""The API as an ASGI app in front of BentoML's: routes, guards, and one answer for each request.

BentoML serves it as a middleware (`add_asgi_middleware`), so that a request meets neither its router nor its data
model; docs/decisions of mlscaffold tell what that is worth. Paths that it does not know never reach BentoML either.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from pydantic_core import from_json, to_json
from starlette.types import ASGIApp, Receive, Scope, Send

from mlproduct.config import SHADOW, Params
from mlproduct.inference.request import RefusedError
from mlproduct.serving.answers import Answers
from mlproduct.serving.auth import Authenticate, OwnAuthentication, Tokens
from mlproduct.serving.batch import Batcher
from mlproduct.serving.extend import Extended
from mlproduct.serving.limits import Deadline, Disconnected, declared_too_large, read_body
from mlproduct.serving.metrics import ServiceMetrics, exposition, extension_failed
from mlproduct.serving.problems import ProblemError
from mlproduct.serving.variants import Shadow

POSTS = ("/predict", "/explain", "/feedback")
PASSED = ("/livez", "/readyz", "/healthz", "/static_content/")  # BentoML's own
JSON, PROBLEM = b"application/json", b"application/problem+json"
TEXT = b"text/plain; version=0.0.4; charset=utf-8"
AT_ONCE = 16  # records that the graph answers in the event loop; more are answered in a thread
CLOSE = {"Connection": "close"}  # what is left of the body is not read
FLUSH = 1.0  # seconds between two tellings of what was counted
logger = logging.getLogger(__name__)
Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, bytes, bytes, Headers]


class Api:
    """All that the service answers by itself.

    Parameters
    ----------
    pages : dict of str to (bytes, bytes)
        Content and type of what is only read: /version, /openapi.json, /docs.
    quick : bool
        Whether a few records may be scored in the event loop: they take microseconds.
    extended : Extended
        The team's own response fields and headers.
    authenticate : function, optional
        The team's own authentication, in place of bearer tokens.
    """

    def __init__(
        self,
        answers: Answers,
        metrics: ServiceMetrics,
        params: Params,
        pages: dict[str, tuple[bytes, bytes]],
        quick: bool,
        extended: Extended = Extended(),  # noqa: B008 (it cannot change)
        authenticate: Authenticate | None = None,
    ) -> None:
        self._answers, self._metrics, self._limits, self._pages = answers, metrics, params.service, pages
        self._tokens, self._quick, self._extended, self._own = Tokens(), quick, extended, None
        if authenticate is not None:
            self._own = OwnAuthentication(authenticate, params.service.timeout_seconds, extension_failed)
        self._batcher = Batcher(answers.predict, params.service.max_records)
        self._shadow = None
        if params.rollout.mode == SHADOW:
            self._shadow = Shadow(answers.shadow, metrics.shadow_failed)
        self._tasks: list[asyncio.Task[None]] = []
        self._work: dict[str, Callable[[bytes], Any]] = {
            "/predict": self._predict,
            "/explain": self._explain,
            "/feedback": self._feedback,
        }

    def start(self) -> None:
        """Begin what runs beside the requests."""
        works = [self._flushing()] + ([self._shadow.run()] if self._shadow else [])
        self._tasks = [asyncio.get_running_loop().create_task(work) for work in works]

    def stop(self) -> None:
        """Tell what is left, and end what runs beside."""
        for task in self._tasks:
            task.cancel()
        self._metrics.flush()

    async def _flushing(self) -> None:
        while True:
            await asyncio.sleep(FLUSH)
            self._metrics.flush()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path, method, begun = scope["path"], scope["method"], time.perf_counter()
        headers: Headers = []
        try:
            status, body, kind, headers = await self._answer(path, method, scope, receive)
        except Disconnected:
            return
        except ProblemError as problem:
            status, body, kind = problem.status, problem.body(), PROBLEM
            headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
            self._metrics.refused(problem.reason, problem.errors)
        except Exception:  # a fault of ours: the log gets the trace, the caller does not
            logger.exception("%s %s failed", method, path)
            status, body, kind = 500, ProblemError(500, "error", "the service failed; its log says why").body(), PROBLEM
        if path != "/metrics":
            route = path if path in self._work or path in self._pages else "other"
            label = method if method in ("GET", "POST", "HEAD") else "other"
            self._metrics.answered(route, label, status, time.perf_counter() - begun)
        headers += [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})

    async def _answer(self, path: str, method: str, scope: Scope, receive: Receive) -> Answer:
        work = self._work.get(path)
        if work is not None:
            if method != "POST":
                raise ProblemError(405, "malformed", f"{path} takes POST", {"Allow": "POST"})
            await self._admit(scope)
            return await self._posted(work, scope, receive)
        if path not in self._pages and path != "/metrics":
            raise ProblemError(404, "malformed", f"there is no {path[:100]}; /docs shows what there is")
        if method not in ("GET", "HEAD"):
            raise ProblemError(405, "malformed", f"{path} takes GET", {"Allow": "GET, HEAD"})
        if path == "/metrics":
            self._metrics.flush()
            return 200, await asyncio.to_thread(exposition), TEXT, []
        await self._admit(scope)
        return 200, *self._pages[path], []

    async def _admit(self, scope: Scope) -> None:
        if self._own is None:
            self._tokens.check(scope)
        else:
            await self._own.check(scope)

    async def _posted(self, work: Callable[[bytes], Any], scope: Scope, receive: Receive) -> Answer:
        limits = self._limits
        if declared_too_large(scope, limits.max_body_bytes):
            raise ProblemError(413, "body_too_large", f"the body is over {limits.max_body_bytes} bytes", CLOSE)
        if self._metrics.in_flight >= limits.max_concurrency:
            raise ProblemError(503, "busy", f"{limits.max_concurrency} requests are at work", {"Retry-After": "1"})
        self._metrics.begin()
        try:
            with Deadline(limits.timeout_seconds):
                found, headers = await work(await read_body(receive, limits.max_body_bytes))
        except TimeoutError:
            raise ProblemError(504, "timeout", f"it took over {limits.timeout_seconds:g} seconds", CLOSE) from None
        except RefusedError as refusal:
            reason = "too_many_records" if refusal.status == 413 else "contract"
            raise ProblemError(refusal.status, reason, str(refusal), errors=refusal.errors[:100]) from None
        finally:
            self._metrics.in_flight -= 1
        return (202 if work == self._feedback else 200), to_json(found), JSON, headers

    async def _predict(self, body: bytes) -> tuple[Any, Headers]:
        document = _document(body)
        request = self._answers.reader.read(document)
        if self._quick and len(request.records) <= AT_ONCE:
            (found,) = self._answers.predict([(document, request)])
        else:
            found = await self._batcher.ask((document, request))
        if self._shadow:
            self._shadow.put(request, [answer["prediction_id"] for answer in found.get("predictions", [found])])
        if self._extended:  # in a thread: it is the team's code, and may take its time
            return await asyncio.to_thread(self._extended.extend, found, request.records)
        return found, []

    async def _explain(self, body: bytes) -> tuple[Any, Headers]:
        request = self._answers.reader.read(_document(body))
        return await asyncio.to_thread(self._answers.explain, request), []

    async def _feedback(self, body: bytes) -> tuple[Any, Headers]:
        return self._answers.feedback(_document(body)), []


def _document(body: bytes) -> Any:
    try:
        return from_json(body)
    except ValueError as error:
        raise ProblemError(400, "malformed", f"the body is not valid JSON: {error}") from None


class Front:
    """The middleware: what is the API's goes to it, the rest of what is known to BentoML."""

    def __init__(self, app: ASGIApp, api: Callable[[], Api]) -> None:
        self._app, self._find = app, api
        self._api: Api | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to whom it belongs."""
        if scope["type"] != "http" or scope["path"].startswith(PASSED):
            await self._app(scope, receive, send)
            return
        if self._api is None:
            self._api = self._find()  # made when the worker has started
        await self._api(scope, receive, send)


def page(document: Any) -> tuple[bytes, bytes]:
    """Return a JSON page."""
    return json.dumps(document, ensure_ascii=False).encode(), JSON
