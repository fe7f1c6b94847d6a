"""The first pass: read the table, and compute what each column holds.

What each column is parsed as and which texts mean 'no value' is settled here, on a sample first and then on all rows.
The generated reader compares every cell of every column with one list of missing texts, settled for the whole file. How
the target is parsed, as labels or as numbers, is the task, so the task is chosen here as well.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..contract import Task
from ..errors import UserError
from ..tables.table import Table
from .columns import (
    AMONG_NUMBERS,
    GUESS_ROWS,
    NUMBER,
    TEXT,
    TOKENS,
    Kind,
    Summary,
    clean,
    guess_decimal,
    guess_kind,
    named,
    number_pattern,
    summarise,
)
from .findings import counted, listed
from .missing import are_missing, is_missing
from .request import Request
from .task import TaskChoice, choose_task

if TYPE_CHECKING:
    import polars as pl

_LOOKS_NUMERIC = (
    r"^[-+(]?\s?(?:[$€£¥₹]|USD|EUR|CHF|GBP)?\s?[-+]?"
    r"(?:[0-9]{1,3}(?:[,. '\u{202f}\u{a0}][0-9]{3})+|[0-9]+)(?:[.,][0-9]+)?\s?"
    r"(?:[$€£¥₹%)]|USD|EUR|CHF|GBP|[kKmM])?$"
)


@dataclass(frozen=True)
class ColumnReading:
    """What a column holds.

    Attributes
    ----------
    name : str
        Of the column.
    kind : Kind
        What its cells are parsed as.
    summary : Summary
        Statistics of all rows.
    cells : polars.Series
        Texts of a sample of rows, null where there is no value.
    demoted : Summary, optional
        Statistics of a column that seemed to hold numbers or dates, before it was taken for texts.
    tokens : tuple of (str, bool)
        Texts that may mean 'no value', of a column of texts: kept as a value, or missing because they are so elsewhere.
    formatted : tuple of str
        Values, where they look like numbers but are not written as plain ones.
    """

    name: str
    kind: Kind
    summary: Summary
    cells: "pl.Series"
    demoted: Summary | None = None
    tokens: tuple[tuple[str, bool], ...] = ()
    formatted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How a table is read, and what it holds when it is read so.

    Attributes
    ----------
    decimal : str
        Decimal sign.
    missing : tuple of str
        Texts that mean 'no value'.
    columns : dict of str to ColumnReading
        By name.
    demoted : tuple of str
        Columns that are texts in spite of numbers or dates, in the order in which that was found.
    words : dict of str to str
        Texts that mean 'no value' because a column of numbers or dates holds them, with that column.
    duplicates : int
        Rows that equal an earlier one.
    choice : TaskChoice
        The task, and why it is.
    """

    decimal: str
    missing: tuple[str, ...]
    columns: dict[str, ColumnReading]
    demoted: tuple[str, ...]
    words: dict[str, str]
    duplicates: int
    choice: TaskChoice

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return self.choice.task


@dataclass
class _Draft:
    """What is known while it is being settled."""

    decimal: str
    kinds: dict[str, Kind]
    distinct: "dict[str, pl.Series]"
    numeric: str | None
    missing: set[str] = field(default_factory=set)
    words: dict[str, str] = field(default_factory=dict)
    demoted: dict[str, Summary] = field(default_factory=dict)


def read(table: Table, request: Request) -> Reading:
    """Read a table: settle on a sample, then on all rows, until no cell contradicts.

    Parameters
    ----------
    table : Table
        The table.
    request : Request
        What the user asked for.

    Returns
    -------
    Reading
        How the table is read; every cell fits.

    Raises
    ------
    UserError
        If the target does not suit the task, or the date column does not hold dates.
    """
    sample = table.sample()
    draft, choice = _guess(table, sample, request)
    head = _some_rows(sample)
    _settle(draft, lambda: [head])
    hashes: list[pl.Series] = []
    summaries = _settle(draft, lambda: _hashed(table, hashes))
    _check_time(request, draft, summaries)
    tokens = {token for summary in summaries.values() for token in summary.tokens} & draft.missing
    missing = ("", *sorted(tokens | (draft.missing - set(TOKENS))))
    columns = {name: _column(name, draft, summaries[name], sample, missing) for name in table.columns}
    return Reading(draft.decimal, missing, columns, tuple(draft.demoted), draft.words, _duplicates(hashes), choice)


def _guess(table: Table, sample: "pl.DataFrame", request: Request) -> tuple[_Draft, TaskChoice]:
    """Guess the decimal sign and the kind of each column from a sample, and choose the task by the target's."""
    distinct = _distinct(sample)
    decimal = guess_decimal(distinct.values(), table.dialect.delimiter) if table.dialect else "."
    kinds = {
        # Years and epochs are numbers in a target, whatever its name says.
        name: guess_kind(values, decimal, "" if name == request.target else name, wanted_date=name == request.time)
        for name, values in distinct.items()
    }
    target = request.target
    choice = choose_task(target, sample[target], kinds[target], decimal, request.task)
    kinds[target] = TEXT if choice.task == "classification" else NUMBER
    return _Draft(decimal, kinds, distinct, target if choice.task == "regression" else None), choice


