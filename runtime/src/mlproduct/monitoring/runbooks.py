"""The commands of docs/runbooks and docs/on-call.md, run: `check` on a live service, `fix` of a page by its name."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mlproduct.errors import DataError

FOLDER, HANDOVER = Path("docs/runbooks"), Path("docs/on-call.md")
SETTINGS = Path("deploy/on-call.env")
CHECK, FIX, MANUAL = "check", "fix", "manual"
FENCE = re.compile(r"^(?P<ticks>```+)(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=ticks)[ \t]*$", re.MULTILINE | re.DOTALL)
PATIENCE = 600  # seconds until a command that does not end has failed
OF_MAKE = ("ARGS", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS")
SHOWN = 12  # lines of what a failed command said


@dataclass(frozen=True)
class Command:
    """A fenced block of a runbook.

    Attributes
    ----------
    page : str
        Name of the runbook, without its ending.
    line : int
        Where the block begins, counted from 1.
    kind : str
        `check`: exits 0 against a live service; `fix`: fixes the cause of the alert; `manual`: only a person can.
    reason : str
        Why only a person can.
    text : str
        Of the shell.
    """

    page: str
    line: int
    kind: str
    reason: str
    text: str


@dataclass(frozen=True)
class Outcome:
    """What came of a command."""

    command: Command
    status: int
    said: str


def commands(page: str, text: str) -> list[Command]:
    """Find the fenced blocks of a page.

    Raises
    ------
    DataError
        If a block does not say what it is: `bash check`, `bash fix`, or `bash manual: why`.
    """
    found = []
    for block in FENCE.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        match = re.fullmatch(r"bash (?:(check|fix)|(manual): *(\S.*?))\s*", block["info"])
        if match is None:
            raise DataError(
                f"{page}, line {line}: {block['info']!r} is none of 'bash check', 'bash fix' and 'bash manual: why'"
            )
        found.append(Command(page, line, match[1] or match[2], match[3] or "", block["body"].strip()))
    return found


def pages(names: list[str] | None = None) -> dict[str, str]:
    """Read runbooks, all of them and the hand-over page by default.

    Raises
    ------
    DataError
        If one is not there.
    """
    found = {path.stem: path for path in [*sorted(FOLDER.glob("*.md")), HANDOVER] if path.exists()}
    if unknown := [name for name in names or [] if name not in found]:
        raise DataError(f"there is no runbook {', '.join(unknown)}; there are {', '.join(found)}")
    return {name: found[name].read_text(encoding="utf-8") for name in names or found}


def execute(command: Command, environment: dict[str, str]) -> Outcome:
    """Run a block as a whole: it fails at its first command that does, also inside of a pipe."""
    settings = f". {SETTINGS}\n" if SETTINGS.exists() else ""
    words = ["bash", "-euo", "pipefail", "-c", settings + command.text]
    try:
        done = subprocess.run(
            words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Outcome(command, 124, f"did not end in {PATIENCE} seconds")
    return Outcome(command, done.returncode, done.stdout)


def environment(url: str, prometheus: str) -> dict[str, str]:
    """Return what the commands see: the addresses, and the Python of this environment first.

    What a `make` that called us was told (`ARGS=...`) is not for the `make` of a runbook.
    """
    kept = {name: text for name, text in os.environ.items() if name not in OF_MAKE}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return {**kept, "PATH": path, **{k: v for k, v in (("URL", url), ("PROMETHEUS", prometheus)) if v}}


def describe(outcome: Outcome) -> str:
    """Say what came of a command; of a failed one, also what it said."""
    command = outcome.command
    first, *more = [line for line in command.text.splitlines() if not line.startswith("#")]
    head = f"{'ok    ' if outcome.status == 0 else 'FAILED'} {command.page}:{command.line}  {first[:90]}"
    head += f"  (and {len(more)} more)" if more else ""
    if outcome.status == 0:
        return head
    lines = outcome.said.strip().splitlines()[-SHOWN:]
    return "\n".join([head, f"       exit status {outcome.status}", *(f"       {line}" for line in lines)])


def perform(kind: str, names: list[str], variables: dict[str, str]) -> list[Outcome]:
    """Run the commands of a kind, page by page, and print each with what came of it."""
    outcomes = []
    for page, text in pages(names).items():
        for command in commands(page, text):
            if command.kind == kind:
                outcomes.append(execute(command, variables))
                print(describe(outcomes[-1]), flush=True)
    return outcomes


def main(kind: str, names: list[str], url: str, prometheus: str) -> int:
    """Run or list commands of the runbooks; return 1 if a command fails.

    Raises
    ------
    DataError
        If fixes are asked for without the name of a page.
    """
    if kind == MANUAL:
        for page, text in pages(names).items():
            for command in commands(page, text):
                if command.kind == MANUAL:
                    print(f"{page}:{command.line}  {command.reason}")
        return 0
    if kind == FIX and not names:
        raise DataError("name the runbook whose fix is wanted: all of them would restart, roll back and retrain")
    outcomes = perform(kind, names, environment(url, prometheus))
    failed = sum(outcome.status != 0 for outcome in outcomes)
    print(f"{len(outcomes)} commands, {failed} failed")
    return 1 if failed else 0
