"""Callers: some send rows at a steady pace, some hold a place and never end what they say."""

import json
import random
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

BATCH = 25  # records in a request
PAUSE = 0.2  # seconds between two requests of a caller
CALLERS = 2
Record = dict[str, Any]


def _again(act: Callable[[], bool], over: threading.Event, pause: float) -> None:
    """Do something until it gives False, or until it is over."""
    while not over.is_set() and act():
        over.wait(pause)


@contextmanager
def _threads(number: int, act: Callable[[], bool], pause: float) -> Iterator[threading.Event]:
    over = threading.Event()
    threads = [threading.Thread(target=_again, args=(act, over, pause), daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield over
    finally:
        over.set()
        for thread in threads:
            thread.join(timeout=15)


@contextmanager
def feed(
    url: str, rows: Sequence[Record], held: Callable[[], bool] = lambda: False, batch: int = BATCH
) -> Iterator[None]:
    """Send rows, drawn at random, until the block ends.

    Parameters
    ----------
    url : str
        Of the service.
    rows : sequence of dict
        Records as callers send them.
    held : callable
        Asked before each request; a source that is held sends nothing.
    batch : int
        Records in a request.
    """
    drawn = random.Random(1)  # noqa: S311

    def send() -> bool:
        if not held():
            _predict(url, drawn.choices(rows, k=batch))
        return True

    with _threads(CALLERS, send, PAUSE):
        yield


def _predict(url: str, records: list[Record]) -> None:
    body = json.dumps({"records": records}).encode()
    request = urllib.request.Request(f"{url}/predict", body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            answer.read()
    except OSError:  # refused, or the service starts again: Prometheus counts what matters
        time.sleep(0.1)


@contextmanager
def hanging(port: int, number: int) -> Iterator[None]:
    """Let callers begin a request and never end it; when the service goes away, they do not come again."""

    def hang() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
                head = "POST /predict HTTP/1.1\r\nHost: drill\r\nContent-Type: application/json\r\n"
                line.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
                return bool(line.recv(1))  # nothing: the other end is gone; else it was refused or timed out
        except OSError:
            return False

    with _threads(number, hang, PAUSE):
        yield
