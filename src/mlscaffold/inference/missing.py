"""Which texts mean 'no value': in a column of texts, and among numbers or dates.

- the empty cell always, and texts like `NaN`, `NULL`, `N/A` and `?` wherever they are seen;
- `NA` and `-` too, unless the other values of the only columns that hold them are alike (`EU`, `AS`, `NA`; `+`, `-`);
- `None` in a column of texts is a value, as a person would give it for an answer;
- among numbers or dates, words such as `unknown`, `inf` or `-`, and one or two words of any kind where the others are
  clearly numbers. Texts with digits (`3+`, `12a`, `007`) make the column a category, but for a slip or two in hundreds
  of different numbers.
"""

import re
from collections.abc import Sequence

from .columns import ALWAYS_MISSING, AMONG_NUMBERS, TOKENS, Summary

_NONE = {"none"}
_TWO_CAPITALS = re.compile(r"[A-Z]{2}")
_DIGIT = re.compile(r"[0-9]")
_DIGITS = re.compile(r"[+-]?[0-9]+")


def is_missing(token: str, others: Sequence[str]) -> bool:
    """Return whether a text that may mean 'no value' does so in a column of texts with these other values."""
    if token in ALWAYS_MISSING:
        return True
    if token.casefold() in _NONE:
        return False
    if token == "-":  # noqa: S105
        return "+" not in others
    return not (len(others) > 2 and all(_TWO_CAPITALS.fullmatch(other) for other in others))


def are_missing(oddities: set[str], summary: Summary, distinct: int) -> bool:
    """Return whether texts among so many distinct numbers or dates mean 'no value'."""
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
