"""Practise: break the packaged service in a copy of this repository, see the alert, run its runbook, see it end.

Real parts on loopback: the service, Prometheus with the rules of deploy/prometheus, callers with rows of the train set.
Only time is not real: every window of the rules is shorter by the same factor.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mlproduct import team
from mlproduct.config import load
from mlproduct.data.prepare import TRAIN
from mlproduct.errors import DataError
from mlproduct.gameday.faults import FAULTS, Fault, LeftOutError, Scene
from mlproduct.gameday.supervised import supervised
from mlproduct.gameday.traffic import feed
from mlproduct.gameday.watch import FASTER, Watch, watching
from mlproduct.inference.request import examples
from mlproduct.monitoring.runbooks import CHECK, FIX, commands, describe, environment, execute, pages, perform
from mlproduct.packaging.store import STORE

CHECKS = "checks"  # not a fault: every check of every runbook, on a service that is well
LEFT = (".venv*", "logs", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "__pycache__")
ROWS = 2000  # of the train set that callers draw from
WARM = 20  # seconds of traffic before the first fault
FIRES = 120  # seconds until an alert that has not fired does not; the slowest waits an hour of the rules
ENDS = 90  # the same for one that has to end
OK, FAILED, LEFT_OUT = "ok", "FAILED", "left out"


@dataclass(frozen=True)
class Practised:
    """What came of a fault: whether its alert fired, and ended after a fix; the seconds of both."""

    fault: Fault
    result: str
    said: str
    fired: float | None = None
    ended: float | None = None


class Story:
    """Tells what happens when, a line each."""

    def __init__(self) -> None:
        self.begun = time.monotonic()

    def tell(self, actor: str, what: str) -> None:
        """Print a line of the timeline."""
        print(f"{time.monotonic() - self.begun:6.1f} s  {actor:<8} {what}", flush=True)


def practise(fault: Fault, scene: Scene, watch: Watch, variables: dict[str, str], story: Story) -> Practised:
    """Inject a fault, wait for its alert, go through its runbook until the alert ends.

    Parameters
    ----------
    variables : dict of str to str
        The environment of the runbook's commands.
    """
    try:
        with fault.inject(scene) as what:
            story.tell(fault.name, what)
            begun = time.monotonic()
            if not _until(lambda: watch.firing(fault.alert, fault.severity), FIRES):
                return _failed(fault, f"{fault.alert} ({fault.severity}) did not fire in {FIRES} s", story)
            fired = time.monotonic() - begun
            story.tell(fault.name, f"{fault.alert} fires ({fault.severity}), after {fired:.0f} s")
            return _recovered(fault, fired, watch, variables, story)
    except LeftOutError as reason:
        story.tell(fault.name, f"left out: {reason}")
        return Practised(fault, LEFT_OUT, str(reason))


def _recovered(fault: Fault, fired: float, watch: Watch, variables: dict[str, str], story: Story) -> Practised:
    page = commands(fault.alert, pages([fault.alert])[fault.alert])
    checks = [execute(command, variables) for command in page if command.kind == CHECK]
    broken = [outcome for outcome in checks if outcome.status]
    story.tell(fault.name, f"{len(checks)} checks of the runbook, {len(broken)} failed")
    if broken:
        return _failed(fault, describe(broken[0]), story, fired)
    begun = time.monotonic()
    for command in (command for command in page if command.kind == FIX):
        story.tell(fault.name, f"fix of line {command.line}: {command.text.splitlines()[0]:.40}")
        outcome = execute(command, variables)
        if outcome.status:
            story.tell(fault.name, describe(outcome))
        elif _until(lambda: not watch.firing(fault.alert, fault.severity), ENDS):
            ended = time.monotonic() - begun
            story.tell(fault.name, f"{fault.alert} has ended, {ended:.0f} s after the fix began")
            return Practised(fault, OK, f"fixed by line {command.line} of the runbook", fired, ended)
        story.tell(fault.name, "that did not help")
    return _failed(fault, f"no fix of docs/runbooks/{fault.alert}.md ends {fault.alert}", story, fired)


def _failed(fault: Fault, why: str, story: Story, fired: float | None = None) -> Practised:
    story.tell(fault.name, f"{FAILED}: {why}")
    return Practised(fault, FAILED, why.splitlines()[0], fired)


def _until(true: Callable[[], bool], seconds: float) -> bool:
    late = time.monotonic() + seconds
    while not true():
        if time.monotonic() > late:
            return False
        time.sleep(0.25)
    return True


def render(found: list[Practised]) -> str:
    """Lay the results out, a line a fault."""
    lines = [f"\n{'fault':<8} {'alert':<17} {'fired after':>11} {'ended after':>11}  result"]
    for each in found:
        fired, ended = (f"{seconds:.0f} s" if seconds is not None else "-" for seconds in (each.fired, each.ended))
        lines.append(f"{each.fault.name:<8} {each.fault.alert:<17} {fired:>11} {ended:>11}  {each.result}")
    lines += [f"{each.fault.name}: {each.said}" for each in found if each.result != OK]
    return "\n".join(lines)


def drill(names: list[str]) -> bool:
    """Serve, watch, and practise what is named; returns whether all went as it should."""
    contract, params = load()
    rows = pd.read_parquet(TRAIN)
    rows = rows.sample(min(ROWS, len(rows)), random_state=1)
    folder, story = Path(tempfile.mkdtemp(dir=STORE)), Story()
    with (
        supervised(folder) as service,
        watching(folder / "prometheus", team.package(), f"127.0.0.1:{service.port}") as watch,
    ):
        hold = folder / "hold"
        variables = environment(service.url, watch.url) | {"RESTART": service.restart, "HOLD_FEED": f"touch '{hold}'"}
        variables.pop("SERVICE_TOKEN", None)
        scene = Scene(contract, params, rows, service, hold)
        with feed(service.url, examples(contract, rows)):
            story.tell("all", f"the service answers at {service.url}")
            story.tell("all", f"Prometheus watches it at {watch.url}")
            story.tell("all", f"a minute takes {60 / FASTER:g} s here; {WARM} s of healthy traffic first")
            time.sleep(WARM)
            checked = _checked(variables, story) if CHECKS in names else True
            found = [practise(fault, scene, watch, variables, story) for fault in FAULTS if fault.name in names]
    if found:
        print(render(found))
    return checked and all(each.result != FAILED for each in found)


def _checked(variables: dict[str, str], story: Story) -> bool:
    outcomes = perform(CHECK, [], variables)
    failed = sum(outcome.status != 0 for outcome in outcomes)
    story.tell(CHECKS, f"{len(outcomes)} checks of all runbooks, {failed} failed")
    return not failed


def copied(folder: Path) -> Path:
    """Copy this repository; what git and DVC never change in place is linked."""

    def copy(old: str, new: str) -> None:
        kept = "/.git/objects/" in old or "/.dvc/cache/" in old
        try:
            (os.link if kept else shutil.copy2)(old, new)
        except OSError:
            shutil.copy2(old, new)

    ignored = shutil.ignore_patterns(*LEFT)
    shutil.copytree(Path.cwd(), folder, symlinks=True, ignore=ignored, copy_function=copy)
    return folder


def main(only: str = "", *, here: bool = False) -> int:
    """Copy the repository and practise in the copy (`here` is that copy); return 1 if something fails."""
    every = [CHECKS, *(fault.name for fault in FAULTS)]
    names = only.split(",") if only else every
    if unknown := set(names) - {*every}:
        raise DataError(f"--only: there is no {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    if not (STORE / "bentos" / team.package() / "latest").exists():
        raise DataError("there is no Bento yet: `make package` makes it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if here:
        return 0 if drill(names) else 1
    with tempfile.TemporaryDirectory(prefix="drill-", ignore_cleanup_errors=True) as folder:
        copy = copied(Path(folder).resolve() / Path.cwd().name)
        words = [sys.executable, "-m", "mlproduct", "drill", "--here", "--only", ",".join(names)]
        # The environment of this repository: `VENV ?=` of the Makefile takes it from here.
        variables = {"VENV": str(Path(sys.executable).parents[1])}
        process = subprocess.Popen(words, cwd=copy, env={**os.environ, **variables})
        try:
            return process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
