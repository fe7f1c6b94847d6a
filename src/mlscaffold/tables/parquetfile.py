"""Read Parquet, a bounded part at a time, every cell as the text a CSV file would hold."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError

if TYPE_CHECKING:
    import polars as pl

CELLS = 8_000_000  # of a batch: about as many bytes as a block of a CSV file, times ten


def schema_of(path: Path) -> "pl.Schema":
    """Return names and types of the columns; refuse what a table of cells cannot hold."""
    import polars as pl

    try:
        schema = pl.scan_parquet(path).collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UserError(f"{path.name} is a damaged Parquet file; write it again") from error
    if not schema:
        raise UserError(f"{path.name} has no columns; give a table with a header and rows")
    for name, dtype in schema.items():
        if dtype.is_nested() or dtype in {pl.Binary, pl.Object, pl.Duration}:
            raise UserError(
                f"column {name!r} of {path.name} holds {dtype} values; turn it into plain columns or drop it"
            )
    return schema


def count_rows(path: Path) -> int:
    """Return the number of rows, from the footer."""
    import polars as pl

    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def frames(path: Path, columns: tuple[str, ...], rows: int) -> Iterator["pl.DataFrame"]:
    """Yield all rows as text."""
    step = max(CELLS // len(columns), 1)
    for start in range(0, rows, step):
        yield frame(path, columns, start, step)


def sample(path: Path, columns: tuple[str, ...], rows: int) -> Iterator["pl.DataFrame"]:
    """Yield the first rows and others spread over a large file."""
    step = max(CELLS // len(columns), 1)
    share = max(step * step // rows, 1)
    for start in range(0, rows, step):
        yield frame(path, columns, start, step if start == 0 else share)


def frame(path: Path, columns: tuple[str, ...], start: int, length: int) -> "pl.DataFrame":
    """Read some rows as text: dates in ISO 8601, booleans as Python spells them, nulls as empty cells."""
    import polars as pl

    found = pl.scan_parquet(path).slice(start, length).collect()
    found.columns = list(columns)
    return found.select(_as_text(found[name]).fill_null("").alias(name) for name in columns)


def _as_text(column: "pl.Series") -> "pl.Series":
    import polars as pl

    if column.dtype == pl.Boolean:
        return column.replace_strict({True: "True", False: "False"}, default=None, return_dtype=pl.String)
    if column.dtype == pl.Datetime:
        return column.dt.to_string("iso:strict")
    if column.dtype.is_float():
        column = column.fill_nan(None)
    return column.cast(pl.String)
