"""How dates are written: the formats understood, and which one fits a column."""

import re
from typing import TYPE_CHECKING

from .words import words

if TYPE_CHECKING:
    import polars as pl

_H24 = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]"
_H12 = r"(?:0?[1-9]|1[0-2]):[0-5][0-9]"
_ISO = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?(?: ?Z| ?[+-][0-9]{2}(?::?[0-9]{2})?)?)?$"
)
_TIMES = {
    "": "",
    " %H:%M": rf" {_H24}",
    " %H:%M:%S": rf" {_H24}:[0-5][0-9]",
    " %H:%M:%S.%f": rf" {_H24}:[0-5][0-9]\.[0-9]{{1,6}}",
    " %I:%M %p": rf" {_H12} (?i:[ap]m)",
    " %I:%M:%S %p": rf" {_H12}:[0-5][0-9] (?i:[ap]m)",
}
_PARTS = {
    "%Y": "[0-9]{4}",
    "%y": "[0-9]{2}",
    "%m": "[0-9]{1,2}",
    "%d": "[0-9]{1,2}",
    "%b": "[A-Za-z]{3}",
    "%B": "[A-Za-z]{3,9}",
}
# Where day and month can change places, the pair stands together; which comes first is what is assumed when both fit.
_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d",
    "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y",
    "%m/%d/%y", "%d/%m/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y",
    "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
    "%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%B %Y", "%b-%Y",
)  # fmt: skip
_COMPACT = {
    "%Y%m%d": r"^((?:19|20|21)[0-9]{6})$",
    "%Y": r"^(1[5-9][0-9]{2}|20[0-9]{2}|21[0-9]{2})$",
    "epoch_s": r"^[1-9][0-9]{8,9}(?:\.[0-9]+)?$",  # 1973 to 2286
    "epoch_ms": r"^[1-9][0-9]{11,12}(?:\.0*)?$",
}
_YEAR_WORDS = {"year", "yr", "yyyy", "jahr", "annee", "année", "año", "anno", "anio"}
_TIME_WORDS = {
    "date", "time", "datetime", "timestamp", "ts", "epoch", "unix", "created", "updated", "modified", "day", "when",
    "datum", "zeit", "fecha", "dob", "birthday", "at", "month", "start", "end",
}  # fmt: skip
_LOOKED_AT = 2000


def _patterns() -> dict[str, str]:
    found = {"%Y-%m-%d": r"^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})$", "iso": _ISO}
    for date in _DATES:
        pattern = re.sub("%[a-zA-Z]", lambda part: _PARTS[part.group()], re.sub(r"([./])", r"\\\1", date))
        for time, clock in _TIMES.items():
            found.setdefault(date + time, rf"^({pattern}){clock}$")
    return found


PATTERNS = _patterns() | _COMPACT


def is_date(column: "pl.Expr", format: str) -> "pl.Expr":  # noqa: A002 - the word of the contract
    """Build the expression that says whether a text is a date of this format.

    The pattern fixes the shape and the clock, the parser knows the calendar.
    """
    import polars as pl

    shaped = column.str.contains(PATTERNS[format])
    if format.startswith("epoch"):
        return shaped
    date = "%Y-%m-%d" if format == "iso" else format.partition(" %H")[0].partition(" %I")[0]
    text = column.str.extract(PATTERNS[format], 1)
    if "%d" not in date:
        text, date = text + " 1", date + " %d"
    if "%m" not in date and "%b" not in date.lower():
        text, date = text + " 1", date + " %m"
    return shaped & text.str.strptime(pl.Date, date, strict=False).is_not_null()


def fitting_formats(values: "pl.Series", name: str, *, wanted: bool) -> list[tuple[str, float]]:
    """Find the formats that fit a column, best first.

    Parameters
    ----------
    values : polars.Series
        Distinct texts of the column, in the order of the file.
    name : str
        Its name: years, compact dates and epochs are numbers unless the name speaks of time.
    wanted : bool
        Whether the user said that this is the time column.

    Returns
    -------
    list of (format, share of the values that fit)
        Only formats that fit at least half of the values.
    """
    import polars as pl

    looked_at = values.head(_LOOKED_AT)
    some = looked_at.head(50).to_list()
    spoken = set(words(name))
    formats = [each for each in PATTERNS if each not in _COMPACT]
    formats += [each for each in _COMPACT if wanted or _speaks_of(each, spoken)]
    found = []
    for each in formats:
        if sum(bool(re.match(PATTERNS[each], value)) for value in some) * 2 < len(some):
            continue
        share = looked_at.to_frame("v").select(is_date(pl.col("v"), each).mean()).item()
        if share >= 0.5:
            found.append((each, float(share)))
    return sorted(found, key=lambda fit: -fit[1])  # stable: among equals the order of the table above


def swapped(format: str) -> str:  # noqa: A002
    """Return the format with day and month exchanged."""
    return format.translate(str.maketrans("dm", "md"))


def in_order(values: "pl.Series", format: str) -> bool:  # noqa: A002
    """Say whether dates only go forward, or only backward, when read in this format."""
    import polars as pl

    date = format.partition(" %H")[0].partition(" %I")[0]
    dates = values.str.extract(PATTERNS[format], 1).str.strptime(pl.Date, date, strict=False).drop_nulls()
    return dates.is_sorted() or dates.is_sorted(descending=True)


def _speaks_of(format: str, spoken: set[str]) -> bool:  # noqa: A002
    return bool(spoken & (_YEAR_WORDS if format == "%Y" else _TIME_WORDS))
