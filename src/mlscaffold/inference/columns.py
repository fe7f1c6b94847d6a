"""What the cells of each column are: numbers, dates or texts, and what they hold; one pass over the rows."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..contract import Label
from .dates import fitting_formats, in_order, is_date, swapped

if TYPE_CHECKING:
    import polars as pl

MOST_LISTED = 100  # categories that are listed; a person reads no longer list
MOST_KEPT = 1000  # distinct texts that are kept for a target
_MOST_BAD = 50
GUESS_ROWS = 20_000

# No leading zero (a code), at most 15 digits before the point (a float holds no more exactly), no thousands separator.
_NUMBER = r"^[+-]?(?:(?:0|[1-9][0-9]{0,14})(?:POINT[0-9]*)?|POINT[0-9]+)(?:[eE][+-]?[0-9]{1,2})?$"
_FRACTION = r"[+-]?(?:0|[1-9][0-9]{0,14})?POINT[0-9]+(?:[eE][+-]?[0-9]+)?"
_THOUSANDS = r"[+-]?[1-9][0-9]{0,2}(?:POINT[0-9]{3})+"
_WHOLE = r"[+-]?[0-9]+"

# Mean 'no value' wherever they stand alone in a cell.
ALWAYS_MISSING = (
    "NaN", "nan", "NAN", "N/A", "n/a", "N/a", "#N/A", "#NA", "<NA>", "<na>", "NULL", "null", "Null", "(null)", "NaT",
    "?", "??", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "n.a.", "N.A.", "0000-00-00", "0000-00-00 00:00:00",
)  # fmt: skip
# Mean 'no value' in most files, but are values in some: North America and Namibia, a blood group, 'None' as an answer.
SOMETIMES_MISSING = ("NA", "na", "None", "none", "NONE", "-", "--")
# Mean 'no value' among numbers or dates, where nothing else can be meant.
AMONG_NUMBERS = {
    "na", "none", "nil", "-", "--", "---", ".", "..", "...", "*", "unknown", "unk", "missing", "not available",
    "not applicable", "undefined", "no data", "nodata", "not recorded", "inf", "-inf", "+inf", "infinity",
    "-infinity", "unbekannt", "k.a.", "k. a.", "keine angabe", "nicht bekannt", "inconnu", "desconocido", "tbd",
    "never", "blank", "empty", "(blank)", "(empty)",
}  # fmt: skip


TOKENS = ALWAYS_MISSING + SOMETIMES_MISSING
_PLAIN_DIGITS = "^[+-]?[0-9]+$"


@dataclass(frozen=True)
class Kind:
    """How the cells of a column are parsed: `number`, `datetime` in a format, or `text`."""

    name: Literal["number", "datetime", "text"]
    format: str = ""
    ambiguous: bool = False


TEXT = Kind("text")
NUMBER = Kind("number")


@dataclass(frozen=True)
class Summary:
    """What a column holds, added up over the parts of a table.

    Attributes
    ----------
    rows, nulls : int
        Cells, and those without a value.
    bad : int
        Cells that are no number (or date) though the others are; `oddities` are some of them.
    low, high : float, optional
        Smallest and largest number.
    fractions, pointed : int
        Numbers that are not whole; numbers that are not written as plain digits, like `3.0`.
    values : tuple of str, optional
        Distinct texts in the order they come in; None when there are too many.
    tokens : frozenset of str
        Texts seen that (may) mean 'no value'.
    """

    rows: int = 0
    nulls: int = 0
    bad: int = 0
    oddities: frozenset[str] = frozenset()
    low: float | None = None
    high: float | None = None
    fractions: int = 0
    pointed: int = 0
    values: tuple[str, ...] | None = ()
    tokens: frozenset[str] = field(default=frozenset())

    def __add__(self, other: "Summary") -> "Summary":
        """Add what another part of the same column holds."""
        return Summary(
            self.rows + other.rows,
            self.nulls + other.nulls,
            self.bad + other.bad,
            frozenset(sorted(self.oddities | other.oddities)[:_MOST_BAD]),
            min((each for each in (self.low, other.low) if each is not None), default=None),
            max((each for each in (self.high, other.high) if each is not None), default=None),
            self.fractions + other.fractions,
            self.pointed + other.pointed,
            _union(self.values, other.values),
            self.tokens | other.tokens,
        )


def _union(some: tuple[str, ...] | None, others: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if some is None or others is None:
        return None
    found = tuple(dict.fromkeys([*some, *others]))
    return found if len(found) <= MOST_KEPT else None


def number_pattern(decimal: str) -> str:
    """Return the pattern of a number that is written with this decimal sign."""
    return _NUMBER.replace("POINT", re.escape(decimal))


def guess_kind(values: "pl.Series", decimal: str, name: str, *, wanted_date: bool) -> Kind:
    """Tell from distinct texts of a column what most of them are.

    Parameters
    ----------
    values : polars.Series
        Distinct texts without those that mean 'no value', in the order of the file.
    decimal : str
        Decimal sign of the file.
    name : str
        Name of the column.
    wanted_date : bool
        Whether the user said that the column is the time.

    Returns
    -------
    Kind
        What at least half of the values are; `text` where that is nothing else.
    """
    if values.is_empty():
        return TEXT
    formats = fitting_formats(values, name, wanted=wanted_date)
    if formats:
        return _date_kind(values, formats)
    share = values.str.contains(number_pattern(decimal)).mean()
    return NUMBER if isinstance(share, float) and share >= 0.5 else TEXT


def _date_kind(values: "pl.Series", formats: list[tuple[str, float]]) -> Kind:
    """Choose among the formats that fit equally well: the one under which the rows are in order, else the usual one."""
    best = [fmt for fmt, share in formats if share == formats[0][1]]
    other = swapped(best[0])
    if other == best[0] or other not in best:
        return Kind("datetime", best[0])
    orders = [fmt for fmt in (best[0], other) if len(values) > 10 and in_order(values, fmt)]
    if len(orders) == 1:
        return Kind("datetime", orders[0])
    return Kind("datetime", best[0], ambiguous=True)


def guess_decimal(columns: Iterable["pl.Series"], delimiter: str) -> str:
    """Tell the decimal sign of a file: each column whose cells are all numbers under one sign only has a vote.

    Cells like `1,234` may have a thousands separator. They count as decimal commas only where the file is not separated
    by commas and no other column says otherwise.
    """
    votes = {",": 0, ".": 0}
    weak = {",": 0, ".": 0}
    for column in columns:
        for sign in votes:
            fraction, thousands = (_anchored(pattern, sign) for pattern in (_FRACTION, _THOUSANDS))
            fractions = column.filter(column.str.contains(fraction))
            others = column.filter(~column.str.contains(fraction))
            if fractions.is_empty() or not others.str.contains(_anchored(_WHOLE, sign)).sum() >= 0.9 * len(others):
                continue
            (weak if fractions.str.contains(thousands).all() else votes)[sign] += 1
    if votes["."] == votes[","] == 0:
        return "," if weak[","] > weak["."] and delimiter != "," else "."
    return "," if votes[","] > votes["."] else "."


def _anchored(pattern: str, sign: str) -> str:
    return "^" + pattern.replace("POINT", re.escape(sign)) + "$"


def named(name: str) -> "pl.Expr":
    """Address a column by its name as it stands: to `pl.col`, `*` and `^x$` are patterns."""
    import polars.selectors as cs

    return cs.by_name(name).as_expr()


def clean(column: "pl.Expr", missing: Iterable[str]) -> "pl.Expr":
    """Turn the texts that mean 'no value' into nulls."""
    import polars as pl

    return pl.when(column.is_in(["", *missing]).not_()).then(column)


def numbers(column: "pl.Expr", decimal: str) -> "pl.Expr":
    """Parse numbers; null where the text is none."""
    import polars as pl

    text = column if decimal == "." else column.str.replace(decimal, ".", literal=True)
    return pl.when(column.str.contains(number_pattern(decimal))).then(text.cast(pl.Float64, strict=False))


def as_labels(values: Iterable[float]) -> list[Label]:
    """Return numbers as labels: whole ones as integers."""
    return [int(value) if value.is_integer() else value for value in values]


def summarise(
    batches: Iterable["pl.DataFrame"], kinds: Mapping[str, Kind], decimal: str, missing: Iterable[str]
) -> dict[str, Summary]:
    """Add up what each column holds, reading every row once.

    Parameters
    ----------
    batches : iterable of polars.DataFrame
        The table in parts, cells as text.
    kinds : mapping of str to Kind
        How each column is parsed.
    decimal : str
        Decimal sign of numbers.
    missing : iterable of str
        Texts that mean 'no value'.

    Returns
    -------
    dict of str to Summary
        By column.
    """
    found = {name: Summary() for name in kinds}
    missing = tuple(missing)
    for batch in batches:
        if batch.is_empty():  # a block of blank lines
            continue
        part = _summarise_part(batch, kinds, decimal, missing, {name for name in kinds if found[name].values is None})
        found = {name: found[name] + part[name] for name in kinds}
    return found


def _summarise_part(
    batch: "pl.DataFrame", kinds: Mapping[str, Kind], decimal: str, missing: tuple[str, ...], full: set[str]
) -> dict[str, Summary]:
    parsed = batch.select(
        expression.alias(f"{position} {key}")
        for position, (name, kind) in enumerate(kinds.items())
        for key, expression in _parsed(name, kind, decimal, missing).items()
    )
    flat = [
        (name, key, expression)
        for position, (name, kind) in enumerate(kinds.items())
        for key, expression in _statistics(position, kind, count_values=name not in full).items()
    ]
    row = parsed.select(expression.alias(str(place)) for place, (_, _, expression) in enumerate(flat)).row(0)
    found: dict[str, dict[str, Any]] = {name: {"rows": batch.height} for name in kinds}
    for (name, key, _), value in zip(flat, row, strict=True):
        found[name][key] = value
    return {name: _summary(some, many=name in full) for name, some in found.items()}


def _summary(some: dict[str, Any], *, many: bool) -> Summary:
    values = some.pop("values", ())
    some["values"] = None if many or len(values) > MOST_KEPT else tuple(values)
    for key in ("tokens", "oddities"):
        some[key] = frozenset(some.get(key, ()))
    return Summary(**some)


def _parsed(name: str, kind: Kind, decimal: str, missing: tuple[str, ...]) -> "dict[str, pl.Expr]":
    """Build the columns that the statistics need; made first, so that each cell is parsed once."""
    column = named(name)
    value = clean(column, missing)
    found = {"value": value, "token": column.filter(column.is_in(TOKENS)).unique().implode().first()}
    if kind.name == "number":
        found["number"] = numbers(value, decimal)
    elif kind.name == "datetime":
        found["good"] = is_date(value, kind.format)
    return found


def _statistics(position: int, kind: Kind, *, count_values: bool) -> "dict[str, pl.Expr]":
    """Build the expressions for the fields of a Summary from what `_parsed` made."""
    import polars as pl

    value = pl.col(f"{position} value")
    found = {"nulls": value.null_count(), "tokens": pl.col(f"{position} token").first()}
    if kind.name == "text":
        values = value.drop_nulls().unique(maintain_order=True).head(MOST_KEPT + 1).implode()
        return found | {"values": values} if count_values else found
    number = pl.col(f"{position} number")
    good = number.is_not_null() if kind.name == "number" else pl.col(f"{position} good")
    odd = value.filter(value.is_not_null() & good.not_())
    found |= {"bad": odd.len(), "oddities": odd.unique().sort().head(_MOST_BAD).implode()}
    if kind.name == "number":
        whole = number == number.floor()
        found |= {
            "low": number.min(),
            "high": number.max(),
            "fractions": whole.not_().sum(),
            "pointed": value.filter(whole).str.contains(_PLAIN_DIGITS).not_().sum(),
        }
    return found
