"""Validation errors in plain words: file, key, value and what is allowed, one line an error."""

from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

Schema = dict[str, Any]
WORDS = {"integer": "a whole number", "number": "a number", "string": "text", "array": "a list"}


def explained(error: ValidationError, schema: Schema, file: str) -> str:
    """Return one line for each error of a document that a JSON Schema describes."""
    lines = [_line(found, schema, file) for found in error.errors(include_url=False, include_context=False)]
    return "\n".join(dict.fromkeys(lines))


def closest(name: object, known: list[str]) -> str:
    """Return the hint for an unknown name: the known name closest to it, else all of them."""
    found = get_close_matches(str(name), known, n=1)
    return f"did you mean {found[0]!r}?" if found else f"known: {', '.join(known)}"


def resolve(schema: Schema, node: Schema) -> Schema:
    """Return the part of a schema that a reference stands for."""
    return schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node


def wanted(node: Schema) -> str:
    """Return in words what a part of a schema allows, such as `a number from 0 to 1`."""
    if "enum" in node:
        return f"one of {', '.join(node['enum'])}"
    words = WORDS.get(node.get("type", ""), "`key: value` lines")
    if "minimum" in node:
        words += f" from {plain(node['minimum'])} to {plain(node['maximum'])}"
    if node.get("type") == "array" and "items" in node:
        words += f" of {node.get('minItems', '')} {'lists' if node['items'].get('type') == 'array' else 'names'}"
    return " ".join(words.split())


def plain(number: float) -> str:
    """Return a number without an exponent, which YAML would take for text."""
    text = str(number) if isinstance(number, int) else f"{number:.12f}".rstrip("0").rstrip(".")
    return text if float(text) == number else repr(number)


def _line(found: Any, schema: Schema, file: str) -> str:
    kind, place, value = found["type"], found["loc"], found["input"]
    if kind == "string_type" and place[-1] == "[key]":
        return f"{_place(file, _keys(schema, place[:-2]))}: key {place[-2]!r} is not text; put it in quotes"
    if kind in ("extra_forbidden", "invalid_key"):
        name, known = place[-1] if kind == "extra_forbidden" else value, list(_node(schema, place[:-1])["properties"])
        what = "key" if place[:-1] else "section"
        return f"{_place(file, place[:-1])}: unknown {what} {name!r}; {closest(name, known)}"
    loc = _keys(schema, place)
    return f"{_place(file, loc)}: {_wrong(kind, value, _node(schema, loc))}"


def _wrong(kind: str, value: Any, node: Schema) -> str:
    if kind == "invalid-json-value":
        return f"{_short(value)} is not a number, text, a list or a mapping; put it in quotes"
    if kind == "finite_number" and not node:
        return f"{_short(value)} is not a finite number"
    if value is None:
        return f"has no value; write {wanted(node)}, or remove the line for the default"
    return f"{_short(value)} is not {wanted(node)}{_fix(value, node)}"


def _fix(value: Any, node: Schema) -> str:
    """Return the number that was meant by a text, or the word that was meant by another."""
    if "enum" in node:
        found = get_close_matches(value, node["enum"], n=1) if isinstance(value, str) else []
        return f"; did you mean {found[0]!r}?" if found else ""
    if "minimum" not in node or not isinstance(value, str | float):
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    fits = node["minimum"] <= number <= node["maximum"] and (node["type"] == "number" or number.is_integer())
    return f"; write {plain(number)}" + (" without quotes" if plain(number) == value else "") if fits else ""


def _node(schema: Schema, loc: tuple[int | str, ...]) -> Schema:
    """Return the part of the schema that describes a place; empty where anything is allowed."""
    node = schema
    for part in loc:
        inner = node.get("items") if isinstance(part, int) else node.get("properties", {}).get(part)
        node = resolve(schema, inner or node.get("additionalProperties") or {})
    return node


def _keys(schema: Schema, loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return the keys of a place; where anything is allowed, pydantic puts the type after each key."""
    free = next((i for i in range(len(loc)) if not _node(schema, loc[: i + 1])), len(loc))
    return loc[: free + 1] + loc[free + 2 :: 2]


def _place(file: str, loc: tuple[int | str, ...]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc]
    return f"{file}, {''.join(parts).removeprefix('.')}" if parts else file


def _short(value: Any) -> str:
    text = repr(value) if not isinstance(value, float) else plain(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
