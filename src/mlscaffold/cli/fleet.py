"""`mlscaffold fleet`: many repositories at once."""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import show
from ..errors import UserError
from .options import Debug

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..fleet.listing import Entry, Fleet
    from ..fleet.record import Record
    from ..fleet.running import Pace
    from ..fleet.standard import Standard
    from ..fleet.store import Store
    from ..fleet.survey import Look
    from ..fleet.updating import Done, Order, Waves

EXAMPLE = "Example: mlscaffold fleet status && mlscaffold fleet report --output fleet.html"
STATUS = "Example: mlscaffold fleet status --file fleet.toml"
CHECK = "Example: mlscaffold fleet check --fail-under 80"
UPDATE = "Example: mlscaffold fleet update --canary 3 --only-clean"
REPORT = "Example: mlscaffold fleet report --output fleet.html"
MATRIX = "Example: mlscaffold fleet matrix --shards 4"

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=EXAMPLE,
    help="Show the status of many repositories, and update them to the newest standard.",
)

File = Annotated[Path, typer.Option("--file", help="The list of the repositories.", metavar="FILE")]
Db = Annotated[Path, typer.Option("--db", help="Database of the results.", metavar="FILE")]
Jobs = Annotated[
    int | None, typer.Option(min=1, max=256, help="Repositories at a time; one a core if left out.", metavar="N")
]
Seconds = Annotated[float, typer.Option("--timeout", min=1, help="Time limit for one repository.", metavar="SECONDS")]
Cache = Annotated[
    Path | None, typer.Option(help="Where clones are kept; your cache folder if left out.", metavar="DIR")
]
Shard = Annotated[str | None, typer.Option(help="Only this part of the fleet; with --run.", metavar="I/N")]
Name = Annotated[
    str | None, typer.Option("--run", help="The name that the shards of one survey share.", metavar="NAME")
]
Again = Annotated[bool, typer.Option("--again", help="Start again instead of continuing an interrupted survey.")]
Conflicts = Annotated[
    bool, typer.Option("--conflicts", help="Try each update and list its conflicts; takes seconds a repository.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LIST, STORE = Path("fleet.toml"), Path("fleet.db")


def _pace(jobs: int | None, timeout: float) -> "Pace":
    import os

    from ..fleet.running import Pace

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Pace(jobs or cores, timeout)


@contextmanager
def _fleet(file: Path, db: Path) -> "Iterator[tuple[Fleet, Standard, Store]]":
    from ..fleet.listing import load
    from ..fleet.standard import standard
    from ..fleet.store import opened

    listed = load(file)
    with opened(db) as store, standard(listed.template) as followed:
        yield listed, followed, store


def _cache(cache: Path | None) -> Path:
    from platformdirs import user_cache_path

    return cache or user_cache_path("mlscaffold") / "fleet"


def _looked_at(
    opened: "tuple[Fleet, Standard, Store]", pace: "Pace", look: "Look", entries: "tuple[Entry, ...]", named: "Named"
) -> "dict[str, Record]":
    from ..fleet.survey import begin, survey

    listed, standard, store = opened
    started = begin(store, standard, len(listed.entries), named.run, again=named.again)
    with show.progress("Looking at repositories", len(entries)) as advance:
        found = {}
        for name, record in survey(entries, look, store, started, pace):
            found[name] = record
            advance(name, record.error)
    if named.shard is None:
        store.finish(started)
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Named:
    """Which look it is, and which part of the fleet."""

    shard: str | None = None
    run: str | None = None
    again: bool = False


def _look(standard: "Standard", cache: Path | None, *, conflicts: bool = False) -> "Look":
    from datetime import UTC, datetime

    from ..fleet.survey import Look

    return Look(standard, _cache(cache), datetime.now(UTC).date(), conflicts)


def _records(
    file: Path, db: Path, pace: "Pace", cache: Path | None, named: Named, *, conflicts: bool = False
) -> "dict[str, Record]":
    from ..fleet.listing import sharded

    if (named.shard is None) != (named.run is None):
        raise UserError("--shard and --run go together; `mlscaffold fleet matrix` gives both")
    with _fleet(file, db) as opened:
        entries = opened[0].entries if named.shard is None else sharded(opened[0].entries, named.shard)
        return _looked_at(opened, pace, _look(opened[1], cache, conflicts=conflicts), entries, named)


@app.command(epilog=STATUS)
def status(  # noqa: PLR0913 - one parameter an option
    *,
    file: File = LIST,
    db: Db = STORE,
    jobs: Jobs = None,
    timeout: Seconds = 60,
    cache: Cache = None,
    conflicts: Conflicts = False,
    shard: Shard = None,
    run: Name = None,
    again: Again = False,
    json: Json = False,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Show the status of every repository.

    Version, score, changed files and last verdict of each, worst first. Reads the last commit and runs no code of a
    repository. Exit code 1: a repository could not be read.
    """
    records = _records(file, db, _pace(jobs, timeout), cache, Named(shard, run, again), conflicts=conflicts)
    show.fleet_status(records, as_json=json)
    raise typer.Exit(1 if any(record.error for record in records.values()) else 0)


@app.command(epilog=CHECK)
def check(  # noqa: PLR0913 - one parameter an option
    *,
    file: File = LIST,
    db: Db = STORE,
    jobs: Jobs = None,
    timeout: Seconds = 60,
    cache: Cache = None,
    fail_under: Annotated[
        float | None, typer.Option(min=0, max=100, help="The score that each needs.", metavar="SCORE")
    ] = None,
    shard: Shard = None,
    run: Name = None,
    again: Again = False,
    json: Json = False,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Check every repository.

    Which checks fail, and where. Exit code 1: a repository is under --fail-under, or without that fails a check of
    high severity, or could not be read.
    """
    from ..fleet.record import good_enough

    records = _records(file, db, _pace(jobs, timeout), cache, Named(shard, run, again))
    short = [name for name, record in records.items() if not good_enough(record, fail_under)]
    show.fleet_check(records, short, as_json=json)
    raise typer.Exit(1 if short else 0)


@app.command(epilog=UPDATE)
def update(  # noqa: PLR0913 - one parameter an option
    *,
    file: File = LIST,
    db: Db = STORE,
    jobs: Jobs = None,
    timeout: Seconds = 3600,
    cache: Cache = None,
    canary: Annotated[
        int, typer.Option(min=0, help="This many first; the others only if their checks pass.", metavar="N")
    ] = 0,
    only_clean: Annotated[
        bool, typer.Option("--only-clean", help="Skip repositories whose update needs manual work.")
    ] = False,
    pull_requests: Annotated[
        bool, typer.Option("--pull-requests", help="Push each branch and open its request, by gh or glab.")
    ] = False,
    no_checks: Annotated[
        bool, typer.Option("--no-checks", help="Run no checks on the branches, so no code of any repository.")
    ] = False,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Update every repository that is behind, on a branch.

    Runs each one's own `make lint` and `make test` there. Exit code 1: a repository was not updated, or its checks
    failed.
    """
    from dataclasses import replace

    from ..fleet.updating import GOOD, Order, waves
    from ..update.branch import CHECKS

    if canary and no_checks:
        raise UserError("--canary and --no-checks do not go together: it is the checks that let the others follow")
    with _fleet(file, db) as opened:
        listed, standard, store = opened
        records = _looked_at(opened, _pace(jobs, 60), _look(standard, cache), listed.entries, Named())
        behind = tuple(entry for entry in listed.entries if records[entry.name].behind)
        checks = () if no_checks else CHECKS if listed.checks is None else listed.checks
        order = Order(standard, _cache(cache), checks, only_clean, pull_requests)
        turns = waves(behind, store, standard.newest, canary)
        done = _updated(turns, order, store, replace(_pace(jobs, timeout), memory=None), followed=bool(canary))
    show.fleet_update(done, [name for name, record in records.items() if record.error], turns, standard.newest)
    whole = len(done) + len(turns.done) == len(behind) and all(each.state in GOOD for each in done.values())
    raise typer.Exit(0 if whole else 1)


def _updated(turns: "Waves", order: "Order", store: "Store", pace: "Pace", *, followed: bool) -> "dict[str, Done]":
    from ..fleet import updating

    done: dict[str, Done] = {}
    for number, wave in enumerate((turns.canary, turns.rest)):
        if number and followed and not updating.sound(list(done.values()), turns):
            break
        with show.progress("Updating repositories", len(wave)) as advance:
            for name, each in updating.update(wave, order, store, pace):
                done[name] = each
                advance(name, "" if each.state in updating.GOOD else f"{each.state}: {each.about}")
    return done


@app.command(epilog=REPORT)
def report(
    stores: Annotated[
        list[Path] | None, typer.Argument(help="Stores of shards, shown as one.", metavar="[DB]...")
    ] = None,
    *,
    db: Db = STORE,
    output: Annotated[Path, typer.Option(help="The page.", metavar="FILE")] = Path("fleet.html"),
    merged: Annotated[
        Path | None, typer.Option("--merge-into", help="Keep what the stores hold in this one, too.", metavar="DB")
    ] = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Write one page about the fleet.

    Adoption over time, where each standard stands, every repository. It needs nothing else and works offline.
    """
    from ..fleet.matrix import merge
    from ..fleet.report import render
    from ..fleet.store import opened

    with opened(merged) as store:
        merge(tuple(stores or [db]), store)
        show.written(output, render(store))


@app.command(epilog=MATRIX)
def matrix(
    *,
    shards: Annotated[int, typer.Option(min=1, max=256, help="How many.", metavar="N")],
    run: Name = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Print the shards of a fleet for a CI matrix.

    Each job then runs `mlscaffold fleet status --shard ... --run ...`, and `mlscaffold fleet report DB DB ...` makes
    one page of what they found.
    """
    from ..fleet.matrix import matrix as shards_of

    show.document(shards_of(shards, run), lines=False)
