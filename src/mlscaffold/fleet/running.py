"""The same work for many repositories, some at a time; a process that dies of one does not stop the others."""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar, cast

from ..errors import UserError

Job = TypeVar("Job")
Result = TypeVar("Result")
MEMORY = 2**31  # bytes of addresses that one who reads, and each git that it starts, may take
_TICK = 0.5  # seconds between looks at the clock


@dataclass(frozen=True)
class Pace:
    """How many repositories are worked on at a time, and what one of them may take.

    Attributes
    ----------
    workers : int
        Processes.
    patience : float
        Seconds.
    memory : int, optional
        Bytes of addresses; None for no bound, where a repository's own checks are run.
    """

    workers: int
    patience: float
    memory: int | None = MEMORY


@dataclass(frozen=True)
class Failed:
    """Why the work came to nothing for one repository."""

    reason: str


@dataclass
class _Worker(Generic[Job]):
    process: Any
    pipe: Connection
    job: Job | None = None
    since: float = field(default_factory=time.monotonic)


def run(
    work: Callable[[Any, Job], Result], context: Any, jobs: Iterable[Job], pace: Pace
) -> Iterator[tuple[Job, Result | Failed]]:
    """Run some work for each job, and yield each result as soon as it is there.

    Parameters
    ----------
    work : callable
        Called with the context and a job, in another process: a function of a module.
    context : object
        Handed to every worker once.
    jobs : iterable
        What to work on.
    pace : Pace
        How many at a time, and what one may take.

    Yields
    ------
    job, result
        In the order in which they end. `Failed` for a UserError, an error of ours, a death, and what takes too long.
    """
    left = deque(jobs)
    team: list[_Worker[Job]] = [_hired(work, context, pace.memory) for _ in range(min(pace.workers, len(left)))]
    try:
        while left or any(each.job is not None for each in team):
            for worker in team:
                if worker.job is None and left:
                    _hand(worker, left.popleft())
            busy = {each.pipe: each for each in team if each.job is not None}
            for ready in wait(list(busy), _TICK):
                worker = busy.pop(cast("Connection", ready))
                yield _taken(worker, team, lambda: _hired(work, context, pace.memory), more=bool(left))
            for late in [each for each in busy.values() if time.monotonic() - each.since > pace.patience]:
                job = late.job
                assert job is not None  # noqa: S101 - it is busy
                _dismiss(late)
                team[team.index(late)] = _hired(work, context, pace.memory)
                yield job, Failed(f"took longer than {pace.patience:g} s")
    finally:
        for worker in team:
            _dismiss(worker)


def _hand(worker: _Worker[Job], job: Job) -> None:
    worker.job, worker.since = job, time.monotonic()
    try:
        worker.pipe.send(job)
    except OSError:  # it has died since; what it says next, nothing, is taken for that
        return


def _taken(
    worker: _Worker[Job], team: list[_Worker[Job]], hire: Callable[[], _Worker[Job]], *, more: bool
) -> tuple[Job, Any]:
    job = worker.job
    assert job is not None  # noqa: S101 - it is busy
    try:
        result = worker.pipe.recv()
        worker.job = None
    except (EOFError, OSError):
        worker.process.join()
        result = Failed(f"ended the process that looked at it ({_ending(worker.process.exitcode)})")
        worker.pipe.close()
        team.remove(worker)
        team += [hire()] if more else []
    return job, result


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def _hired(work: Callable[[Any, Job], Any], context: Any, memory: int | None) -> _Worker[Job]:
    # A new interpreter, not a copy of this one: the progress bar has a thread, and a fork of a thread may hang.
    spawning = get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(theirs, work, context, memory), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _dismiss(worker: _Worker[Job]) -> None:
    """Stop an idle worker; kill one that is busy, with all that it has started."""
    if worker.job is None:
        with suppress(OSError):
            worker.pipe.send(None)
        worker.process.join(5)
    if worker.process.is_alive():
        _kill(worker.process.pid)
        worker.process.join()
    worker.pipe.close()


def _kill(process: int) -> None:
    kill_group: Callable[[int, int], None] | None = getattr(os, "killpg", None)
    try:
        if kill_group is None:  # pragma: no cover - Windows has no groups
            os.kill(process, signal.SIGTERM)
        else:
            kill_group(process, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(process, signal.SIGKILL)  # it is not yet the head of its group


def _serve(pipe: Connection, work: Callable[[Any, Job], Any], context: Any, memory: int | None) -> None:
    """Work until there is nothing more: what a worker does."""
    _apart(memory)
    while (job := pipe.recv()) is not None:
        try:
            result: Any = work(context, job)
        except UserError as error:
            result = Failed(str(error))
        except MemoryError:
            result = Failed("takes more memory than one repository is given")
        except Exception as error:  # one repository must not stop the others; its row names the error
            result = Failed(f"mlscaffold failed, which is a bug in it ({type(error).__name__}: {error})")
        pipe.send(result)


def _apart(memory: int | None) -> None:
    """Take a group of its own, leave Ctrl-C to the one who waits, and bound the memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        import resource

        os.setpgid(0, 0)
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        if memory is not None:
            bound = memory if most == resource.RLIM_INFINITY else min(memory, most)
            resource.setrlimit(resource.RLIMIT_AS, (bound, most))
