"""What was found is kept once, run by run, and shards come together."""

import sqlite3
from pathlib import Path

import pytest

from mlscaffold.errors import UserError
from mlscaffold.fleet.matrix import merge
from mlscaffold.fleet.record import Record, clean, good_enough, worst_first
from mlscaffold.fleet.store import Run, opened

FIRST, SECOND = Run("first", "2026-11-01", "v0.4.0", 2), Run("second", "2026-11-02", "v0.5.0", 2)


def test_the_newest_row_of_each_is_the_one_of_the_newest_run(tmp_path: Path) -> None:
    with opened(tmp_path / "fleet.db") as store:
        for run, score in ((SECOND, 90), (FIRST, 10)):
            store.begin(run)
            store.keep(run, "a", Record(score=score))
        store.keep(FIRST, "b", Record(score=50))
        assert {name: row.score for name, row in store.latest().items()} == {"a": 90, "b": 50}
        assert [run.id for run in store.runs()] == ["first", "second"]


def test_a_run_is_unfinished_until_all_are_there_or_it_is_finished() -> None:
    with opened(None) as store:
        assert store.unfinished() is None
        store.begin(FIRST)
        store.keep(FIRST, "a", Record())
        assert store.unfinished() == FIRST
        store.finish(FIRST)
        assert store.unfinished() is None


def test_rows_that_say_the_same_are_kept_once(tmp_path: Path) -> None:
    with opened(tmp_path / "fleet.db") as store:
        for run in (FIRST, SECOND):
            store.begin(run)
            store.keep(run, "a", Record(score=1))
            store.keep(run, "a", Record(score=1))
    with sqlite3.connect(tmp_path / "fleet.db") as db:
        assert db.execute("SELECT (SELECT count(*) FROM facts), (SELECT count(*) FROM results)").fetchone() == (1, 2)


def test_shards_come_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with opened(tmp_path / f"{name}.db") as store:
            store.begin(Run("look", f"2026-11-0{1 + (name == 'b')}", "v0.5.0", 2))
            store.keep(Run("look", "", "", 2), name, Record(score=ord(name)))
            store.updated(name, "v0.5.0", "proposed")
    with opened(None) as whole:
        merge((tmp_path / "b.db", tmp_path / "a.db"), whole)
        (run,) = whole.runs()
        assert run == Run("look", "2026-11-01", "v0.5.0", 2)  # it began with its first shard
        assert {name: row.score for name, row in whole.records(run).items()} == {"a": 97, "b": 98}
        assert whole.updates("v0.5.0") == {"a": "proposed", "b": "proposed"}
        assert whole.unfinished() is None


def test_a_row_of_another_version_is_read_as_far_as_it_is_known() -> None:
    assert Record.from_dict({"score": 3, "what comes one day": 1}) == Record(score=3)


def test_a_store_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be used"), opened(tmp_path / "nowhere" / "fleet.db"):
        pass


def test_what_cannot_be_shown_is_escaped() -> None:
    assert clean("a\nb\x1b[31m\u202e\udcff") == "a\\x0ab\\x1b[31m\\x202e\\xdcff"
    assert clean("x" * 500) == "x" * 300 + "..."


def test_good_enough_and_worst_first() -> None:
    rows = {
        "fine": Record(score=100, good=True), "poor": Record(score=40, good=True), "severe": Record(score=90),
        "none": Record(), "unread": Record(error="is not there"), "behind": Record(score=100, good=True, behind=2),
    }  # fmt: skip
    assert [name for name, _ in worst_first(rows)] == ["unread", "none", "severe", "poor", "behind", "fine"]
    assert [name for name, row in rows.items() if good_enough(row, None)] == ["fine", "poor", "behind"]
    assert [name for name, row in rows.items() if good_enough(row, 90)] == ["fine", "severe", "behind"]
