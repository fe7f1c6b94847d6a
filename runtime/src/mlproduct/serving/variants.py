"""Two models behind one endpoint: a share of the callers is answered by the challenger, or it answers in the shadow."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from typing import Any

from mlproduct.config import CHALLENGER, CONTROL, SPLIT, Rollout

SCALE = 2**64
WAITING = 1000  # requests that wait for the shadow; more are left out, and counted as failures


def variant(record: dict[str, Any], rollout: Rollout) -> str:
    """Return the variant that answers a record as it was sent: for one entity always the same one."""
    if rollout.mode != SPLIT:
        return CONTROL
    entity = record.get(rollout.entity)
    place = int.from_bytes(os.urandom(8) if entity is None else _digest(rollout, entity))
    return CHALLENGER if place < rollout.share * SCALE else CONTROL


def hashed(record: dict[str, Any], rollout: Rollout) -> str | None:
    """Return a pseudonym of the entity, for the log: rows of one entity are one observation."""
    entity = record.get(rollout.entity)
    return None if entity is None else _digest(rollout, entity).hex()


def _digest(rollout: Rollout, entity: Any) -> bytes:
    return hashlib.blake2b(f"{rollout.entity}={entity}".encode("utf-8", "replace"), digest_size=8).digest()


class Shadow:
    """Lets the challenger answer after the caller was answered; whatever happens to it, nobody sees.

    Parameters
    ----------
    answer : function
        Scores, counts and logs a list of records; runs in a thread.
    failed : function
        Counts records that were not answered.
    """

    def __init__(self, answer: Callable[[Any, list[str]], None], failed: Callable[[int], None]) -> None:
        self._answer, self._failed = answer, failed
        self._waiting: asyncio.Queue[Any] = asyncio.Queue(WAITING)

    def put(self, request: Any, shown: list[str]) -> None:
        """Hand over what was asked, with the ids that the caller was shown, and go on."""
        try:
            self._waiting.put_nowait((request, shown))
        except asyncio.QueueFull:
            self._failed(len(request.records))

    async def run(self) -> None:
        """Work for as long as the service runs."""
        while True:
            request, shown = await self._waiting.get()
            try:
                await asyncio.to_thread(self._answer, request, shown)
            except Exception:  # the shadow's, never the caller's
                self._failed(len(request.records))
