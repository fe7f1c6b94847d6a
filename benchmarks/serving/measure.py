"""Start a server, ask it, load it with wrk, and end it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servers import Ready

HERE = Path(__file__).parent
PATIENCE = 120  # seconds until a server that does not answer has failed
STEP = 0.02  # seconds between two questions whether it is there


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    ready: Ready
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    start: float  # seconds from the command to the first answer
    answer: dict[str, Any]


@contextlib.contextmanager
def running(ready: Ready, record: dict[str, Any]) -> Iterator[Running]:
    """Start a server and wait for its first answer to a record; end all its processes afterwards."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "log"
        begun = time.perf_counter()
        with log.open("wb") as out:
            process = subprocess.Popen(
                ready.command(port),
                cwd=ready.folder,
                env=ready.variables,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            answer = first_answer(ready, process, port, log, record)
            yield Running(ready, process, port, log, time.perf_counter() - begun, answer)
        finally:
            end(process)


def first_answer(
    ready: Ready, process: subprocess.Popen[bytes], port: int, log: Path, record: dict[str, Any]
) -> dict[str, Any]:
    """Ask until there is an answer."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            return ask(port, ready.server.path, ready.server.body(record))
        time.sleep(STEP)
    sys.exit(f"{ready.server.name} did not answer:\n{log.read_text(errors='replace')[-4000:]}")


def ask(port: int, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post a body as JSON, and give the answer."""
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as response:
        found: dict[str, Any] = json.load(response)
        return found


def wrk(server: Running, record: dict[str, Any], connections: int, seconds: float) -> dict[str, float]:
    """Load a server; gives requests a second, latencies in milliseconds, and the number of errors."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
        json.dump(server.ready.server.body(record), body)
        body.flush()
        url = f"http://127.0.0.1:{server.port}{server.ready.server.path}"
        words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s", str(HERE / "post.lua"), url]
        environment = os.environ | {"BENCH_BODY": body.name}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def memory(server: Running) -> float:
    """Give the resident memory of all its processes, in MB; pages that they share count for each of them."""
    return sum(resident(pid) for pid in tree(server.process.pid)) / 1e6


def scheduled(server: Running) -> tuple[float, float]:
    """Give the seconds that its threads ran, and those that they were ready to and had no core."""
    ran, waited = 0, 0
    for file in (file for pid in tree(server.process.pid) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            more = file.read_text().split()
            ran, waited = ran + int(more[0]), waited + int(more[1])
    return ran / 1e9, waited / 1e9


def resident(pid: int) -> int:
    """Give the bytes of a process that are in memory; none if it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def tree(root: int) -> list[int]:
    """Give a process and all that it has started."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            pid = int(folder.name)
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(pid)
    found = [root]
    for pid in found:
        found += parents.get(pid, [])
    return found


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server and what it started, asking first."""
    family = tree(process.pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for pid in family:  # those that made a group of their own
        with contextlib.suppress(ProcessLookupError):
            if resident(pid):
                os.kill(pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
