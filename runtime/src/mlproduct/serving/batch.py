"""Adaptive batching: while the model is at work on some requests, those that come wait, and are answered together.

There is no time to wait for others: a lone request is answered at once. Worth it where a call of the model costs much
and a record little, as on a data frame; the graph answers within the event loop and needs none of it.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from mlproduct.inference.request import Asked

Question = tuple[Any, Asked]  # the body as it was sent, and what was read from it


class Batcher:
    """Answers questions in one thread, as many at a time as have come.

    Parameters
    ----------
    answer : function
        From questions to their answers.
    most : int
        Records in one batch.
    """

    def __init__(self, answer: Callable[[list[Question]], list[dict[str, Any]]], most: int) -> None:
        self._answer, self._most = answer, most
        self._waiting: list[tuple[Question, asyncio.Future[dict[str, Any]]]] = []
        self._work: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> dict[str, Any]:
        """Wait for the answer to one request."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[dict[str, Any]] = loop.create_future()
        self._waiting.append((question, future))
        if self._work is None or self._work.done():
            self._work = loop.create_task(self._answer_all())
        return await future

    async def _answer_all(self) -> None:
        while self._waiting:
            batch = self._taken()
            try:
                found = await asyncio.to_thread(self._answer, [question for question, _ in batch])
            except Exception as error:  # a fault of one is a fault of all: each request tells it
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(batch, found, strict=True):
                if not future.done():  # a caller who has gone, or was told that it took too long
                    future.set_result(answer)

    def _taken(self) -> list[tuple[Question, "asyncio.Future[dict[str, Any]]"]]:
        n, many = 0, 0
        for (_, request), _ in self._waiting:
            many += len(request.records)
            if n and many > self._most:
                break
            n += 1
        batch, self._waiting = self._waiting[:n], self._waiting[n:]
        return batch
