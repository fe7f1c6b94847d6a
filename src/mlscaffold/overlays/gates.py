"""Set an overlay's values in params.yaml: replace defaults, never what the team has set."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import UserError

Values = Mapping[tuple[str, str], Any]
_Scalar = str | int | float | bool
_ENTRY = r"^(  {key}:[ \t]*)([^#\n]*?)([ \t]+#[^\n]*)?$"


@dataclass(frozen=True)
class GateChanges:
    """Changes of params.yaml by an overlay's values.

    Attributes
    ----------
    text : str
        The file, with its comments.
    changed : tuple of str
        What was set, as `compare.margin: 0.01`.
    kept : tuple of str
        What was not, and why.
    """

    text: str
    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def read_gates(text: str, place: str) -> Values:
    """Read an overlay's gates.yaml: sections of params.yaml, and in each `key: value`.

    Raises
    ------
    UserError
        If it says anything else.
    """
    found = _loaded(text, place)
    values: dict[tuple[str, str], Any] = {}
    for section, entries in found.items():
        if not isinstance(entries, dict):
            raise UserError(f"{place}: {section} holds `key: value`, as in params.yaml")
        for key, value in entries.items():
            if not isinstance(value, _Scalar):
                raise UserError(f"{place}: {section}.{key} is not a number, text or boolean: only those are set")
            values[str(section), str(key)] = value
    return values


def read_params(text: str) -> dict[tuple[str, str], Any]:
    """Read the values of params.yaml; an overlay sets no lists and mappings."""
    sections = _loaded(text, "params.yaml")
    found = {name: entries for name, entries in sections.items() if isinstance(entries, dict)}
    return {(str(name), str(key)): value for name, entries in found.items() for key, value in entries.items()}


def _loaded(text: str, place: str) -> dict[Any, Any]:
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{place} cannot be read: {' '.join(str(error).split())}") from error
    return found if isinstance(found, dict) else {}


def set_values(text: str, values: Values, before: Values, default: Callable[[], Values]) -> GateChanges:
    """Set values in params.yaml, where it still holds the overlay's earlier value or the standard's default.

    Parameters
    ----------
    text : str
        params.yaml.
    wanted : mapping
        What the overlay sets, by section and key.
    before : mapping
        What it set at the version before.
    default : callable
        Returns the standard's values; called only when needed.

    Returns
    -------
    GateChanges
        The file, and what was done.
    """
    done, kept = [], []
    for (section, key), value in values.items():
        name, now = f"{section}.{key}", read_params(text).get((section, key))
        if now == value and type(now) is type(value):
            continue
        was = before[section, key] if (section, key) in before else default().get((section, key))
        changed = _replaced(text, section, key, value) if now is not None and now == was else None
        if changed is None:
            kept.append(f"{name}: {_why(now, was)}; the overlay sets {_scalar(value)}")
            continue
        text = changed
        done.append(f"{name}: {_scalar(value)}")
    return GateChanges(text, tuple(done), tuple(kept))


def _why(now: Any, was: Any) -> str:
    if now is None:
        return "params.yaml has no such value"
    return f"{_scalar(now)} is your own value" if now != was else "it is not on a line of its own"


def _replaced(text: str, section: str, key: str, value: Any) -> str | None:
    for start, end in _section(text, section):
        entry = re.compile(_ENTRY.format(key=re.escape(key)), re.MULTILINE)
        changed, count = entry.subn(lambda m: f"{m[1]}{_scalar(value)}{m[3] or ''}", text[start:end], count=1)
        if count:
            return text[:start] + changed + text[end:]
    return None


def _section(text: str, name: str) -> Iterator[tuple[int, int]]:
    head = re.search(rf"^{re.escape(name)}:[^\n]*\n", text, re.MULTILINE)
    if head:
        following = re.compile(r"^\S", re.MULTILINE).search(text, head.end())
        yield head.end(), following.start() if following else len(text)


def _scalar(value: Any) -> str:
    import yaml

    return str(yaml.safe_dump(value, allow_unicode=True)).removesuffix("\n...\n").strip()
