"""A served Bento for tests: started, asked, and ended by its process id."""

import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from template.test_generated import free_port, wait_until


@dataclass
class Service:
    """What is served: where, by which process, from which project."""

    project: Path
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, content, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, _read(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, _read(refused)

    def metric(self, name: str) -> float:
        """Sum a metric over its labels."""
        found = [line for line in self.ask("/metrics")[1].splitlines() if line.split("{")[0].split(" ")[0] == name]
        return sum(float(line.rsplit(" ", 1)[1]) for line in found)

    def lines(self, kind: str) -> list[Any]:
        files = sorted(self.log.glob(f"{kind}-*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]

    def workers(self) -> list[int]:
        table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.split()
        return [int(pid) for pid, above in zip(table[::2], table[1::2], strict=True) if int(above) == self.process.pid]

    def memory(self) -> int:
        """Give the resident bytes of all workers."""
        status = [Path(f"/proc/{pid}/status").read_text(encoding="utf-8") for pid in self.workers()]
        return sum(int(text.split("VmRSS:")[1].split()[0]) * 1024 for text in status)


def _read(answer: Any) -> Any:
    text = answer.read().decode()
    return json.loads(text) if "json" in answer.headers["content-type"] else text


@contextmanager
def served(project: Path, environment: Path, **variables: str) -> Iterator[Service]:
    """Serve the newest Bento of a project until the block ends."""
    port = free_port()
    log = project / f"log-{port}"
    env = {**os.environ, "PREDICTION_LOG": str(log), **variables}
    words = [str(environment / "bin" / "mlproduct"), "serve", "--port", str(port)]
    with (project / f"serve-{port}.log").open("w") as output:
        process = subprocess.Popen(words, cwd=project, env=env, stdout=output, stderr=output)
    service = Service(project, port, process, log)
    try:
        wait_until(lambda: process.poll() is not None or _ready(service), 90)
        assert process.poll() is None, (project / f"serve-{port}.log").read_text()
        yield service
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=40)


def _ready(service: Service) -> bool:
    try:
        return service.ask("/readyz")[0] == 200
    except OSError:
        return False


@dataclass
class Load:
    """Callers that send the same record over and over, each on a connection of its own."""

    answered: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)


@contextmanager
def load(service: Service, record: Any, callers: int = 8) -> Iterator[Load]:
    """Keep a service at saturation until the block ends."""
    found, over = Load(), threading.Event()
    threads = [threading.Thread(target=_call, args=(service.port, record, found, over)) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        over.set()
        for thread in threads:
            thread.join(timeout=60)


def _call(port: int, record: Any, found: Load, over: threading.Event) -> None:
    body, connection = json.dumps(record), HTTPConnection("127.0.0.1", port, timeout=30)
    while not over.is_set():
        try:
            connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status == 200:
                found.answered.append(json.loads(text)["prediction_id"])
            else:
                found.refused.append(answer.status)
        except (OSError, HTTPException) as error:
            found.cut.append(repr(error))
            connection.close()
            time.sleep(0.05)
    connection.close()


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    wait_until(true, seconds)
