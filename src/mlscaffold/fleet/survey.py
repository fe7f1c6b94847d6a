"""Read every repository of a fleet, and store the records."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from ..errors import UserError
from .clones import mirror, secrets_of
from .conflicts import predicted
from .listing import Entry, without_secrets
from .record import Record, clean
from .running import Failed, Pace, run
from .standard import Standard
from .status import status
from .store import Run, Store


@dataclass(frozen=True)
class Look:
    """What every worker gets.

    Attributes
    ----------
    standard : Standard
        What the repositories are checked against.
    cache : Path
        Where clones of repositories are kept that are elsewhere.
    today : date
        For waivers.
    conflicts : bool
        Whether to try each update and name the files that conflict.
    """

    standard: Standard
    cache: Path
    today: date
    conflicts: bool = False


def begin(store: Store, standard: Standard, count: int, name: str | None, *, again: bool) -> Run:
    """Start a survey of a fleet, or continue one that was interrupted.

    Parameters
    ----------
    store : Store
        Where it is kept.
    standard : Standard
        What the repositories are checked against.
    count : int
        How many there are.
    name : str, optional
        What the run is called; the shards of one look share it.
    again : bool
        Begin a new one all the same.

    Returns
    -------
    Run
        The run; what it has found before, the store knows.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    cut_off = None if again or name else store.unfinished()
    started = cut_off or Run(clean(name or now, 80), now, standard.newest, count)
    store.begin(started)
    return started


def survey(
    entries: tuple[Entry, ...], look: Look, store: Store, started: Run, pace: Pace
) -> Iterator[tuple[str, Record]]:
    """Read repositories, and store and yield each record as soon as it is there.

    Parameters
    ----------
    entries : tuple of Entry
        The repositories.
    look : Look
        What to look for.
    store : Store
        Where records are kept; those that this run has already are not read again.
    started : Run
        The run.
    pace : Pace
        How many at once.

    Yields
    ------
    name, record
        First what the run had; then each, as it comes.
    """
    done = {name: record for name, record in store.records(started).items() if not _lacks_conflicts(look, record)}
    latest = store.latest()
    yield from ((entry.name, done[entry.name]) for entry in entries if entry.name in done)
    jobs = [(entry, latest.get(entry.name)) for entry in entries if entry.name not in done]
    for (entry, _), found in run(_one, look, jobs, pace):
        record = Record(error=reason(entry, found.reason)) if isinstance(found, Failed) else found
        store.keep(started, entry.name, record)
        yield entry.name, record


def reason(entry: Entry, text: str) -> str:
    """Return why something failed, as it may be kept: without secrets, on one line."""
    for secret, shown in secrets_of(entry).items():
        text = text.replace(secret, shown)
    return clean(without_secrets(" ".join(text.split())))


def _one(look: Look, job: tuple[Entry, Record | None]) -> Record:
    entry, previous = job
    folder = place(entry, look.cache)
    record = status(folder, look.standard, previous, look.today)
    if _lacks_conflicts(look, record):
        return replace(record, conflicts=predicted(folder, record.commit, look.standard))
    return record


def _lacks_conflicts(look: Look, record: Record) -> bool:
    return look.conflicts and bool(record.behind) and record.conflicts is None


def place(entry: Entry, cache: Path) -> Path:
    """Return where a repository can be read; one that is elsewhere is fetched."""
    if entry.wrong:
        raise UserError(entry.wrong)
    if entry.path is not None:
        return entry.path
    return mirror(entry, cache)
