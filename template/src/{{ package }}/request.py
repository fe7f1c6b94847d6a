"""What a caller sends and gets, as pydantic models derived from contract.yaml."""

from typing import Annotated, Any

import pandas as pd
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic import create_model as pydantic_model

from .contract import NUMERIC, Column, Contract, parse


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


def record_model(contract: Contract) -> type[BaseModel]:
    """Derive the model of one record: a field for each feature, with the contract's types, ranges and categories.

    The other columns of the table may be sent as well and are not looked at, so that a caller can send a row as it
    stands. A column that the contract does not know is refused.
    """
    fields: dict[str, Any] = {}
    for i, column in enumerate(contract.columns.values()):
        if column.name in contract.features:
            kind = _kind(column) | None if column.nullable else _kind(column)
            shown = WithJsonSchema(_shown(column))
            fields[f"field_{i}"] = (Annotated[kind, shown], Field(alias=column.name))
        else:
            ignored = Annotated[Any, WithJsonSchema({"description": f"{column.role}: not looked at"})]
            fields[f"field_{i}"] = (ignored, Field(default=None, alias=column.name))
    model: type[BaseModel] = pydantic_model("Record", __config__=ConfigDict(extra="forbid"), **fields)
    return model


def _kind(column: Column) -> Any:
    """Give the type that checks a value."""
    if column.type in NUMERIC:
        low, high = column.range or (None, None)
        limits = Field(strict=True, allow_inf_nan=False, ge=low, le=high)
        number = Annotated[float, limits]
        return Annotated[number, AfterValidator(_whole)] if column.type == "integer" else number
    if column.categories:
        return Annotated[Any, BeforeValidator(lambda value: _label(value, column))]
    if column.type == "datetime" and column.format != "iso":
        return str | int
    return Annotated[str, Field(strict=True)]


def _shown(column: Column) -> dict[str, Any]:
    """Give the JSON Schema of a column, as the page of the API shows it."""
    schema: dict[str, Any] = {"type": column.type if column.type in NUMERIC else "string", "title": column.name}
    if column.range and column.type in NUMERIC:
        schema |= {"minimum": column.range[0], "maximum": column.range[1]}
    if column.categories:
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
    return schema | ({"nullable": True} if column.nullable else {})


def _whole(value: float) -> float:
    if value % 1:
        raise ValueError("is no integer")
    return value


def _label(value: Any, column: Column) -> Any:
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
    known = list(column.labels)
    shown = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    raise ValueError(f"{str(value)[:50]!r} is none of {shown}")


def read_body(body: Any, contract: Contract, model: type[BaseModel], most: int) -> tuple[pd.DataFrame, bool]:
    """Turn a request's body into the features of its records.

    Parameters
    ----------
    body : object
        `{"records": [{...}, ...]}`, or one record.
    most : int
        Records that a request may hold.

    Returns
    -------
    features : DataFrame of shape (n_records, n_features)
    one : bool
        Whether the body was one bare record.

    Raises
    ------
    RefusedError
        If it breaks the contract; each fault with its record and field.
    """
    if not isinstance(body, dict):
        raise RefusedError('the body is a JSON object: one record, or {"records": [...]}')
    column = "records" in contract.columns and not isinstance(body.get("records"), list)  # no value is a list
    one = column or "records" not in body
    records = [body] if one else body["records"]
    if not one and (set(body) != {"records"} or not isinstance(records, list) or not records):
        message = "is a list of at least one record, and stands alone"
        raise RefusedError(f'"records" {message}', [_fault(None, "records", message)])
    if len(records) > most:
        raise RefusedError(f"{len(records)} records: a request may hold {most}", status=413)
    valid = [_validated(model, record, i) for i, record in enumerate(records)]
    faults = [fault for found in valid if isinstance(found, list) for fault in found]
    if not faults:
        rows = [found for found in valid if isinstance(found, dict)]
        raw = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in contract.features})
        features, violations = parse(raw, contract, contract.features)
        faults = [_fault(row, broken.column, broken.rule) for broken in violations for row in broken.rows]
    if faults:
        first = f"{faults[0]['field']}: {faults[0]['message']}"
        raise RefusedError(f"{len(faults)} fault{'s'[: len(faults) > 1]}: {first}", faults[:100])
    return features, one


def _validated(model: type[BaseModel], record: Any, place: int) -> dict[str, Any] | list[dict[str, Any]]:
    plain = {"missing": "is missing", "extra_forbidden": "is no column of contract.yaml"}
    try:
        return model.model_validate(record).model_dump(by_alias=True)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        return [
            _fault(place, str(fault["loc"][0]) if fault["loc"] else "record",
                   plain.get(fault["type"], fault["msg"].removeprefix("Value error, ")))
            for fault in faults
        ]  # fmt: skip


def _fault(record: int | None, field: str, message: str) -> dict[str, Any]:
    return {"record": record, "field": field, "message": message}


def examples(contract: Contract, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Write parsed rows as a caller would send them.

    Parameters
    ----------
    rows : DataFrame of shape (n_rows, n_columns)
        As `contract.parse` gives them.
    """

    def sent(value: Any, column: Column) -> Any:
        if pd.isna(value):
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
