"""contract.yaml as values: what each column means and which values it may hold."""

import re
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from mlproduct.errors import DataError

CONTRACT = Path("contract.yaml")
OUTSIDE = ("reject", "flag")
ROLES = ("feature", "target", "protected", "time", "id", "ignore")
TYPES = ("number", "integer", "boolean", "category", "text", "datetime")
NUMERIC = ("number", "integer")


@dataclass(frozen=True)
class Source:
    """How the raw file is read."""

    path: str
    format: str = "csv"
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    missing: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Column:
    """What one column means and which values it may hold."""

    name: str
    role: str
    type: str
    nullable: bool = False
    range: tuple[float, float] | None = None
    categories: tuple[Any, ...] | None = None
    many: bool = False
    format: str | None = None
    description: str = ""
    reason: str = ""
    outside: str | None = None  # what the service does with a value outside of range or categories; else the head's

    @cached_property
    def labels(self) -> dict[str, Any]:
        """The allowed values: as text, which is how frames hold them -> as the contract writes them."""
        return {str(value): value for value in self.categories or ()}


@dataclass(frozen=True)
class Contract:
    """All of contract.yaml; `columns` in the order of the file."""

    task: str
    source: Source
    columns: dict[str, Column]
    positive: Any = None
    outside: str = "reject"
    allowed: tuple[str, ...] = ()  # protected columns that params.yaml, bias.allow makes features as well

    def flags(self, name: str) -> bool:
        """Whether the service predicts from a value outside of range or categories, and flags it; else it refuses."""
        return (self.columns[name].outside or self.outside) == "flag"

    def named(self, role: str) -> list[str]:
        """Return the columns of a role, in the order of the file."""
        return [column.name for column in self.columns.values() if column.role == role]

    @property
    def features(self) -> list[str]:
        """The columns a model may see."""
        return [
            column.name for column in self.columns.values() if column.role == "feature" or column.name in self.allowed
        ]

    @property
    def protected(self) -> list[str]:
        """The columns no decision may rest on: kept for evaluation only."""
        return self.named("protected")

    @property
    def target(self) -> str:
        """The column to predict."""
        return self.named("target")[0]

    @property
    def time(self) -> str | None:
        """The column that says when a row was true, if there is one."""
        return next(iter(self.named("time")), None)

    @property
    def id(self) -> str | None:
        """The column that names the entity, if there is one."""
        return next(iter(self.named("id")), None)

    @property
    def labels(self) -> list[Any]:
        """The classes, as contract.yaml writes them; empty for a regression."""
        return list(self.columns[self.target].categories or ()) if self.task == "classification" else []

    @classmethod
    def load(cls, path: Path = CONTRACT) -> "Contract":
        """Read contract.yaml.

        Raises
        ------
        DataError
            If the file is missing, is not valid YAML, or says something that cannot be.
        """
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(f"there is no {path}; `mlscaffold infer FILE --target COLUMN` prints one") from None
        except yaml.YAMLError as error:
            raise DataError(f"{path} is not valid YAML: {error}") from None
        if not isinstance(document, dict) or not isinstance(document.get("columns"), dict):
            raise DataError(f"{path} needs `columns:`, with one entry a column")
        columns = {str(name): _column(str(name), entry) for name, entry in document["columns"].items()}
        source = _source(document.get("source"))
        if document.get("version") != 1:
            raise DataError(f"{path} is of version {document.get('version')!r}; this code reads version 1")
        head = {key: value for key, value in document.items() if key not in ("version", "source", "columns", "allowed")}
        contract: Contract = _known(cls, "the head", head | {"source": source, "columns": columns})
        _check_roles(contract)
        return contract


def _known(kind: type, place: str, values: dict[str, Any]) -> Any:
    unknown = set(values) - {field.name for field in fields(kind)}
    if unknown:
        raise DataError(f"contract.yaml, {place}: unknown {', '.join(sorted(map(str, unknown)))}")
    try:
        return kind(**values)
    except TypeError as error:
        raise DataError(f"contract.yaml, {place}: {str(error).split('() ')[-1]}") from None


def _source(entry: Any) -> Source:
    if not isinstance(entry, dict) or not isinstance(entry.get("missing", []), list):
        raise DataError("contract.yaml, source: needs `path`, and `missing` as a list of texts")
    missing = tuple(str(text) for text in entry.get("missing", [""]))
    source: Source = _known(Source, "source", entry | {"missing": missing})
    if source.format not in ("csv", "parquet"):
        raise DataError("contract.yaml, source: format is csv or parquet")
    if len(source.delimiter) != 1 or source.decimal not in (".", ","):
        raise DataError('contract.yaml, source: delimiter is one character, decimal is "." or ","')
    return source


def _column(name: str, entry: Any) -> Column:
    if not isinstance(entry, dict):
        raise DataError(f"contract.yaml, column {name!r}: needs at least `role` and `type`")
    if not all(isinstance(entry[key], list) for key in ("range", "categories") if entry.get(key) is not None):
        raise DataError(f"contract.yaml, column {name!r}: `range` and `categories` are lists")
    lists = {key: tuple(entry[key]) for key in ("range", "categories") if entry.get(key) is not None}
    column: Column = _known(Column, f"column {name!r}", {"name": name} | entry | lists)
    if column.role not in ROLES or column.type not in TYPES:
        allowed = f"role is one of {', '.join(ROLES)}; type is one of {', '.join(TYPES)}"
        raise DataError(f"contract.yaml, column {name!r}: {allowed}")
    if column.type == "boolean" and len(column.categories or ()) != 2:
        raise DataError(f'contract.yaml, column {name!r}: a boolean needs two spellings, `categories: ["No", "Yes"]`')
    if column.range is not None and not _is_range(column.range):
        raise DataError(f"contract.yaml, column {name!r}: `range` is two numbers, [lowest, highest]")
    if column.format not in (None, "iso", "epoch_s", "epoch_ms"):
        try:
            datetime.strptime("", column.format)
        except (ValueError, re.error) as error:
            if "does not match" not in str(error):
                raise DataError(f"contract.yaml, column {name!r}, format: {error}") from None
    return column


def _is_range(ends: tuple[Any, ...]) -> bool:
    return len(ends) == 2 and all(isinstance(end, int | float) for end in ends) and ends[0] <= ends[1]


def _check_roles(contract: Contract) -> None:
    for role, lowest, highest in (("target", 1, 1), ("time", 0, 1), ("id", 0, 1)):
        found = contract.named(role)
        if not lowest <= len(found) <= highest:
            names = ", ".join(found)
            raise DataError(f"contract.yaml: {len(found)} columns have `role: {role}` ({names}); one may")
    target = contract.columns[contract.target]
    if contract.task not in ("classification", "regression"):
        raise DataError("contract.yaml: task is classification or regression")
    if {contract.outside, *(column.outside or "reject" for column in contract.columns.values())} - set(OUTSIDE):
        raise DataError("contract.yaml: outside is reject or flag")
    if contract.task == "classification" and not target.categories:
        raise DataError(f"contract.yaml: the target {target.name!r} of a classification needs `categories`")
    if contract.positive is not None and str(contract.positive) not in target.labels:
        quote = ' (in YAML a Yes without quotes is `true`: write "Yes")' if isinstance(contract.positive, bool) else ""
        raise DataError(f"contract.yaml: positive: {contract.positive!r} is not a category of {target.name!r}{quote}")
    if contract.task == "regression" and target.type not in NUMERIC:
        raise DataError(f"contract.yaml: the target {target.name!r} of a regression is a number or an integer")
