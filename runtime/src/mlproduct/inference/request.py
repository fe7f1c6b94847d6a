"""What a caller sends: pydantic models derived from contract.yaml, and the values that come out of a request."""

from datetime import UTC, datetime
from itertools import compress
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic import create_model as pydantic_model

from mlproduct.contract.columns import NUMERIC, Column, Contract

if TYPE_CHECKING:
    import pandas as pd

ISO = ("%Y-%m", "%Y")  # which `fromisoformat` of Python 3.11 does not read
Record = dict[str, Any]


class RefusedError(Exception):
    """A request that breaks the contract.

    Attributes
    ----------
    status : int
        Of the HTTP answer.
    errors : list of dict
        `record` (its place, from 0), `field` and `message` of each fault.
    """

    def __init__(self, message: str, errors: list[dict[str, Any]] | None = None, status: int = 422) -> None:
        super().__init__(message)
        self.status, self.errors = status, errors or []


class Asked(NamedTuple):
    """What a request asks.

    Attributes
    ----------
    records : list of dict
        Of each record the features: numbers and booleans as float, categories and texts as str, dates as naive UTC
        datetime, and None where a value is missing.
    one : bool
        Whether the body was one bare record.
    flags : list of list of dict
        Of each record the values outside of the contract's range or categories that the contract lets pass.
    """

    records: list[Record]
    one: bool
    flags: list[list[dict[str, Any]]]


def record_model(contract: Contract) -> type[BaseModel]:
    """Derive the model of one record: a field for each feature, with the contract's types, ranges and categories.

    The other columns of the table may be sent as well and are not looked at, so that a caller can send a row as it
    stands. A column that the contract does not know is refused.
    """
    fields: dict[str, Any] = {}
    for i, column in enumerate(contract.columns.values()):
        if column.name in contract.features:
            kind = _kind(column, contract) | None if column.nullable else _kind(column, contract)
            shown = WithJsonSchema(_shown(column, contract.flags(column.name)))
            fields[f"field_{i}"] = (Annotated[kind, shown], Field(alias=column.name))
        else:
            ignored = Annotated[Any, WithJsonSchema({"description": f"{column.role}: not looked at"})]
            fields[f"field_{i}"] = (ignored, Field(default=None, alias=column.name))
    model: type[BaseModel] = pydantic_model("Record", __config__=ConfigDict(extra="forbid"), **fields)
    return model


def _kind(column: Column, contract: Contract) -> Any:
    """Return the type that checks a value and turns it into the one that the model knows."""
    if column.type in NUMERIC:
        low, high = (None, None) if contract.flags(column.name) else column.range or (None, None)
        number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=low, le=high)]
        return Annotated[number, AfterValidator(_whole)] if column.type == "integer" else number
    if column.type == "boolean":
        places = {label: float(i) for i, label in enumerate(column.labels)}
        return Annotated[Any, BeforeValidator(lambda value: places[_label(value, column, open_=False)])]
    if column.categories:
        open_ = contract.flags(column.name)
        return Annotated[Any, BeforeValidator(lambda value: _label(value, column, open_))]
    if column.type == "datetime":
        return Annotated[Any, BeforeValidator(lambda value: _instant(value, column))]
    return Annotated[str, Field(strict=True), AfterValidator(str.strip)]


def _shown(column: Column, open_: bool) -> dict[str, Any]:
    """Return the JSON Schema of a column, as the page of the API shows it."""
    schema: dict[str, Any] = {"type": column.type if column.type in NUMERIC else "string", "title": column.name}
    if column.range and column.type in NUMERIC and not open_:
        schema |= {"minimum": column.range[0], "maximum": column.range[1]}
    if column.categories and not (open_ and column.type == "category"):
        schema["enum"] = list(column.categories)
        if not all(isinstance(value, str) for value in column.categories):
            del schema["type"]
    notes = [column.description]
    if column.type == "boolean":
        notes.append("true and false will do as well")
    if column.type == "datetime":
        notes.append("a date, ISO 8601" + (f" or as {column.format}" if column.format != "iso" else ""))
    if described := "; ".join(note for note in notes if note):
        schema["description"] = described
    if column.nullable:
        schema |= {"type": [schema["type"], "null"]} if "type" in schema else {}
        schema |= {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema


def _whole(value: float) -> float:
    if value % 1:
        raise ValueError("is not an integer")
    return value


def _label(value: Any, column: Column, open_: bool) -> str:
    if isinstance(value, str) and value in column.labels:  # nearly every value
        return value
    if value is None:
        raise ValueError("needs a value")
    if isinstance(value, bool) and column.type == "boolean":
        return list(column.labels)[value]
    if isinstance(value, int | float) and not isinstance(value, bool):  # 1 and 1.0 are one number
        value = next((label for label, number in column.labels.items() if number == value), value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str | int) and str(value).strip() in column.labels:
        return str(value).strip()
    if open_ and isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value).strip()
    labels = list(column.labels)
    shown = ", ".join(labels[:20]) + (f" and {len(labels) - 20} more" if len(labels) > 20 else "")
    raise ValueError(f"{str(value)[:50]!r} is none of {shown}")


def _instant(value: Any, column: Column) -> datetime:
    """Read a date as contract.yaml writes it; a caller may always write ISO 8601."""
    form = column.format or "iso"
    numeric = form in ("epoch_s", "epoch_ms")
    if isinstance(value, bool) or not isinstance(value, str | (int | float if numeric else str)):
        raise ValueError("is not a datetime")  # noqa: TRY004  # reported like any other value that cannot be read
    try:
        if numeric:
            return _epoch(float(value), form)
    except (ValueError, OverflowError, OSError):
        pass
    for pattern in [form] * (not numeric and form != "iso") + ["iso", *ISO]:
        try:
            found = (
                datetime.fromisoformat(str(value).strip())
                if pattern == "iso"
                else datetime.strptime(str(value).strip(), pattern)
            )
            return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
        except (ValueError, OverflowError):
            continue
    raise ValueError("is not a datetime" + (f" as {form}, or in ISO 8601" if form != "iso" else " in ISO 8601"))


