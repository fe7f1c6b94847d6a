"""The contract of a table as a value, and as YAML that people read and edit."""

import re
from dataclasses import dataclass, field
from typing import Literal

import yaml

Label = str | int | float
Role = Literal["feature", "target", "protected", "time", "id", "ignore"]
Type = Literal["number", "integer", "boolean", "category", "text", "datetime"]
Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class Source:
    """How the raw file is read.

    Attributes
    ----------
    path : str
        Where the repository keeps the file.
    format : str
        `csv` (also tab separated and gzipped files) or `parquet`.
    delimiter, encoding, decimal : str
        Of a CSV file; empty for Parquet.
    missing : tuple of str
        Texts that mean 'no value' in every column, once a cell is stripped of white space.
    """

    path: str
    format: str = "csv"
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    missing: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Column:
    """What one column means and what it may hold.

    Attributes
    ----------
    name : str
        The header, stripped of white space.
    role, type : str
        What the column is for, and what its cells are.
    nullable : bool
        Whether a cell may be empty.
    range : tuple of two numbers, optional
        Allowed lowest and highest value of a number.
    categories : tuple of labels
        Allowed values; for a boolean the two spellings, false first.
    many : bool
        A category with too many values to list: any text is allowed.
    format : str
        How a datetime is written: strptime, `iso`, `epoch_s` or `epoch_ms`.
    reason : str
        Why an ignored column is left out.
    description : str
        For people.
    """

    name: str
    role: Role
    type: Type
    nullable: bool = False
    range: tuple[float, float] | None = None
    categories: tuple[Label, ...] = ()
    many: bool = False
    format: str = ""
    reason: str = ""
    description: str = ""


@dataclass(frozen=True)
class Contract:
    """What a table means: the task, how the file is read, and every column in the order of the file."""

    task: Task
    source: Source
    columns: tuple[Column, ...]
    positive: Label | None = None
    version: int = field(default=1)

    def column(self, name: str) -> Column:
        """Return the column of this name."""
        return next(column for column in self.columns if column.name == name)

    def named(self, role: Role) -> tuple[str, ...]:
        """Return the names of the columns that have a role, in the order of the file."""
        return tuple(column.name for column in self.columns if column.role == role)

    @property
    def target(self) -> str:
        """Name of the column that is predicted."""
        return self.named("target")[0]


HEADER = """\
# yaml-language-server: $schema=contract.schema.json
# What each column means: the one source of truth about the data. Confirm it, then keep it true.
# role: feature, target, protected (kept for evaluation only), time (the split follows it),
#       id (its rows stay on one side of the split), ignore (left out)
# type: number, integer, boolean, category, text, datetime
# `range` and `categories` say what is allowed, `nullable` whether a cell may be empty.
"""

# Begins with a letter and holds nothing that means something to YAML, 1.1 or 1.2.
_PLAIN = re.compile(r"[^\W\d_](?:[\w ()/.%+-]*[\w()/.%+-])?", re.UNICODE)
_WORDS_OF_YAML = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"}
_LINE = 120
_LONGEST_KEY = 200  # PyYAML reads simple keys of up to 1,024 characters, escapes included


def contract_yaml(contract: Contract) -> str:
    """Write a contract as YAML that reads well and loads back to the same values.

    Parameters
    ----------
    contract : Contract
        The contract.

    Returns
    -------
    str
        The text of `contract.yaml`, ending in a newline.
    """
    lines = [f"version: {contract.version}", f"task: {contract.task}"]
    if contract.positive is not None:
        lines.append(f"positive: {_scalar(contract.positive)}  # the label that counts as positive")
    lines += ["", "source:  # how the raw file is read", *_indent(_source_lines(contract.source))]
    lines += ["", "columns:  # in the order of the file"]
    for column in contract.columns:
        lines += _indent([*_key_lines(column.name), *_indent(_column_lines(column))])
    return HEADER + "\n".join(lines) + "\n"


def _source_lines(source: Source) -> list[str]:
    lines = [f"path: {_scalar(source.path)}", f"format: {source.format}"]
    if source.format == "csv":
        lines += [
            f"delimiter: {_quoted(source.delimiter)}",
            f"encoding: {source.encoding}",
            f"decimal: {_quoted(source.decimal)}",
        ]
    missing = _flow("missing", source.missing, quote=True)
    missing[-1] += "  # texts that mean 'no value', in every column"
    return lines + missing


def _column_lines(column: Column) -> list[str]:
    lines = [f"role: {column.role}"]
    if column.reason:
        lines.append(f"reason: {_scalar(column.reason)}")
    lines.append(f"type: {column.type}")
    if column.format:
        lines.append(f"format: {_scalar(column.format)}")
    lines.append(f"nullable: {'true' if column.nullable else 'false'}")
    if column.range is not None:
        lines += _flow("range", column.range)
    if column.many:
        lines.append("many: true  # too many values to list: any text is allowed")
    elif column.categories:
        lines += _flow("categories", column.categories)
    return [*lines, f"description: {_quoted(column.description)}"]


def _key_lines(name: str) -> list[str]:
    key = _scalar(name)
    return [f"{key}:"] if len(key) <= _LONGEST_KEY else [f"? {key}", ":"]


def _flow(key: str, values: tuple[Label, ...], *, quote: bool = False) -> list[str]:
    """Write `key: [a, b]`, over several lines where one would be too long to read."""
    items = [_quoted(str(value)) if quote else _scalar(value) for value in values]
    line = f"{key}: [{', '.join(items)}]"
    if len(line) <= _LINE - 4:
        return [line]
    lines = [""]
    for item in items:
        if len(lines[-1]) + len(item) > _LINE - 10 and lines[-1]:
            lines.append("")
        lines[-1] += f"{item}, "
    return [f"{key}: [", *(f"  {each.rstrip()}" for each in lines), "]"]


def _indent(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _scalar(value: Label) -> str:
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int):
        return str(value)
    plain = _PLAIN.fullmatch(value) and value.casefold() not in _WORDS_OF_YAML and len(value) <= _LINE
    return value if plain and yaml.safe_load(value) == value else _quoted(value)


def _float(value: float) -> str:
    """Write a float as YAML 1.1 reads one: with a point in the mantissa and a sign in the exponent."""
    mantissa, exponent, power = repr(value).partition("e")
    if not exponent:
        return mantissa
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{mantissa}e{power if power[0] in '+-' else '+' + power}"


def _quoted(value: str) -> str:
    text: str = yaml.dump(value, default_style='"', allow_unicode=True, width=10**9)
    return text.rstrip("\n")
