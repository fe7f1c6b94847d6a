"""Every parameter as a table: its value, its default, what is allowed and what it does."""

from textwrap import wrap
from typing import Any

import yaml

from mlproduct.config.faults import Schema, plain, resolve, wanted

WIDTH = 80
HEAD = ("  parameter", "value", "default")
COLUMNS = (34, 24, 22)


def table(values: dict[str, Any], schema: Schema) -> str:
    """Return the table of all parameters, at most 80 columns wide; `*` marks what differs from the default."""
    lines, changed, total = [_row(*HEAD)], 0, 0
    for section, part in schema["properties"].items():
        fields = resolve(schema, part).get("properties", {})
        for key, field in fields.items():
            value, differs = values[section][key], values[section][key] != field["default"]
            total, changed = total + 1, changed + differs
            lines += _entry(f"{'*' if differs else ' '} {section}.{key}", _text(value), _text(field["default"]))
            lines += _indented(f"{field['description']} Allowed: {wanted(field)}.")
        if not fields:
            for key, value in values[section].items():
                lines += _entry(f"  {section}.{key}", _text(value), "")
    return "\n".join([*lines, "", f"* differs from its default: {changed} of {total}"])


def _entry(name: str, value: str, default: str) -> list[str]:
    """Return one parameter; what is too long for its column goes on lines of its own."""
    if len(name) >= COLUMNS[0] or len(value) >= COLUMNS[1] or len(default) > COLUMNS[2]:
        return [
            *wrap(name, WIDTH),
            *_indented(f"value: {value}"),
            *(_indented(f"default: {default}") if default else []),
        ]
    return [_row(name, value, default)]


def _row(*cells: str) -> str:
    return "".join(f"{cell:<{width}}" for cell, width in zip(cells, COLUMNS, strict=True)).rstrip()


def _indented(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)


def _text(value: Any) -> str:
    """Return a value as params.yaml writes it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return plain(value)
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...").strip()
