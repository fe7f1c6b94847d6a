"""What every command says with; the only importer of rich."""

import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..credentials import masked
from ..errors import UserError

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = False) -> "Console":
    """Return where to print: plain text where nobody looks."""
    from rich.console import Console

    # soft_wrap is left to each line: a path that is cut in two cannot be copied.
    return Console(stderr=stderr, highlight=False, emoji=False, markup=False)


def say(text: str, *, stderr: bool = False, style: str | None = None) -> None:
    """Print one line."""
    console(stderr=stderr).print(text, style=style, soft_wrap=True)


def remark(text: str, *, style: str) -> None:
    """Print a remark to standard error: one line, broken between words where a terminal is narrow."""
    printed = console(stderr=True)
    printed.print(text, style=style, soft_wrap=not printed.is_terminal)


def notes(texts: Iterable[str]) -> None:
    """Show notes."""
    for text in texts:
        remark(masked(f"Note: {text}"), style="yellow")


def plain(text: str) -> None:
    """Print text as it is, for another program."""
    sys.stdout.write(text)
    sys.stdout.flush()


def raw(text: str) -> None:
    """Print what git printed, byte by byte: a patch may hold lines of any encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(errors="surrogateescape"))
    sys.stdout.flush()


def document(content: object, *, lines: bool = True) -> None:
    """Print JSON for another program, on one line if it wants it so."""
    import json

    plain(f"{json.dumps(content, ensure_ascii=False, indent=2 if lines else None)}\n")


def error(failure: UserError, *, debug: bool = False) -> None:
    """Show what went wrong, and how to fix it."""
    if debug:
        _trace(failure)
    say(masked(f"Error: {failure}"), stderr=True, style="bold red")


def bug(failure: BaseException, *, debug: bool) -> None:
    """Own up to a failure that is not the user's."""
    if debug:
        _trace(failure)
    text = f"Error: mlscaffold failed, which is a bug in it ({type(failure).__name__}: {failure})"
    say(masked(text), stderr=True, style="bold red")
    if not debug:
        say("Run it again with --debug for the traceback, and report that.", stderr=True)


def interactive() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, explained: str, default: str | None) -> str:
    """Ask one question; an empty answer is the default.

    Parameters
    ----------
    question : str
        In a word or two.
    explained : str
        One line of help.
    default : str, optional
        None where there is none: the question is asked again.

    Returns
    -------
    str
        The answer.
    """
    say(explained, stderr=True, style="dim")
    suffix = f" [{default or 'none'}]" if default is not None else ""
    while True:
        sys.stderr.write(f"{question}{suffix}: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise UserError(f"no answer to {question!r}; give it as an option, or use --defaults")
        if line.strip() or default is not None:
            return line.strip() or default or ""


def near(path: Path) -> str:
    """Return a path as one would type it here."""
    inside = path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)
    return f"'{inside}'" if " " in inside else inside


def wrapped(text: str, indent: int, style: str = "dim") -> None:
    """Print a paragraph, indented, broken between words."""
    import textwrap

    for line in textwrap.wrap(text, console().width - indent, break_long_words=False, break_on_hyphens=False):
        say(" " * indent + line, style=style)


def _trace(failure: BaseException) -> None:
    sys.stderr.write(masked("".join(traceback.format_exception(failure))))
