"""Store records run by run in SQLite: for trends, and to continue an interrupted run."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import UserError
from .record import Record

FILE = "fleet.db"
_FORMAT = 1
_TABLES = """
CREATE TABLE runs (id TEXT PRIMARY KEY, begun TEXT NOT NULL, newest TEXT NOT NULL, expected INTEGER NOT NULL);
CREATE TABLE facts (id INTEGER PRIMARY KEY, row TEXT NOT NULL UNIQUE);
CREATE TABLE results (run TEXT NOT NULL REFERENCES runs, name TEXT NOT NULL, fact INTEGER NOT NULL REFERENCES facts,
                      PRIMARY KEY (run, name)) WITHOUT ROWID;
CREATE TABLE updates (name TEXT NOT NULL, version TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (name, version));
"""


@dataclass(frozen=True)
class Run:
    """One look at the fleet.

    Attributes
    ----------
    id : str
        The moment it was begun, or what the operator calls it.
    begun : str
        The moment.
    newest : str
        The newest version of the standard then.
    expected : int
        How many repositories there were to look at.
    """

    id: str
    begun: str
    newest: str
    expected: int


class Store:
    """The results of a fleet in one file.

    Parameters
    ----------
    connection : sqlite3.Connection
        To the file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def begin(self, run: Run) -> None:
        """Begin a run; the shards of one run share it."""
        with self._db:
            self._db.execute(
                "INSERT INTO runs VALUES (:id, :begun, :newest, :expected) ON CONFLICT (id) DO UPDATE SET "
                "begun = min(begun, excluded.begun), newest = max(newest, excluded.newest)",
                asdict(run),
            )

    def keep(self, run: Run, name: str, record: Record) -> None:
        """Store the record of a repository."""
        text = json.dumps(asdict(record), sort_keys=True)
        with self._db:
            self._db.execute("INSERT OR IGNORE INTO facts (row) VALUES (?)", (text,))
            self._db.execute(
                "INSERT OR REPLACE INTO results SELECT ?, ?, id FROM facts WHERE row = ?", (run.id, name, text)
            )

    def runs(self) -> list[Run]:
        """Return the runs, oldest first."""
        return [Run(*fields) for fields in self._db.execute("SELECT * FROM runs ORDER BY begun, id")]

    def records(self, run: Run) -> dict[str, Record]:
        """Return what a run found, by name."""
        words = "SELECT name, row FROM results JOIN facts ON fact = facts.id WHERE run = ? ORDER BY name"
        return {name: Record.from_dict(json.loads(text)) for name, text in self._db.execute(words, (run.id,))}

    def unfinished(self) -> Run | None:
        """Return the newest run, if it was interrupted."""
        found = self.runs()[-1:]
        return next((run for run in found if self._count(run) < run.expected), None)

    def _count(self, run: Run) -> int:
        return int(self._db.execute("SELECT count(*) FROM results WHERE run = ?", (run.id,)).fetchone()[0])

    def latest(self) -> dict[str, Record]:
        """Return the newest record of each repository."""
        # SQLite takes the other columns from the line that has the maximum.
        words = (
            "SELECT name, row, max(begun) FROM results JOIN runs ON run = runs.id JOIN facts ON fact = facts.id "
            "GROUP BY name"
        )
        return {name: Record.from_dict(json.loads(text)) for name, text, _ in self._db.execute(words)}

    def finish(self, run: Run) -> None:
        """Mark a run as complete, whatever the list of repositories is by now."""
        with self._db:
            self._db.execute("UPDATE runs SET expected = ? WHERE id = ?", (self._count(run), run.id))

    def updated(self, name: str, version: str, state: str) -> None:
        """Store the result of an update."""
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO updates VALUES (?, ?, ?)", (name, version, state))

    def updates(self, version: str) -> dict[str, str]:
        """Return what became of the updates to a version, by name."""
        return dict(self._db.execute("SELECT name, state FROM updates WHERE version = ? ORDER BY name", (version,)))

    def take(self, other: "Store") -> None:
        """Merge another store into this one; where both have a record, the other's wins."""
        for run in other.runs():
            self.begin(run)
            for name, record in other.records(run).items():
                self.keep(run, name, record)
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO updates VALUES (?, ?, ?)", other.all_updates())

    def all_updates(self) -> list[tuple[str, str, str]]:
        """Return what became of each update: name, version, state."""
        return list(self._db.execute("SELECT name, version, state FROM updates ORDER BY name, version"))


@contextmanager
def opened(file: Path | None, *, new: bool = True) -> Iterator[Store]:
    """Open a store, and create it if it does not exist.

    Parameters
    ----------
    file : Path, optional
        The file; None for one that lasts as long as the block.
    new : bool
        Whether it may be made.

    Yields
    ------
    Store
        Closed at the end of the block.

    Raises
    ------
    UserError
        If the file is something else.
    """
    if file is not None and not new and not file.is_file():
        raise UserError(f"there is no {file}; `mlscaffold fleet status` writes it")
    try:
        connection = sqlite3.connect(file or ":memory:", timeout=30)
        try:
            _prepare(connection, file)
            yield Store(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise UserError(f"{file} cannot be used ({error}); name another with --db") from error


def _prepare(connection: sqlite3.Connection, file: Path | None) -> None:
    # Each record is kept when it is there; waiting for the disk a thousand times would take longer than the look.
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > _FORMAT:
        raise UserError(f"{file} was written by a newer mlscaffold; use that one")
    if found == _FORMAT:
        return
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise UserError(f"{file} holds something else than a fleet; name another with --db")
    connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT;")
