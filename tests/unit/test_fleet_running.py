"""Work in several processes: bounded, and no job stops another one."""

import os
import signal
import time
from multiprocessing import active_children
from pathlib import Path
from typing import Any

from mlscaffold.errors import UserError
from mlscaffold.fleet.running import Failed, Pace, run

QUICK = Pace(2, 30)


def work(context: int, job: Any) -> Any:
    kind, value = job
    if kind == "wrong":
        raise UserError(value)
    if kind == "bug":
        raise ValueError(value)
    if kind == "dies":
        os.kill(os.getpid(), signal.SIGSEGV)
    if kind == "leaves":
        os._exit(3)
    if kind == "hangs":
        os.system(f"sleep {value} & echo $! > /tmp/mlscaffold-hangs-{context}; wait")  # noqa: S605 - a child of it
    if kind == "eats":
        return len(bytearray(value))
    if kind == "notes":
        Path(value).write_text(f"{time.monotonic()}\n")
        time.sleep(0.3)
        Path(value).write_text(f"{Path(value).read_text()}{time.monotonic()}\n")
        return value
    return context + value


def outcomes(jobs: list[Any], pace: Pace = QUICK, context: int = 0) -> dict[Any, Any]:
    return dict(run(work, context, jobs, pace))


def test_every_job_is_done_with_the_context() -> None:
    found = outcomes([("adds", number) for number in range(7)], context=100)
    assert found == {("adds", number): 100 + number for number in range(7)}


def test_no_jobs_need_no_processes() -> None:
    assert outcomes([]) == {}


def test_what_goes_wrong_is_said_and_the_others_go_on() -> None:
    jobs = [("wrong", "is not there"), ("bug", "oh"), ("dies", 0), ("leaves", 0), ("adds", 1), ("adds", 2), ("adds", 3)]
    found = outcomes(jobs)
    assert found["wrong", "is not there"] == Failed("is not there")
    assert found["bug", "oh"] == Failed("mlscaffold failed, which is a bug in it (ValueError: oh)")
    assert found["dies", 0] == Failed("ended the process that looked at it (signal SIGSEGV)")
    assert found["leaves", 0] == Failed("ended the process that looked at it (exit code 3)")
    assert [found["adds", number] for number in (1, 2, 3)] == [1, 2, 3]


def test_what_takes_too_long_is_stopped_with_its_children() -> None:
    context = os.getpid()
    found = outcomes([("hangs", 60), ("adds", 1), ("adds", 2)], Pace(1, 2), context)
    assert found["hangs", 60] == Failed("took longer than 2 s")
    assert found["adds", 2] == context + 2
    note = Path(f"/tmp/mlscaffold-hangs-{context}")  # noqa: S108 - written by the worker
    child = int(note.read_text())
    note.unlink()
    time.sleep(0.2)
    status = Path(f"/proc/{child}/stat")
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_memory_is_bounded() -> None:
    found = outcomes([("eats", 2**32), ("adds", 1)], Pace(1, 30))
    assert found["eats", 2**32] == Failed("takes more memory than one repository is given")
    assert found["adds", 1] == 1


def test_no_more_than_the_pace_at_a_time(tmp_path: Path) -> None:
    jobs = [("notes", str(tmp_path / str(number))) for number in range(5)]
    outcomes(jobs, Pace(2, 30))
    spans = [tuple(map(float, Path(place).read_text().split())) for _, place in jobs]
    most = max(sum(begin <= at < end for begin, end in spans) for at, _ in spans)
    assert most <= 2


def test_whoever_stops_early_leaves_no_process() -> None:
    going = run(work, 0, [("adds", number) for number in range(5)], QUICK)
    next(going)
    assert len(active_children()) == 2
    going.close()
    assert active_children() == []