def _epoch(seconds: float, form: str) -> datetime:
    return datetime.fromtimestamp(seconds / (1000 if form == "epoch_ms" else 1), UTC).replace(tzinfo=None)


class Reader:
    """Reads the bodies of requests; made once, as the models are derived from the contract then."""

    def __init__(self, contract: Contract, most: int) -> None:
        self.contract, self.most = contract, most
        self.model = record_model(contract)
        self._validate = self.model.__pydantic_validator__.validate_python
        self._named = "records" in contract.columns
        missing = {value for text in contract.source.missing if (value := _number(text)) is not None}
        columns = [(column.name, column) for column in contract.columns.values()]
        self._wanted = [name in contract.features for name, _ in columns]
        self._names = contract.features
        blank = {c.name: missing if c.type in NUMERIC else set(contract.source.missing) for _, c in columns}
        open_ = [
            n for n in contract.features if not contract.columns[n].labels and contract.columns[n].type != "datetime"
        ]
        self._blank = {name: blank[name] for name in open_ if blank[name]}
        self._open = [c for n, c in columns if n in contract.features and contract.flags(n)]

    def read(self, body: Any) -> Asked:
        """Turn a request's body into the features of its records.

        Parameters
        ----------
        body : object
            `{"records": [{...}, ...]}`, or one record.

        Raises
        ------
        RefusedError
            If it breaks the contract; each fault with its record and field.
        """
        records, one = self._records(body)
        read, faults = [], []
        for i, record in enumerate(records):
            try:
                read.append(self._read(record))
            except ValidationError as error:
                faults += _faults(error, i)
        if faults:
            first = f"{faults[0]['field']}: {faults[0]['message']}"
            raise RefusedError(f"{len(faults)} fault{'s'[: len(faults) > 1]}: {first}", faults)
        return Asked(read, one, [self._flags(record) for record in read] if self._open else [])

    def _records(self, body: Any) -> tuple[list[Any], bool]:
        if not isinstance(body, dict):
            raise RefusedError('the body is a JSON object: one record, or {"records": [...]}')
        column = self._named and not isinstance(body.get("records"), list)  # no value is a list
        if column or "records" not in body:
            return [body], True
        records = body["records"]
        if set(body) != {"records"} or not isinstance(records, list) or not records:
            message = "is a list of at least one record, and stands alone"
            raise RefusedError(f'"records" {message}', [_fault(None, "records", message)])
        if len(records) > self.most:
            raise RefusedError(f"{len(records)} records: a request may hold {self.most}", status=413)
        return records, False

    def _read(self, record: Any) -> Record:
        found = self._validate(record).__dict__.values()
        read = dict(zip(self._names, compress(found, self._wanted), strict=True))
        for name, blank in self._blank.items():
            if read[name] in blank:
                read[name] = None
        return read

    def _flags(self, record: Record) -> list[dict[str, Any]]:
        return [{"field": c.name, "message": message} for c in self._open if (message := outside(record[c.name], c))]


def outside(value: Any, column: Column) -> str | None:
    """Say how a value lies outside of the contract, or None."""
    if value is None:
        return None
    if column.type in NUMERIC and column.range and not column.range[0] <= value <= column.range[1]:
        return f"{value:g} is outside of {list(column.range)}"
    if column.type == "category" and column.categories and value not in column.labels:
        return f"{value[:50]!r} is an unknown category"
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _faults(error: ValidationError, place: int) -> list[dict[str, Any]]:
    plain = {"missing": "is missing", "extra_forbidden": "is not a column of contract.yaml"}
    return [
        _fault(place, str(fault["loc"][0]) if fault["loc"] else "record",
               plain.get(fault["type"], fault["msg"].removeprefix("Value error, ")))
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]  # fmt: skip


def _fault(record: int | None, field: str, message: str) -> dict[str, Any]:
    return {"record": record, "field": field, "message": message}


def values(contract: Contract, rows: "pd.DataFrame") -> list[Record]:
    """Return parsed rows as `Reader.read` gives records.

    Parameters
    ----------
    rows : DataFrame of shape (n_rows, n_columns)
        As `contract.parse` gives them.
    """
    columns = {}
    for name in contract.features:
        column, missing = rows[name], rows[name].isna().to_numpy()
        plain = (
            column.dt.to_pydatetime() if contract.columns[name].type == "datetime" else column.to_numpy(dtype=object)
        )
        columns[name] = [None if absent else value for value, absent in zip(plain, missing, strict=True)]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def examples(contract: Contract, rows: "pd.DataFrame") -> list[dict[str, Any]]:
    """Write parsed rows as a caller would send them.

    Parameters
    ----------
    rows : DataFrame of shape (n_rows, n_columns)
        As `contract.parse` gives them.
    """

    def sent(value: Any, column: Column) -> Any:
        if value is None or value != value:  # noqa: PLR0124  # NaN and NaT are not themselves
            return None
        if column.type == "boolean":
            return (column.categories or ())[int(value)]
        if column.type in NUMERIC:
            return int(value) if column.type == "integer" else float(value)
        if column.type == "datetime":
            return value.isoformat()
        return column.labels.get(value, value)

    columns = [contract.columns[name] for name in contract.features]
    return [{c.name: sent(row[c.name], c) for c in columns} for _, row in rows.iterrows()]
