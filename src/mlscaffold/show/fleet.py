"""Output of `fleet`."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from .terminal import console, document, near, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..fleet.record import Record
    from ..fleet.updating import Done, Waves

Seen = Callable[[str, str], None]
_SHOWN = 20  # repositories that fit a screen; --json and the report have all


@contextmanager
def progress(what: str, count: int) -> Iterator[Seen]:
    """Show how far it is: a bar on a terminal, a line for each tenth elsewhere; what is wrong, at once.

    Parameters
    ----------
    what : str
        What is being done.
    count : int
        With how many.

    Yields
    ------
    callable
        Called for each: its name, and what is wrong with it.
    """
    if not count:
        yield lambda _name, _wrong: None
    elif console(stderr=True).is_terminal:
        with _bar(what, count) as advance:
            yield advance
    else:
        yield _lines(what, count)


@contextmanager
def _bar(what: str, count: int) -> Iterator[Seen]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=count)

        def seen(name: str, wrong: str) -> None:
            if wrong:
                bar.console.print(f"{name}: {wrong}", style="red", markup=False, soft_wrap=True)
            bar.advance(task)

        yield seen


def _lines(what: str, count: int) -> Seen:
    done = 0

    def seen(name: str, wrong: str) -> None:
        nonlocal done
        done += 1
        if wrong:
            say(f"{name}: {wrong}", stderr=True)
        if done == count or done * 10 // count > (done - 1) * 10 // count:
            say(f"{what}: {done} of {count}", stderr=True)

    return seen


def fleet_status(records: "Mapping[str, Record]", *, as_json: bool) -> None:
    """Show the status of repositories, worst first."""
    if as_json:
        document({name: asdict(record) for name, record in records.items()})
        return
    from ..fleet.record import worst_first

    ordered = worst_first(records)
    _summary(records)
    wide = max((len(name) for name, _ in ordered[:_SHOWN]), default=0)
    wide = max(10, min(wide, 50))
    heads = f"{'repository':{wide}}  {'version':9} behind score differ risk verdict       open"
    say(heads, style="bold")
    for name, record in ordered[:_SHOWN]:
        say(f"{_short(name, wide):{wide}}  {_line(record)}", style="red" if record.error or not record.good else None)
    if len(ordered) > _SHOWN:
        say(f"and {len(ordered) - _SHOWN} more; --json and `mlscaffold fleet report` have all", style="dim")


def _short(name: str, wide: int) -> str:
    return name if len(name) <= wide else f"...{name[3 - wide :]}"


def _line(record: "Record") -> str:
    if record.error:
        return record.error
    risk = record.at_risk if record.conflicts is None else len(record.conflicts)
    numbers = f"{_known(record.behind):>6} {_known(record.score):>5} {_known(record.different):>6} {_known(risk):>4}"
    opened = [f"{len(record.gates_off)} gate(s) off"] * bool(record.gates_off)
    opened += [f"{len(record.expired)} waiver(s) out"] * bool(record.expired)
    return f"{record.version or '-':9} {numbers} {record.verdict or '-':13} {', '.join(opened) or '-'}"


def _known(value: int | None) -> str:
    return "-" if value is None else str(value)


def _summary(records: "Mapping[str, Record]") -> None:
    read = [record for record in records.values() if not record.error]
    parts = {
        "at the newest version": sum(record.behind == 0 for record in read),
        "behind": sum(bool(record.behind) for record in read),
        "of another standard or none": sum(record.behind is None for record in read),
        "not looked at": len(records) - len(read),
    }
    summary = ", ".join(f"{count} {name}" for name, count in parts.items() if count)
    say(f"{len(records)} repositories: {summary}", style="bold")


def fleet_check(records: "Mapping[str, Record]", short: "Sequence[str]", *, as_json: bool) -> None:
    """Show which checks fail most, and which repositories are not good enough."""
    from ..checks import CHECKS

    failing = {name: [each for each, record in records.items() if name in record.failing] for name in CHECKS}
    if as_json:
        document({"short": list(short), "failing": {name: found for name, found in failing.items() if found}})
        return
    _summary(records)
    for name, found in sorted(failing.items(), key=lambda each: -len(each[1])):
        if found:
            few = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
            say(f"  {name} {CHECKS[name].title} ({CHECKS[name].severity}): {few}")
    if short:
        say(f"Not good enough: {len(short)}", style="bold red")
    for name in short[:_SHOWN]:
        result = records[name].error or f"{_known(records[name].score)} of 100"
        say(f"  {name}: {result}", style="red")


def fleet_update(done: "Mapping[str, Done]", unread: "Sequence[str]", turns: "Waves", version: str) -> None:
    """Show the results of the updates."""
    if not done and not turns.done and not turns.rest:
        say(f"Nothing to do: no repository that can be read is behind {version}.")
    for name, each in sorted(done.items()):
        good = each.state in ("proposed", "opened")
        say(f"  {name}: {each.state}{f' ({each.about})' if each.about else ''}", style="green" if good else "yellow")
    counts = Counter(each.state for each in done.values())
    if counts:
        say(f"To {version}: " + ", ".join(f"{count} {state}" for state, count in counts.items()), style="bold")
    if turns.done:
        say(f"{len(turns.done)} had been done before")
    postponed = [entry for entry in turns.rest if entry.name not in done]
    if postponed:
        say(f"Stopped: the canary's checks did not pass; {len(postponed)} were left as they are", style="bold red")
    if unread:
        say(f"{len(unread)} could not be read: `mlscaffold fleet status` says why", style="yellow")


def written(file: Path, text: str) -> None:
    """Write a page, whole or not at all, and say where it is."""
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise UserError(f"{file} cannot be written ({error.strerror}); name another with --output") from error
    say(f"Wrote {near(file.absolute())}")
