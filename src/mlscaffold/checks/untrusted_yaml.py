"""Read untrusted YAML: a value of another type than expected counts as empty."""

from typing import Any


def mapping(value: object) -> dict[Any, Any]:
    """Return a mapping, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """Return a list, or an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: object) -> list[dict[Any, Any]]:
    """Return the mappings of a list."""
    return [each for each in items(value) if isinstance(each, dict)]


def within(value: object, *names: str) -> Any:
    """Return what stands under some names, one inside the other; None where one of them is missing."""
    for name in names:
        value = mapping(value).get(name)
    return value