def _some_rows(sample: "pl.DataFrame", most: int = GUESS_ROWS) -> "pl.DataFrame":
    """Return rows evenly spread over a sample."""
    return sample.gather_every(max(sample.height // most, 1))


def _distinct(sample: "pl.DataFrame") -> "dict[str, pl.Series]":
    """Return the distinct texts of each column that surely are values."""
    no_values = ["", *TOKENS, *AMONG_NUMBERS]
    rows = _some_rows(sample)
    return {
        name: values.filter(values.is_in(no_values).not_())
        for name in rows.columns
        for values in [rows[name].unique(maintain_order=True)]
    }


def _hashed(table: Table, hashes: "list[pl.Series]") -> "Iterator[pl.DataFrame]":
    """Yield the rows and keep a hash of each: duplicates are counted without a further pass."""
    hashes.clear()
    for batch in table.batches():
        hashes.append(batch.hash_rows())
        yield batch


def _duplicates(hashes: "list[pl.Series]") -> int:
    import polars as pl

    rows = pl.concat(hashes)
    return len(rows) - rows.n_unique()


def _settle(draft: _Draft, batches: "Callable[[], Iterable[pl.DataFrame]]") -> dict[str, Summary]:
    """Read the rows until nothing contradicts: each time round a text becomes missing, or a column becomes text."""
    while True:
        summaries = summarise(batches(), draft.kinds, draft.decimal, draft.missing)
        changed = [_resolve(draft, name, summary) for name, summary in summaries.items()]
        if not any(changed):
            return summaries


def _resolve(draft: _Draft, name: str, summary: Summary) -> bool:
    """Resolve what contradicts in a column, and return whether the rows have to be read again."""
    if draft.kinds[name] == TEXT:
        others = draft.distinct[name].to_list() if summary.tokens else []
        new = {token for token in summary.tokens if is_missing(token, others)} - draft.missing
        draft.missing |= new
        return bool(new)
    if not summary.bad:
        return False
    new = set(summary.oddities)
    if are_missing(new, summary, len(draft.distinct[name])):
        draft.missing |= new
        draft.words |= dict.fromkeys(sorted(new - set(TOKENS)), name)
        return True
    if name == draft.numeric:
        raise _unreadable(name, summary)
    draft.kinds[name] = TEXT
    draft.demoted[name] = summary
    return True


def _unreadable(name: str, summary: Summary) -> UserError:
    return UserError(
        f"column {name!r} has {counted(summary.bad, 'cell')} that cannot be read as numbers: "
        f"{listed(sorted(summary.oddities))}; fix or empty these cells, choose another --target, "
        "or take all of them for labels by --task classification"
    )


def _check_time(request: Request, draft: _Draft, summaries: dict[str, Summary]) -> None:
    if request.time is None or draft.kinds[request.time].name == "datetime":
        return
    summary = summaries[request.time]
    bounds = [f"{each:g}" for each in (summary.low, summary.high) if each is not None]
    # Of a column with very many texts a Summary keeps none.
    many = draft.distinct[request.time].head(4).to_list()
    examples = listed(summary.values or sorted(summary.oddities) or bounds or many)
    raise UserError(
        f"--time: the cells of {request.time!r} are not dates that are understood ({examples}); "
        "write them like 2025-01-31, 31.01.2025 or 01/31/2025, or leave --time out"
    )


def _column(
    name: str, draft: _Draft, summary: Summary, sample: "pl.DataFrame", missing: tuple[str, ...]
) -> ColumnReading:
    kind, values = draft.kinds[name], draft.distinct[name]
    cells = sample.select(clean(named(name), missing)).to_series()
    if kind != TEXT:
        return ColumnReading(name, kind, summary, cells)
    formatted = name not in draft.demoted and len(values) > 2 and _only_looks_numeric(values, draft.decimal)
    return ColumnReading(
        name,
        kind,
        summary,
        cells,
        draft.demoted.get(name),
        tuple(_doubtful(summary.tokens, draft, values)),
        tuple(values.to_list()) if formatted else (),
    )


def _doubtful(tokens: frozenset[str], draft: _Draft, values: "pl.Series") -> Iterator[tuple[str, bool]]:
    """Yield the texts that may be values: each with whether it is kept as one."""
    others = values.to_list() if tokens else []
    for token in sorted(tokens):
        if token not in draft.missing:
            yield token, True
        elif not is_missing(token, others):
            yield token, False


def _only_looks_numeric(values: "pl.Series", decimal: str) -> bool:
    """Return whether values only look like numbers; plain numbers are texts where they are labels of a target."""
    return values.str.contains(_LOOKS_NUMERIC).all() and not values.str.contains(number_pattern(decimal)).all()
