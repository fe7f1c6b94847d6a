"""Read tables: the only way to the cells of a data file.

Every cell comes out as text, stripped of white space, whatever the file holds: what a text means is for `infer` to say.
Polars is imported inside functions, here and in the modules around: `mlscaffold --help` must not pay for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from . import csvfile, parquetfile
from .dialect import Dialect, names

if TYPE_CHECKING:
    import polars as pl

SMALL = 64 * 2**20  # a text file of up to so many bytes is read whole
_PARQUET = b"PAR1"
# Python's white space, which is more than polars strips by default: the generated reader strips with Python.
WHITE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


@dataclass(frozen=True)
class Table:
    """A data file that can be read, and how.

    Attributes
    ----------
    path : Path
        The file.
    columns : tuple of str
        Names of the columns: stripped, an empty name replaced by `column_<position>`.
    dialect : Dialect, optional
        How a text file is written; None for Parquet.
    packed : bool
        Whether a text file is gzipped.
    size : int
        Bytes of a text file, unpacked; rows of a Parquet file.
    whole : polars.DataFrame, optional
        All cells, where the file is small.
    """

    path: Path
    columns: tuple[str, ...]
    dialect: Dialect | None
    packed: bool
    size: int
    whole: "pl.DataFrame | None" = field(default=None, repr=False, compare=False)

    @property
    def raw_name(self) -> str:
        """Name of the file in a generated repository: it tells readers how to open it."""
        if self.dialect is None:
            return "raw.parquet"
        if self.packed:
            return "raw.csv.gz"
        return "raw.tsv" if self.dialect.delimiter == "\t" else "raw.csv"

    def sample(self) -> "pl.DataFrame":
        """Return all rows of a small file; of a large one the beginning and parts spread over the file."""
        if self.whole is not None:
            return self.whole
        import polars as pl

        if self.dialect is None:
            parts = parquetfile.sample(self.path, self.columns, self.size)
        else:
            parts = csvfile.sample(self.path, self.dialect, self.size)
        return pl.concat([_stripped(part) for part in parts])

    def batches(self) -> Iterator["pl.DataFrame"]:
        """Yield all rows, a bounded part at a time."""
        if self.whole is not None:
            yield self.whole
        elif self.dialect is None:
            yield from map(_stripped, parquetfile.frames(self.path, self.columns, self.size))
        else:
            yield from map(_stripped, csvfile.frames(self.path, self.dialect))


def header(path: Path) -> tuple[str, ...]:
    """Return the names of the columns, reading only the beginning of the file.

    Parameters
    ----------
    path : Path
        A CSV, CSV.gz, TSV or Parquet file.

    Returns
    -------
    tuple of str
        Names, stripped; an empty one is `column_<position>`.

    Raises
    ------
    UserError
        If the file is missing, empty, no table, or has no header.
    """
    head = _head(path)
    if head.startswith(_PARQUET):
        return names(list(parquetfile.schema_of(path)), path.name)
    return csvfile.dialect_of(head, path).columns


def open_table(path: Path) -> Table:
    """Find out how a data file is written, and read it where it is small.

    Parameters
    ----------
    path : Path
        A CSV, CSV.gz, TSV or Parquet file; what it is, is told by its content, not by its name.

    Returns
    -------
    Table
        Cells as text.

    Raises
    ------
    UserError
        If the file is missing, empty, no table, or has no header, no rows or rows of different widths.
    """
    head = _head(path)
    table = _open_parquet(path) if head.startswith(_PARQUET) else _open_text(path, head)
    if not table.size or (table.whole is not None and table.whole.is_empty()):
        raise UserError(f"{path.name} has a header but no rows; give a table with rows")
    return table


def _head(path: Path) -> bytes:
    if not path.exists():
        raise UserError(f"there is no file {path}; check the path")
    if path.is_dir():
        raise UserError(f"{path} is a folder; name the file in it that holds the table")
    head = csvfile.read_head(path)
    if not head.strip():
        raise UserError(f"{path.name} is empty; give a table with a header and rows")
    return head


def _open_text(path: Path, head: bytes) -> Table:
    import polars as pl

    dialect = csvfile.dialect_of(head, path)
    utf8, size = csvfile.survey(path)
    if dialect.encoding != "latin-1" and not utf8:
        dialect = csvfile.dialect_of(head, path, "latin-1")
    empty = pl.DataFrame(schema=dict.fromkeys(dialect.columns, pl.String()))
    whole = pl.concat([empty, *map(_stripped, csvfile.frames(path, dialect, SMALL + 1))]) if size <= SMALL else None
    return Table(path, dialect.columns, dialect, csvfile.is_packed(path), size, whole)


def _open_parquet(path: Path) -> Table:
    columns = names(list(parquetfile.schema_of(path)), path.name)
    rows = parquetfile.count_rows(path)
    whole = None
    if rows * len(columns) <= parquetfile.CELLS:
        whole = _stripped(parquetfile.frame(path, columns, 0, rows))
    return Table(path, columns, None, packed=False, size=rows, whole=whole)


def _stripped(frame: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return frame.with_columns(pl.all().str.strip_chars(WHITE))
