"""BentoML with a handler that does nothing and switches for what might stall it; read by ../stalls.py.

`BENCH_SWITCHES` names them, comma separated.
`GET /seen` says what the garbage collector did, and what is kept alive.
"""

import asyncio
import gc
import json
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import bentoml
import sklearn.ensemble  # noqa: F401  (with numpy, scipy and pandas: what the heap of a real service holds)
from bentoml._internal.server.http import traffic

SWITCHES = set(filter(None, os.environ.get("BENCH_SWITCHES", "").split(",")))
SETTINGS: dict[str, Any] = {"traffic": {"timeout": 2 if "short timeout" in SWITCHES else 60}}
if "no metrics" in SWITCHES:
    SETTINGS["metrics"] = {"enabled": False}
if "no access log" in SWITCHES:
    SETTINGS["logging"] = {"access": {"enabled": False}}
if "no tracing" in SWITCHES:
    SETTINGS["tracing"] = {"excluded_urls": ".*"}
Message = dict[str, Any]
Receive, Send = Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]
# Without a type that is said, BentoML 1.4 makes a JSON schema of the annotation for each answer, to find it.
Said = Annotated[dict[str, Any], bentoml.validators.ContentType("application/json")]
Returned = Said if "type said" in SWITCHES else dict[str, Any]
collections: list[tuple[float, float, int, int]] = []  # begun, ended, generation, objects thrown away


def watch(phase: str, seen: dict[str, int]) -> None:
    """Note when a collection begins and ends; the clock is the same in all processes of a Linux machine."""
    now = time.perf_counter()
    if phase == "start":
        collections.append((now, now, seen["generation"], 0))
    else:
        collections[-1] = (collections[-1][0], now, seen["generation"], seen["collected"])


class TimerCancelled:
    """BentoML's TimeoutMiddleware as it might be: the timer goes with the request."""

    def __init__(self, app: Any, timeout: float) -> None:
        """Keep the app."""
        self.app, self.timeout = app, timeout

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer within the time, and leave nothing behind."""
        async with asyncio.timeout(self.timeout if scope["type"] == "http" else None):
            await self.app(scope, receive, send)


class Answer:
    """Answer before BentoML's own routing, and say what was seen."""

    def __init__(self, app: Any) -> None:
        """Keep the app."""
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer two paths, and pass the others on."""
        if scope["type"] != "http" or scope["path"] not in {"/seen", "/middleware"}:
            await self.app(scope, receive, send)
            return
        await receive()
        body = json.dumps(seen()).encode() if scope["path"] == "/seen" else b"{}"
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def seen() -> dict[str, Any]:
    """Say which collections ran, and what the heap holds most of."""
    kinds = Counter(type(thing).__name__ for thing in gc.get_objects())
    return {
        "collections": collections,
        "objects": kinds.total(),
        "kinds": dict(kinds.most_common(12)),
    }


class Service:
    """Answer without a model."""

    def __init__(self) -> None:
        """Set the collector as the switches say."""
        gc.callbacks.append(watch)
        if "collector off" in SWITCHES:
            gc.disable()
        if "heap frozen" in SWITCHES:
            gc.collect()
            gc.freeze()
        if "high threshold" in SWITCHES:
            gc.set_threshold(50_000, 50, 50)


if "async handler" in SWITCHES:

    async def predict(self: Service, record: dict[str, Any]) -> Returned:  # noqa: ARG001
        """Answer nothing, in the event loop."""
        return {}

else:

    def predict(self: Service, record: dict[str, Any]) -> Returned:  # noqa: ARG001
        """Answer nothing, in a thread of its own."""
        return {}


if "timer cancelled" in SWITCHES:
    traffic.TimeoutMiddleware = TimerCancelled
Service.predict = bentoml.api(predict)
Stalls = bentoml.service(**SETTINGS)(Service)
Stalls.add_asgi_middleware(Answer)
