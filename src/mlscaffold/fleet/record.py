"""The record of one repository in a fleet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

# What a terminal or a page would take for a command, and what cannot be written as UTF-8.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Record:
    """One repository, at one commit.

    Attributes
    ----------
    commit : str
        The commit that was read.
    version : str
        Of the standard; empty for a repository that was not made from one.
    behind : int, optional
        How many versions of the standard are newer; None where it follows another.
    score, families : int, dict
        What `mlscaffold check` says, of 100; None where there was nothing to look at.
    good : bool
        Whether no check of high severity fails.
    failing : list of str
        Ids of the checks that fail.
    looked_at, changed, deleted : int, optional
        How many files the standard copies; how many of them differ, and are gone, though they are not the team's.
    verdict, judged : str
        What continuous evaluation came to last, and when.
    at_risk : int, optional
        Files that the team and the standard have both changed since: at most as many copied files conflict.
    conflicts : list of str, optional
        Files that conflict in an update; None where nobody asked.
    gates_off, expired : list of str
        Gates that never fail, and waivers that have run out.
    basis : str
        What all this rests on; the same basis gives the same record.
    error : str
        Why the repository could not be read; all else is empty then.
    """

    commit: str = ""
    version: str = ""
    behind: int | None = None
    score: int | None = None
    families: dict[str, int | None] = field(default_factory=dict)
    good: bool = False
    failing: list[str] = field(default_factory=list)
    looked_at: int | None = None
    changed: int | None = None
    deleted: int | None = None
    verdict: str = ""
    judged: str = ""
    at_risk: int | None = None
    conflicts: list[str] | None = None
    gates_off: list[str] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    basis: str = ""
    error: str = ""

    @property
    def different(self) -> int | None:
        """Count the files of the standard that differ."""
        return None if self.changed is None or self.deleted is None else self.changed + self.deleted

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Record":
        """Read a record that another version may have written: what this one does not know is left out."""
        names = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})


def clean(text: str, most: int = 300) -> str:
    """Return a text of a repository's so that it can be shown: one line, no control characters, not too long."""
    shown = _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return shown if len(shown) <= most else f"{shown[:most]}..."


def good_enough(record: Record, fail_under: float | None) -> bool:
    """Whether a repository reaches a score; without one, whether no check of high severity fails."""
    if record.error:
        return False
    return record.good if fail_under is None else record.score is not None and record.score >= fail_under


def worst_first(records: Mapping[str, Record]) -> list[tuple[str, Record]]:
    """Sort repositories: first the unreadable, then by failing checks, score, versions behind and differences."""
    return sorted(records.items(), key=lambda each: (_badness(each[1]), each[0]))


def _badness(record: Record) -> tuple[bool, bool, int, int, int]:
    score = -1 if record.score is None else record.score
    return (not record.error, record.good, score, -(record.behind or 0), -(record.different or 0))
