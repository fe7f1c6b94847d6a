"""Practise: break the packaged service in a copy of this repository, see the alert, run its runbook, see it end.

Real parts on loopback: the service, Prometheus with the rules of deploy/prometheus, callers with rows of the train set.
Only time is not real: every window of the rules is shorter by the same factor.
"""

import argparse
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

from ..answering.request import examples
from ..artifacts import PACKAGE
from ..columns import DataError, run
from ..operating.runbooks import CHECK, FIX, commands, environment, execute, pages, perform, told
from ..params import load
from ..prepare import TRAIN
from ..shipping.store import STORE
from .faults import FAULTS, Fault, LeftOutError, Scene
from .supervised import supervised
from .traffic import feed
from .watch import FASTER, Watch, watching

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

    def tell(self, who: str, what: str) -> None:
        """Print a line of the timeline."""
        print(f"{time.monotonic() - self.begun:6.1f} s  {who:<8} {what}", flush=True)


def practise(fault: Fault, scene: Scene, watch: Watch, seen: dict[str, str], story: Story) -> Practised:
    """Inject a fault, wait for its alert, go through its runbook until the alert ends.

    Parameters
    ----------
    seen : dict of str to str
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
            return _mended(fault, fired, watch, seen, story)
    except LeftOutError as reason:
        story.tell(fault.name, f"left out: {reason}")
        return Practised(fault, LEFT_OUT, str(reason))


def _mended(fault: Fault, fired: float, watch: Watch, seen: dict[str, str], story: Story) -> Practised:
    page = commands(fault.alert, pages([fault.alert])[fault.alert])
    checks = [execute(command, seen) for command in page if command.kind == CHECK]
    broken = [outcome for outcome in checks if outcome.status]
    story.tell(fault.name, f"{len(checks)} checks of the runbook, {len(broken)} failed")
    if broken:
        return _failed(fault, told(broken[0]), story, fired)
    begun = time.monotonic()
    for command in (command for command in page if command.kind == FIX):
        story.tell(fault.name, f"fix of line {command.line}: {command.text.splitlines()[0]:.40}")
        outcome = execute(command, seen)
        if outcome.status:
            story.tell(fault.name, told(outcome))
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


def laid_out(found: list[Practised]) -> str:
    """Lay the results out, a line a fault."""
    lines = [f"\n{'fault':<8} {'alert':<17} {'fired after':>11} {'ended after':>11}  result"]
    for each in found:
        fired, ended = (f"{seconds:.0f} s" if seconds is not None else "-" for seconds in (each.fired, each.ended))
        lines.append(f"{each.fault.name:<8} {each.fault.alert:<17} {fired:>11} {ended:>11}  {each.result}")
    lines += [f"{each.fault.name}: {each.said}" for each in found if each.result != OK]
    return "\n".join(lines)


def drill(names: list[str]) -> bool:
    """Serve, watch, and practise what is named; gives whether all went as it should."""
    contract, params = load()
    rows = pd.read_parquet(TRAIN)
    rows = rows.sample(min(ROWS, len(rows)), random_state=1)
    here, story = Path(tempfile.mkdtemp(dir=STORE)), Story()
    with supervised(here) as service, watching(here / "prometheus", PACKAGE, f"127.0.0.1:{service.port}") as watch:
        hold = here / "hold"
        seen = environment(service.url, watch.url) | {"RESTART": service.restart, "HOLD_FEED": f"touch '{hold}'"}
        seen.pop("SERVICE_TOKEN", None)
        scene = Scene(contract, params, rows, service, hold)
        with feed(service.url, examples(contract, rows)):
            story.tell("all", f"the service answers at {service.url}")
            story.tell("all", f"Prometheus watches it at {watch.url}")
            story.tell("all", f"a minute takes {60 / FASTER:g} s here; {WARM} s of healthy traffic first")
            time.sleep(WARM)
            checked = _checked(seen, story) if CHECKS in names else True
            found = [practise(fault, scene, watch, seen, story) for fault in FAULTS if fault.name in names]
    if found:
        print(laid_out(found))
    return checked and all(each.result != FAILED for each in found)


def _checked(seen: dict[str, str], story: Story) -> bool:
    outcomes = perform(CHECK, [], seen)
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


def main() -> None:
    """Copy the repository, and practise in the copy."""
    parser = argparse.ArgumentParser(prog=f"{__package__}.drill", description=__doc__)
    every = [CHECKS, *(fault.name for fault in FAULTS)]
    parser.add_argument("--only", default=",".join(every), help=f"some of {','.join(every)}")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # this is the copy
    asked = parser.parse_args()
    names = asked.only.split(",")
    if unknown := set(names) - {*every}:
        raise DataError(f"--only: there is no {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    if not (STORE / "bentos" / PACKAGE / "latest").exists():
        raise DataError("there is no Bento yet: `make package` makes it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if asked.here:
        sys.exit(0 if drill(names) else 1)
    with tempfile.TemporaryDirectory(prefix="drill-", ignore_cleanup_errors=True) as folder:
        copy = copied(Path(folder).resolve() / Path.cwd().name)
        words = [sys.executable, "-m", f"{__package__}.drill", "--here", "--only", asked.only]
        # The code of the copy, in the environment of this repository: `VENV ?=` of the Makefile takes it from here.
        variables = {"PYTHONPATH": str(copy / "src"), "VENV": str(Path(sys.executable).parents[1])}
        process = subprocess.Popen(words, cwd=copy, env={**os.environ, **variables})
        try:
            sys.exit(process.wait())
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    run(main)
