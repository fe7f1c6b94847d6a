"""Commands that a verb runs: Ctrl-C ends them with all that they have started, before the verb itself ends."""

import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

GRACE = 2.0  # seconds: a terminal sends Ctrl-C to all processes, and they end by themselves
MOST = 15.0  # seconds after our own interruption; what is left then is killed


def watch(command: Sequence[str], env: Mapping[str, str], lines: int) -> tuple[int, list[str]]:
    """Run a command, show what it says in error, and return its exit code with the last lines of that."""
    output = deque[str](maxlen=lines)
    with _running(command, stderr=subprocess.PIPE, env=env) as process:
        for line in process.stderr or ():
            sys.stderr.write(line)
            output.append(line.rstrip())
        return process.wait(), list(output)


def run(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a command and return its exit code."""
    with _running(command, env=env) as process:
        return process.wait()


@contextmanager
def _running(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """Start a command; when the block is left by an exception, the command and its children end first."""
    process = subprocess.Popen(command, text=True, encoding="utf-8", errors="replace", **options)
    try:
        yield process
    except BaseException:
        _end(process)
        raise


def _end(process: "subprocess.Popen[str]") -> None:
    """Wait for a process and its children, interrupt those that go on, and kill those that do not listen.

    DVC does not pass an interruption on to its stages: a terminal interrupts them too, `kill -INT` does not.
    """
    import psutil

    family = []
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        family = [*parent.children(recursive=True), parent]
    drain = process.communicate if process.stderr is not None else process.wait
    with suppress(KeyboardInterrupt, subprocess.TimeoutExpired):  # a second Ctrl-C: kill at once
        with suppress(subprocess.TimeoutExpired):
            drain(timeout=GRACE)
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.terminate() if sys.platform == "win32" else member.send_signal(signal.SIGINT)
        drain(timeout=MOST)
        psutil.wait_procs(family, timeout=MOST)
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()
