"""Decide how a table is read: what each column is parsed as, and which texts mean 'no value'.

The generated reader compares every cell of every column with one list of missing texts, decided for the whole file.

- the empty cell always, and texts like `NaN`, `NULL`, `N/A` and `?` wherever they are seen;
- `NA` and `-` too, unless the other values of the only columns that hold them are alike (`EU`, `AS`, `NA`; `+`, `-`);
- `None` in a column of texts is a value, as a person would give it for an answer;
- among numbers or dates, words such as `unknown`, `inf` or `-`, and one or two words of any kind where the others are
  clearly numbers. Texts with digits (`3+`, `12a`, `007`) make the column a category, but for a slip or two in hundreds
  of different numbers.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import UserError
from ..tables.table import Table
from .columns import (
    ALWAYS_MISSING,
    AMONG_NUMBERS,
    GUESS_ROWS,
    TEXT,
    TOKENS,
    Kind,
    Summary,
    guess_decimal,
    guess_kind,
    number_pattern,
    summarise,
)
from .findings import Finding, counted, listed, shown, warning

if TYPE_CHECKING:
    import polars as pl

_NONE = {"none"}
_TWO_CAPITALS = re.compile(r"[A-Z]{2}")
_DIGIT = re.compile(r"[0-9]")
_DIGITS = re.compile(r"[+-]?[0-9]+")
_LOOKS_NUMERIC = (
    r"^[-+(]?\s?(?:[$€£¥₹]|USD|EUR|CHF|GBP)?\s?[-+]?"
    r"(?:[0-9]{1,3}(?:[,. '\u{202f}\u{a0}][0-9]{3})+|[0-9]+)(?:[.,][0-9]+)?\s?"
    r"(?:[$€£¥₹%)]|USD|EUR|CHF|GBP|[kKmM])?$"
)


@dataclass(frozen=True)
class Reading:
    """How a table is read, and what its columns hold when it is read so."""

    decimal: str
    kinds: dict[str, Kind]
    missing: tuple[str, ...]
    summaries: dict[str, Summary]
    duplicates: int
    findings: tuple[Finding, ...]


@dataclass
class _Draft:
    """What is known while it is being decided."""

    decimal: str
    kinds: dict[str, Kind]
    distinct: "dict[str, pl.Series]"
    missing: set[str] = field(default_factory=set)
    blamed: dict[str, str] = field(default_factory=dict)
    demoted: dict[str, Summary] = field(default_factory=dict)


def some_rows(sample: "pl.DataFrame", most: int = GUESS_ROWS) -> "pl.DataFrame":
    """Take rows evenly from a sample."""
    return sample.gather_every(max(sample.height // most, 1))


def guess(table: Table, sample: "pl.DataFrame", target: str, time: str | None) -> tuple[str, dict[str, Kind]]:
    """Tell the decimal sign and what each column is, from some rows.

    Parameters
    ----------
    table : Table
        The table.
    sample : polars.DataFrame
        Rows of it.
    target : str
        The column to predict: years and epochs are numbers there, whatever its name says.
    time : str, optional
        The column that the user gave as the time.

    Returns
    -------
    str, dict of str to Kind
        Decimal sign, kind by column.
    """
    distinct = _distinct(sample)
    decimal = guess_decimal(distinct.values(), table.dialect.delimiter) if table.dialect else "."
    return decimal, {
        name: guess_kind(values, decimal, "" if name == target else name, wanted_date=name == time)
        for name, values in distinct.items()
    }


def read(
    table: Table, sample: "pl.DataFrame", decimal: str, kinds: dict[str, Kind], numeric: Iterable[str] = ()
) -> Reading:
    """Settle how a table is read: on a sample first, then on all rows, until no cell contradicts.

    Parameters
    ----------
    table : Table
        The table.
    sample : polars.DataFrame
        Rows of it.
    decimal : str
        Decimal sign.
    kinds : dict of str to Kind
        What each column seems to be.
    numeric : iterable of str
        Columns that have to be numbers (the target of a regression).

    Returns
    -------
    Reading
        How the table is read; every cell fits.
    """
    head = some_rows(sample)
    draft = _Draft(decimal, dict(kinds), _distinct(head))
    _settle(draft, lambda: [head], set(numeric))
    hashes: list[pl.Series] = []
    summaries = _settle(draft, lambda: _hashed(table, hashes), set(numeric))
    seen = {token for summary in summaries.values() for token in summary.tokens} & draft.missing
    missing = ("", *sorted(seen | (draft.missing - set(TOKENS))))
    return Reading(decimal, draft.kinds, missing, summaries, _duplicates(hashes), tuple(_said(draft, summaries)))


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


def _distinct(sample: "pl.DataFrame") -> "dict[str, pl.Series]":
    """Return the distinct texts of each column that surely are values."""
    no_values = ["", *TOKENS, *AMONG_NUMBERS]
    rows = some_rows(sample)
    return {
        name: values.filter(values.is_in(no_values).not_())
        for name in rows.columns
        for values in [rows[name].unique(maintain_order=True)]
    }


def _settle(draft: _Draft, batches: "Callable[[], Iterable[pl.DataFrame]]", numeric: set[str]) -> dict[str, Summary]:
    """Read the rows until nothing contradicts: each time round a text becomes missing, or a column becomes text."""
    while True:
        summaries = summarise(batches(), draft.kinds, draft.decimal, draft.missing)
        changed = [_resolve(draft, name, summary, name in numeric) for name, summary in summaries.items()]
        if not any(changed):
            return summaries


def _resolve(draft: _Draft, name: str, summary: Summary, numeric: bool) -> bool:
    if draft.kinds[name] == TEXT:
        new = {token for token in summary.tokens if _is_missing(token, draft, name)} - draft.missing
        draft.missing |= new
        return bool(new)
    if not summary.bad:
        return False
    new = set(summary.oddities)
    if _are_missing(new, summary, len(draft.distinct[name])):
        draft.missing |= new
        draft.blamed |= dict.fromkeys(sorted(new - set(TOKENS)), name)
        return True
    if numeric:
        raise _unreadable(name, summary)
    draft.kinds[name] = TEXT
    draft.demoted[name] = summary
    return True


def _is_missing(token: str, draft: _Draft, name: str) -> bool:
    """Say whether a text that may mean 'no value' does so in a column of texts."""
    if token in ALWAYS_MISSING:
        return True
    others = draft.distinct[name].to_list()
    if token.casefold() in _NONE:
        return False
    if token == "-":  # noqa: S105
        return "+" not in others
    return not (len(others) > 2 and all(_TWO_CAPITALS.fullmatch(other) for other in others))


def _are_missing(oddities: set[str], summary: Summary, distinct: int) -> bool:
    """Say whether texts among numbers or dates mean 'no value'."""
    good = summary.rows - summary.nulls - summary.bad
    if oddities <= set(TOKENS):
        return good > 0
    rest = {each for each in oddities if each not in TOKENS and each.casefold() not in AMONG_NUMBERS}
    if not rest:
        return distinct > 2
    few = len(rest) <= 2 or (len(rest) <= 5 and summary.bad < 0.01 * good)
    if (
        few
        and distinct >= 10
        and good > summary.bad
        and all(len(each) <= 30 and not _DIGIT.search(each) for each in rest)
    ):
        return True
    slips = len(rest) <= 2 and summary.bad <= 0.005 * good and distinct >= 100
    return slips and not any(_DIGITS.fullmatch(each) for each in rest)


def _unreadable(name: str, summary: Summary) -> UserError:
    return UserError(
        f"column {name!r} has {counted(summary.bad, 'cell')} that cannot be read as numbers: "
        f"{listed(sorted(summary.oddities))}; fix or empty these cells, choose another --target, "
        "or take all of them for labels by --task classification"
    )


def _said(draft: _Draft, summaries: dict[str, Summary]) -> Iterable[Finding]:
    for token, name in draft.blamed.items():
        yield warning(
            "missing", f"{shown(token)} among the values of {name!r} is taken for 'no value', in every column", name
        )
    for name, summary in draft.demoted.items():
        yield _demoted(name, summary)
    for name, values in draft.distinct.items():
        summary = summaries[name]
        if draft.kinds[name] == TEXT:
            yield from _said_of_tokens(name, summary.tokens, draft)
            if name not in draft.demoted and len(values) > 2 and _only_looks_numeric(values, draft.decimal):
                yield _formatted(name, values.to_list())
        elif draft.kinds[name].ambiguous:
            yield warning(
                "ambiguous dates",
                f"the dates in {name!r} fit day first and month first; {shown(draft.kinds[name].format)} is assumed",
                name,
            )


def _only_looks_numeric(values: "pl.Series", decimal: str) -> bool:
    """Say whether these are numbers to the eye alone; plain ones are texts where they are the labels of a target."""
    return values.str.contains(_LOOKS_NUMERIC).all() and not values.str.contains(number_pattern(decimal)).all()


def _said_of_tokens(name: str, tokens: frozenset[str], draft: _Draft) -> Iterable[Finding]:
    for token in sorted(tokens):
        if token not in draft.missing:
            text = f"{shown(token)} in {name!r} is kept as a value; if it means 'no value', add it to `missing`"
            yield Finding("kept", text, name)
        elif not _is_missing(token, draft, name):
            text = f"{shown(token)} means 'no value' in another column, so it does in {name!r}, where it may be a value"
            yield warning("missing", text, name)


def _demoted(name: str, summary: Summary) -> Finding:
    good = summary.rows - summary.nulls - summary.bad
    share = f"{good:,} of {good + summary.bad:,} cells"
    text = f"{name!r} is not read as numbers or dates: {share} are, but not {listed(sorted(summary.oddities))}"
    if all(re.fullmatch(r"[+-]?0[0-9]+", each) for each in summary.oddities):
        return Finding(
            "codes", f"{name!r} has leading zeros ({listed(sorted(summary.oddities), 2)}): taken for codes", name
        )
    return warning("mixed", text, name)


def _formatted(name: str, values: list[str]) -> Finding:
    if all(re.fullmatch(r"[0-9]+", value) for value in values):
        text = (
            f"{name!r} holds numbers with leading zeros or more than 15 digits ({listed(values, 2)}): taken for codes"
        )
        return Finding("codes", text, name)
    text = f"{name!r} holds numbers with signs or separators ({listed(values, 2)}), read as text; write plain numbers"
    return warning("formatted numbers", text, name)
