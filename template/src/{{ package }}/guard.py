"""What stands before the service: bodies that are too large, or no JSON, do not get in."""

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Refuse bodies over `most` bytes before they are read, and those that are no JSON; BentoML has no such guard."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in, also where no length is declared."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        chunks, size, more = [], int(declared) if declared.isdigit() else 0, True
        while more and size <= self.most:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            chunks.append(message.get("body", b""))
            size, more = max(size, sum(map(len, chunks))), message.get("more_body", False)
        if size > self.most:
            await _refuse(send, 413, f"the body is over {self.most} bytes")
            return
        body = b"".join(chunks)
        fault = _json_fault(body) if scope["path"] == "/predict" else None
        if fault:
            await _refuse(send, 400, fault)
            return
        await self.app(scope, _replayed(body, receive), send)


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
