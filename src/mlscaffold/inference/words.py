"""The words in a column's name, and names alike."""

import difflib
import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W\d_]*?[^\W\d_A-Z]+(?=[A-Z]|\d|_|\W|$)|[A-Z]+(?=[A-Z][a-z]|\d|_|\W|$)|\d+")


def words(name: str) -> list[str]:
    """Split a name into lower-case words: `CustomerID`, `customer_id` and `customer id` give the same.

    Parameters
    ----------
    name : str
        A column's name.

    Returns
    -------
    list of str
        Its words.
    """
    return [word.casefold() for word in _WORD.findall(name)]


def closest(name: str, names: Sequence[str], count: int = 3) -> list[str]:
    """Find the names most like one that is not there, whatever the case, the spaces and the underscores."""
    folded = {_fold(each): each for each in reversed(names)}
    key = _fold(name)
    alike = difflib.get_close_matches(key, folded, n=count, cutoff=0.6)
    within = [each for each in folded if len(key) > 2 and (key in each or (len(each) > 2 and each in key))]
    return [folded[each] for each in dict.fromkeys([*alike, *within])][:count]


def _fold(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
