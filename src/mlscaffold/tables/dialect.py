"""How a text file is written: its encoding, its delimiter and its header, from the first bytes."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ..errors import UserError

DELIMITERS = (",", ";", "\t", "|")
SPELLED = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
NUMBER = re.compile(r"[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[T ].*)?")
LONGEST_CELL = 2**31 - 1  # what the csv module takes on every system; its default is 131,072
_ROWS = 200  # records looked at: enough to tell a delimiter, cheap for a prompt

# Files that carry a name like table.csv but are something else, by their first bytes.
_NOT_TEXT = {
    b"PK\x03\x04": ("an Excel workbook or a zip archive", "export the sheet as CSV, or unpack the archive"),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook (xls)", "export the sheet as CSV"),
    b"BZh": ("compressed with bzip2", "unpack it with bunzip2"),
    b"\xfd7zXZ": ("compressed with xz", "unpack it with unxz"),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "unpack it with unzstd"),
    b"ARROW1": ("an Arrow (Feather) file", "save it as Parquet or CSV"),
    b"SQLite format 3": ("an SQLite database", "export the table as CSV"),
    b"\x89HDF": ("an HDF5 file", "save it as Parquet or CSV"),
    b"%PDF": ("a PDF", "save the table as CSV"),
    b"\xff\xfe": ("encoded in UTF-16", "save it as CSV in UTF-8"),
    b"\xfe\xff": ("encoded in UTF-16", "save it as CSV in UTF-8"),
}
_NOT_A_TABLE = (
    (re.compile(r"\s*<(?:!doctype|html|\?xml)", re.IGNORECASE), "a web page or XML", "download the CSV file itself"),
    (re.compile(r'\s*(?:\{\s*["}]|\[\s*[\[{])'), "JSON", "save it as CSV or Parquet"),
)


@dataclass(frozen=True)
class Dialect:
    """How a text file is written, and the names of its columns.

    Attributes
    ----------
    encoding : str
        `utf-8`, `utf-8-sig` (with a byte order mark) or `latin-1`.
    delimiter : str
        What stands between two cells.
    columns : tuple of str
        The header: stripped, an empty name replaced by `column_<position>`.
    lines : int
        Number of lines up to the end of the header.
    newline : str
        What ends a line: a line feed (a carriage return may stand before it), or the lone carriage return of old Macs.
    """

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    lines: int = 1
    newline: str = "\n"


def check_is_text(head: bytes, name: str) -> None:
    """Refuse a file that is not a text table, by its first bytes.

    Parameters
    ----------
    head : bytes
        The first bytes of the file.
    name : str
        What messages call the file.
    """
    for magic, (what, fix) in _NOT_TEXT.items():
        if head.startswith(magic):
            raise UserError(f"{name} is {what}, not a CSV or Parquet file; {fix}")
    if b"\0" in head:
        raise UserError(f"{name} holds zero bytes: it is binary or encoded in UTF-16; save it as CSV in UTF-8")


def sniff(text: str, encoding: str, name: str, *, whole: bool) -> Dialect:
    """Find delimiter and header of a text table.

    Parameters
    ----------
    text : str
        The beginning of the file.
    encoding : str
        What the file was decoded with.
    name : str
        What messages call the file.
    whole : bool
        Whether `text` is the whole file; otherwise its last record may be cut and is not looked at.

    Returns
    -------
    Dialect
        How the file is written.
    """
    for pattern, what, fix in _NOT_A_TABLE:
        if pattern.match(text):
            raise UserError(f"{name} is {what}, not a CSV file; {fix}")
    newline = "\n" if "\n" in text or "\r" not in text else "\r"
    try:
        delimiter, records = _delimiter(text.replace(newline, "\n"), whole=whole)
    except csv.Error as error:
        raise UserError(f"{name} has a carriage return in a cell that is not quoted; save it again as CSV") from error
    if not records:
        raise UserError(f"{name} is empty; give a table with a header and rows")
    first, *rows = (cells for _, cells in records)
    _check_width(first, rows, delimiter, name)
    _check_is_header(first, rows, name)
    return Dialect(encoding, delimiter, names(first, name), records[0][0], newline)


def names(cells: list[str], name: str) -> tuple[str, ...]:
    """Turn a header into column names: stripped, none empty, none twice."""
    found = tuple(cell.strip() or f"column_{position}" for position, cell in enumerate(cells, start=1))
    twice = [each for each, count in Counter(found).items() if count > 1]
    if twice:
        shown = ", ".join(repr(each) for each in twice[:5])
        raise UserError(f"{name} has several columns named {shown}; give each column its own name in the first line")
    return found


def records_of(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank, with the number of the line it ends on."""
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)
    for cells in reader:
        if cells:
            yield reader.line_num, cells


