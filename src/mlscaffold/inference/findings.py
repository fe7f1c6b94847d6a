"""What is said about a table, one line each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_LONGEST = 40


@dataclass(frozen=True)
class Finding:
    """One thing worth saying about a table.

    Attributes
    ----------
    kind : str
        What sort of thing, in one word or two, for tests and for grouping.
    text : str
        One line for people: what was found, and what to do where something can be done.
    column : str, optional
        The column it is about.
    severity : str
        `info` (what was decided) or `warning` (look at it).
    """

    kind: str
    text: str
    column: str | None = None
    severity: Literal["info", "warning"] = "info"


def warning(kind: str, text: str, column: str | None = None) -> Finding:
    """Make a finding that a person should look at."""
    return Finding(kind, text, column, "warning")


def shown(value: object) -> str:
    """Write a value on one line, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]}...{text[0]}"


def listed(values: Iterable[object], most: int = 3) -> str:
    """Write some of several values on one line."""
    some = list(values)
    return ", ".join(shown(value) for value in some[:most]) + (", ..." if len(some) > most else "")


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
