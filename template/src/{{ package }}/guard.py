"""What stands before the service: bodies that are too large, or no JSON, do not get in."""

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DRAIN = 20  # times the limit that is read, and thrown away, before the answer


class BodyLimit:
    """Refuse bodies over `most` bytes before they are read, and those that are no JSON; BentoML has no such guard."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in, also where no length is declared."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        declared, got, chunks, more = int(length) if length.isdigit() else 0, 0, [], True
        while more and got <= DRAIN * self.most:  # a caller who is cut off in the middle would not read the answer
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            got, more = got + len(message.get("body", b"")), message.get("more_body", False)
            if max(got, declared) <= self.most:
                chunks.append(message.get("body", b""))
        if max(got, declared) > self.most:
            await _refuse(send, 413, f"the body is over {self.most} bytes")
            return
        body = b"".join(chunks)
        fault = _json_fault(body) if scope["path"] == "/predict" else None
        if fault:
            await _refuse(send, 400, fault)
            return
        await self.app(scope if scope["path"] != "/predict" else _as_json(scope), _replayed(body, receive), send)


def _as_json(scope: Scope) -> Scope:
    """Say that the body is JSON, which it is: `curl -d` says that it is a form."""
    kept = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    return {**scope, "headers": [*kept, (b"content-type", b"application/json")]}


def _json_fault(body: bytes) -> str | None:
    try:
        json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return f"the body is no JSON: {error}"
    return None


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


async def _refuse(send: Send, status: int, message: str) -> None:
    body = json.dumps({"error": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