def _delimiter(text: str, *, whole: bool) -> tuple[str, list[tuple[int, list[str]]]]:
    """Choose the delimiter under which most records have as many cells as the first, then most cells, then names."""
    best: tuple[float, int, int, str, list[tuple[int, list[str]]]] | None = None
    for delimiter in DELIMITERS:
        records = _head(text, delimiter, whole=whole)
        widths = Counter(len(cells) for _, cells in records)
        width = len(records[0][1]) if records else 0
        common = widths.most_common(1)[0][0] if widths else 0
        agree = widths[common] / len(records) if common > 1 else 0.0
        # A header of another width than the rows is kept, so that it can be named, but a delimiter that fits wins.
        named = sum(bool(cell.strip()) for cell in records[0][1]) if records else 0
        score = (round(agree, 1) if width == common else agree / 2, common, named, delimiter, records)
        if best is None or score[:3] > best[:3]:
            best = score
    assert best is not None  # noqa: S101 - DELIMITERS is not empty
    return best[3], best[4]


def _head(text: str, delimiter: str, *, whole: bool) -> list[tuple[int, list[str]]]:
    records = []
    for record in records_of(text, delimiter):
        records.append(record)
        if len(records) > _ROWS:
            return records[:-1]
    return records if whole or len(records) < 2 else records[:-1]


def _check_width(first: list[str], rows: list[list[str]], delimiter: str, name: str) -> None:
    common = Counter(len(row) for row in rows).most_common(1)[0][0] if rows else len(first)
    if len(first) == common == 1:
        raise UserError(f"{name} has a single column; separate the columns with commas, semicolons, tabs or bars (|)")
    if len(first) == common:
        return
    if len(first) == 1:
        raise UserError(
            f"line 1 of {name} ({_shown(first)}) has one cell where the rows have {common}; "
            "delete the lines above the header"
        )
    raise UserError(
        f"the header of {name} has {len(first)} names, its rows have {common} cells "
        f"(separated by {SPELLED[delimiter]}); give every column a name in the first line"
    )


def _check_is_header(first: list[str], rows: list[list[str]], name: str) -> None:
    """Refuse a first line that is data.

    A word above numbers or dates is a name. Without one, a column speaks against a header where its first cell is a
    number or date like those below, or a text that comes again below. Numbers that count upwards (years as columns,
    0 1 2) are names.
    """
    if not rows or _count_upwards(first):
        return
    columns = list(zip(*(row for row in rows if len(row) == len(first)), strict=True))
    pairs = [(cell.strip(), column) for cell, column in zip(first, columns, strict=False) if cell.strip()]
    against = sum(_is_data(cell, column) for cell, column in pairs)
    if against > len(pairs) / 2 and not any(_is_name(cell, column) for cell, column in pairs):
        raise UserError(
            f"{name} has no header: its first line ({_shown(first)}) looks like data; "
            "put a line with the names of the columns on top"
        )


def _count_upwards(first: list[str]) -> bool:
    """Say whether whole numbers go up one by one, or so many of them only go up that it is not by chance."""
    numbers = [int(cell) for cell in first if cell.strip().isdecimal()]
    steps = [b - a for a, b in pairwise(numbers)]
    return bool(steps) and (set(steps) == {1} or (len(steps) >= 7 and min(steps) > 0))


def _is_name(cell: str, below: tuple[str, ...]) -> bool:
    return not _is_typed(cell) and _are_typed(below)


def _is_data(cell: str, below: tuple[str, ...]) -> bool:
    return _are_typed(below) if _is_typed(cell) else cell in {value.strip() for value in below}


def _is_typed(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def _are_typed(cells: tuple[str, ...]) -> bool:
    """Say whether most of the cells that are not empty are numbers or dates."""
    values = [cell.strip() for cell in cells if cell.strip()]
    return sum(map(_is_typed, values)) > len(values) / 2


def _shown(cells: list[str]) -> str:
    text = ", ".join(cells)
    return text if len(text) <= 60 else f"{text[:57]}..."
