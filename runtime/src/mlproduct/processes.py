"""Commands that a verb runs: Ctrl-C ends them with all that they have started, before the verb itself ends."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import psutil

GRACE = 2.0  # seconds: a terminal sends Ctrl-C to all processes, and they end by themselves
MOST = 15.0  # seconds after our own interruption; what is left then is killed
AGAIN = 0.5  # seconds between two looks for children

# What DVC advises after each run; verbs end with advice of their own, such as `mlproduct commit`.
ADVICE = re.compile(
    r"To track the changes with git, run:|\tgit add |To enable auto staging, run:|\tdvc config core\.autostage true|"
    r"Use `dvc push` to send your updates|(Updating|Generating) lock file '"
)


def watch(command: Sequence[str], env: Mapping[str, str], lines: int) -> tuple[int, list[str]]:
    """Run a command, show its output without DVC's advice, and return its exit code with its last lines on stderr."""
    last = deque[str](maxlen=lines)
    reader, writer = os.pipe()
    with open(reader, encoding="utf-8", errors="replace") as output:  # noqa: PTH123 - a pipe has no path
        showing = Thread(target=_show, args=(output,), daemon=True)
        showing.start()
        try:
            unbuffered = {**env, "PYTHONUNBUFFERED": "1"}
            with _running(command, stdout=writer, stderr=subprocess.PIPE, env=unbuffered) as process:
                for line in process.stderr or ():
                    sys.stderr.write(line)
                    last.append(line.rstrip())
                code = process.wait()
        finally:
            os.close(writer)
            showing.join(timeout=MOST)
    return code, list(last)


def _show(output: TextIO) -> None:
    """Copy lines to the standard output, without DVC's advice and the blank lines around it."""
    blank = True
    for line in output:
        if ADVICE.match(line) or (blank and not line.strip()):
            continue
        blank = not line.strip()
        sys.stdout.write(line)
        sys.stdout.flush()


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

    DVC does not pass an interruption on to its stages: a terminal interrupts them too, `kill -INT` does not. Where a
    stage has ended meanwhile, DVC has started the next one: children are looked for again.
    """
    import psutil

    seen = set[psutil.Process]()
    drain = process.communicate if process.stderr is not None else process.wait
    with suppress(KeyboardInterrupt):  # a second Ctrl-C: kill at once
        with suppress(subprocess.TimeoutExpired):
            drain(timeout=GRACE)
        end = time.monotonic() + MOST
        while time.monotonic() < end:
            for each in set(_family(process)) - seen:
                seen.add(each)
                with suppress(psutil.NoSuchProcess):
                    each.terminate() if sys.platform == "win32" else each.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                drain(timeout=AGAIN)
                break
        psutil.wait_procs(seen, timeout=max(0.0, end - time.monotonic()))
    for each in {*seen, *_family(process)}:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()


def _family(process: "subprocess.Popen[str]") -> "list[psutil.Process]":
    """Return a process with its children and theirs; none once it has ended."""
    import psutil

    try:
        parent = psutil.Process(process.pid)
        return [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return []
