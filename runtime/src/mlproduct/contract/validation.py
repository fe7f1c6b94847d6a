"""Raw data against contract.yaml: how it is read, what its values are, and whether it keeps to the rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from mlproduct.contract.columns import NUMERIC, Column, Contract, Source
from mlproduct.errors import DataError


def read(path: Path, contract: Contract) -> pd.DataFrame:
    """Read a raw file: a CSV as text, a Parquet file as it is typed.

    Returns
    -------
    DataFrame
        One row a record; the index `row` counts them from 1.

    Raises
    ------
    DataError
        If the file is missing or cannot be read as the contract says.
    """
    source = contract.source
    try:
        if source.format == "parquet":
            from pyarrow import parquet  # not in the service, which imports this module and reads no file

            frame = parquet.read_table(path).to_pandas(ignore_metadata=True)  # an index is a column like any other
            names = frame.columns.str.strip()
        else:
            frame = pd.read_csv(
                path, sep=source.delimiter, encoding=source.encoding, dtype="str", header=None, na_filter=False
            )
            names, frame = frame.iloc[0].fillna("").str.strip(), frame.iloc[1:]
        frame = frame.set_axis([name or f"column_{i}" for i, name in enumerate(names, start=1)], axis=1)
    except FileNotFoundError:
        raise DataError(f"there is no {path}: put the data there, or fetch it by `make pull`") from None
    except (ValueError, LookupError) as error:
        raise DataError(f"{path} cannot be read as contract.yaml, source says: {error}") from None
    twice = list(frame.columns[frame.columns.duplicated()].unique())
    if twice:
        raise DataError(f"{path}: more than one column is named {', '.join(map(repr, twice))}; give each its own name")
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame


@dataclass(frozen=True)
class Violation:
    """A rule of the contract that data breaks, and the line of YAML that would admit it."""

    column: str
    rule: str
    fix: str
    rows: tuple[int, ...] = ()
    values: tuple[str, ...] = ()
    count: int = 0

    def __str__(self) -> str:
        """Say it in three lines."""
        rows = f" in {self.count} row{'s'[: self.count > 1]}: {', '.join(map(str, self.rows))}" if self.count else ""
        rows += " ..." if self.count > len(self.rows) else ""
        examples = f" ({', '.join(self.values)})" if self.values else ""
        return f"column {self.column!r}: {self.rule}{rows}{examples}\n    to admit it, in contract.yaml: {self.fix}"


def _violation(column: str, rule: str, fix: str, values: pd.Series) -> Violation:
    shown = [repr(value) for value in list(dict.fromkeys(values.head(100).tolist()))[:5]]
    return Violation(column, rule, fix, tuple(map(int, values.index[:5])), tuple(shown), len(values))


def parse(
    raw: pd.DataFrame, contract: Contract, columns: list[str] | None = None
) -> tuple[pd.DataFrame, list[Violation]]:
    """Turn raw values, texts or typed ones, into those the code works with.

    Numbers, integers and booleans become float64 (NaN is missing, booleans are 0 and 1), datetimes naive UTC
    timestamps, categories, texts and classes text.

    Parameters
    ----------
    raw : DataFrame of shape (n_rows, n_columns)
    columns : list of str, optional
        Parse these alone; by default all of the contract, and more than those is a violation.

    Returns
    -------
    frame : DataFrame of shape (n_rows, n_parsed_columns)
    violations : list of Violation
        Columns that are missing or unknown, and values that are not of their type.
    """
    found = [_violation(n, "is not in the contract", _new_column(n), raw[n].iloc[:0]) for n in raw.columns.difference(
        list(contract.columns), sort=False)] if columns is None else []  # fmt: skip
    parsed: dict[str, pd.Series] = {}
    for name in columns or contract.columns:
        column = contract.columns[name]
        if name not in raw:
            fix = f"remove {name!r} from columns, or bring the column back"
            found.append(Violation(name, "is missing", fix))
            continue
        parsed[name], bad = _values(raw[name], column, contract)
        if bad.any():
            wrong = raw.loc[bad, name]
            missing = sorted({str(value).strip() for value in wrong.head(1000)} | set(contract.source.missing))[:8]
            fix = f"source: {{missing: {_flow(missing)}}} if they mean 'no value', else {name!r}: {{type: text}}"
            found.append(
                _violation(name, f"is not {'an' if column.type == 'integer' else 'a'} {column.type}", fix, wrong)
            )
    return pd.DataFrame(parsed, index=raw.index), found


def _new_column(name: str) -> str:
    return f"columns: {{{_flow(name)}: {{role: ignore, type: text, nullable: true, reason: new}}}}"


def _flow(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")


def _values(raw: pd.Series, column: Column, contract: Contract) -> tuple[pd.Series, pd.Series]:
    classes = column.name == contract.target and contract.task == "classification"
    kind = "category" if classes else column.type
    if pd.api.types.is_numeric_dtype(raw) and not pd.api.types.is_bool_dtype(raw) and kind in NUMERIC:
        absent = pd.to_numeric(pd.Series(contract.source.missing, dtype="str"), errors="coerce")
        numbers = raw.astype("float64").mask(raw.isin(absent))
        return numbers, pd.Series(np.isinf(numbers), index=raw.index)
    if pd.api.types.is_datetime64_any_dtype(raw) and kind == "datetime":
        return pd.to_datetime(raw, utc=True).dt.tz_localize(None), pd.Series(False, index=raw.index)
    text = raw if isinstance(raw.dtype, pd.StringDtype) else raw.map(lambda value: _text(value, column)).astype("str")
    text = text.str.strip()
    empty = text.isna() | text.isin(contract.source.missing)
    text = text.mask(empty)
    values = _typed(text, kind, column, contract.source)
    return values, values.isna() & ~empty


def _text(value: Any, column: Column) -> str | None:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, bool | np.bool_) and column.type == "boolean" and str(bool(value)) not in column.labels:
        return list(column.labels)[bool(value)]
    if isinstance(value, float) and value.is_integer():  # which is how integers are held where one of them is missing
        return str(int(value))
    return str(value)


def _typed(text: pd.Series, kind: str, column: Column, source: Source) -> pd.Series:
    if kind in NUMERIC:
        return _numbers(text, source.decimal)
    if kind == "datetime":
        return _instants(text, column.format or "iso")
    numeric = {label: c for label, c in column.labels.items() if isinstance(c, int | float) and not isinstance(c, bool)}
    if numeric:
        labels = {float(value): label for label, value in numeric.items()}
        text = _numbers(text, source.decimal).map(labels).where(lambda label: label.notna(), text)
    if kind == "boolean":
        return text.map({label: float(i) for i, label in enumerate(column.labels)}).astype("float64")
    return text


def _numbers(text: pd.Series, decimal: str) -> pd.Series:
    plain = text if decimal == "." else text.str.replace(decimal, ".", regex=False)
    numbers = pd.to_numeric(plain, errors="coerce").astype("float64")
    return numbers.where(np.isfinite(numbers))


def _instants(text: pd.Series, form: str) -> pd.Series:
    instants = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us, UTC]")
    if form in ("epoch_s", "epoch_ms"):
        instants = pd.to_datetime(pd.to_numeric(text, errors="coerce"), unit=form[6:], errors="coerce", utc=True)
    elif form != "iso":
        instants = pd.to_datetime(text, format=form, errors="coerce", utc=True)
    left = instants.isna() & text.notna()
    if left.any():  # a caller of the service may always write ISO 8601
        iso = pd.to_datetime(text.where(left), format="ISO8601", errors="coerce", utc=True)
        instants = instants.fillna(iso)
    return instants.dt.tz_localize(None)


def schema(contract: Contract) -> Any:
    """Derive a pandera schema: what parsed data may hold."""
    import pandera.pandas as pa

    def checks(column: Column) -> Iterator[Any]:
        classes = column.role == "target" and contract.task == "classification"
        if column.type == "integer" and not classes:
            yield pa.Check(lambda s: s % 1 == 0, name="holds integers", error="holds integers")
        if column.range is not None and not classes:
            yield pa.Check.in_range(*column.range, error="is in range")
        if column.categories and (classes or column.type == "category"):
            yield pa.Check.isin(list(column.labels), error="is one of the categories")

    return pa.DataFrameSchema(
        {
            column.name: pa.Column(checks=list(checks(column)), nullable=column.nullable)
            for column in contract.columns.values()
            if column.role != "ignore"
        }
    )


def validate(frame: pd.DataFrame, contract: Contract) -> list[Violation]:
    """Check parsed data against the contract's rules: nulls, ranges, categories, whole numbers.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        As `parse` gives it; columns with `role: ignore` are not looked at.
    """
    import pandera.errors

    present = [name for name, column in contract.columns.items() if name in frame and column.role != "ignore"]
    try:
        schema(contract).select_columns(present).validate(frame[present], lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
        return [
            _broken(frame, contract.columns[str(name)], str(rule), pd.Index(rows["index"]))
            for (name, rule), rows in cases.groupby(["column", "check"], sort=False)
        ]
    return []


def _broken(frame: pd.DataFrame, column: Column, rule: str, rows: pd.Index) -> Violation:
    values = frame.loc[rows.astype("int64"), column.name].sort_index()
    if rule == "not_nullable":
        return _violation(column.name, "holds no value", f"{_flow(column.name)}: {{nullable: true}}", values.iloc[:0]
                          .reindex(values.index))  # fmt: skip
    if column.range is not None and rule == "is in range":
        wider = [float(min(column.range[0], values.min())), float(max(column.range[1], values.max()))]
        allowed = f"is outside of {list(column.range)}"
        return _violation(column.name, allowed, f"{_flow(column.name)}: {{range: {_flow(wider)}}}", values)
    if rule == "is one of the categories":
        more = [*(column.categories or ()), *sorted(set(values))]
        admit = f"{{categories: {_flow(more)}}}" if len(more) <= 30 else f"categories: add {_flow(sorted(set(values)))}"
        return _violation(column.name, "holds an unknown category", f"{_flow(column.name)}: {admit}", values)
    return _violation(column.name, "is not an integer", f"{_flow(column.name)}: {{type: number}}", values)


def load_data(path: Path, contract: Contract) -> pd.DataFrame:
    """Read, parse and validate a raw file.

    Raises
    ------
    DataError
        If data disagrees with the contract; the message names column, rule and rows, and the YAML that would admit it.
    """
    frame, violations = parse(read(path, contract), contract)
    violations += validate(frame, contract)
    if violations:
        lines = "\n".join(f"- {violation}" for violation in violations)
        raise DataError(f"{path} disagrees with contract.yaml (rows count from 1, without the header):\n{lines}")
    if frame.empty:
        raise DataError(f"{path} holds no rows")
    return frame


def main() -> None:
    """Check the raw data; DVC runs this first."""
    contract = Contract.load()
    frame = load_data(Path(contract.source.path), contract)
    print(f"{contract.source.path}: {len(frame)} rows match contract.yaml")
