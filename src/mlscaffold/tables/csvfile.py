"""Read delimited text, plain or gzipped, in blocks of whole records: the memory needed does not grow with the file."""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from ..errors import UserError
from .dialect import LONGEST_CELL, SPELLED, Dialect, check_is_text, sniff

if TYPE_CHECKING:
    import polars as pl

HEAD = 2**20  # enough to tell the dialect, cheap for a prompt
BLOCK = 16 * 2**20
SAMPLE = 32 * 2**20  # bytes of a large file that are looked at before anything is decided
LEAST_PART = 2**16  # bytes of a block that are looked at in any case
LONGEST_RECORD = 8 * BLOCK
_ROWS = 50_000  # Python objects cost ten times the text: turned into a frame so many at a time


@dataclass(frozen=True)
class Block:
    """Whole records of a file, as UTF-8.

    Attributes
    ----------
    data : bytes
        The records.
    line : int
        Number of lines before them, for messages.
    """

    data: bytes
    line: int


def is_packed(path: Path) -> bool:
    """Say whether a file is gzipped."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked where it is gzipped."""
    with opened(path) as file:
        return file.read(HEAD)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacking it where it is gzipped; what cannot be read is an error of the user."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path.name} is a damaged gzip file; fetch it again, or unpack it") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error


def dialect_of(head: bytes, path: Path, encoding: str = "") -> Dialect:
    """Find encoding, delimiter and header from the beginning of a file."""
    check_is_text(head, path.name)
    whole = len(head) < HEAD
    encoding = encoding or ("utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8")
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=whole)
    except UnicodeDecodeError:
        encoding, text = "latin-1", head.decode("latin-1")
    return sniff(text, encoding, path.name, whole=whole)


def survey(path: Path) -> tuple[bool, int]:
    """Read a file once to tell whether all of it is UTF-8, and how many bytes it is unpacked."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8, size = True, 0
    with opened(path) as file:
        while chunk := file.read(BLOCK):
            size += len(chunk)
            if b"\0" in chunk:
                check_is_text(chunk, path.name)
            utf8 = utf8 and _decodes(decoder, chunk)
    return utf8 and _decodes(decoder, b"", final=True), size


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final=final)
    except UnicodeDecodeError:
        return False
    return True


def blocks(path: Path, dialect: Dialect, size: int = 0) -> Iterator[Block]:
    """Yield all records below the header, in blocks of about `size` bytes (`BLOCK` if not given)."""
    newline = dialect.newline.encode()
    line, rest = 0, b""
    with opened(path) as file:
        while chunk := file.read(size or BLOCK):
            rest += chunk
            if not line:
                start = _after_lines(rest, dialect.lines, newline)
                if not start:
                    continue
                line, rest = dialect.lines, rest[start:]
            end = _end_of_records(rest, newline)
            if not end and len(rest) > LONGEST_RECORD:
                raise _unclosed(path.name, line + 1)
            if end:
                yield Block(_utf8(rest[:end], dialect), line)
                line += rest.count(newline, 0, end)
                rest = rest[end:]
    if rest and line:
        yield Block(_utf8(rest, dialect), line)


def frames(path: Path, dialect: Dialect, size: int = 0) -> Iterator["pl.DataFrame"]:
    """Yield all rows as text, stripped of white space, about `size` bytes at a time."""
    for block in blocks(path, dialect, size):
        yield frame(block, dialect, path.name)


def sample(path: Path, dialect: Dialect, size: int) -> Iterator["pl.DataFrame"]:
    """Yield the beginning of a large file, then the first rows of each further block; `size` is that of the file."""
    share = min(1.0, SAMPLE / size)
    newline = b"\n"
    for number, block in enumerate(blocks(path, dialect)):
        part = block.data if number == 0 else block.data[: max(int(len(block.data) * share), LEAST_PART)]
        end = _end_of_records(part, newline)
        yield frame(Block(part[:end] if end else block.data, block.line), dialect, path.name)


def frame(block: Block, dialect: Dialect, name: str) -> "pl.DataFrame":
    """Parse records into a frame of texts; the slow, forgiving parser takes over where the fast one is unsure."""
    fast = _parse_fast(block.data, dialect)
    return _parse(block, dialect, name) if fast is None else fast


def _after_lines(data: bytes, lines: int, newline: bytes) -> int:
    """Return where the text after so many lines begins; 0 where there are fewer."""
    position = 0
    for _ in range(lines):
        found = data.find(newline, position)
        if found < 0:
            return 0
        position = found + 1
    return position


def _end_of_records(data: bytes, newline: bytes) -> int:
    """Find where the last whole record ends: after a line end that an even number of quotes precedes; 0 if nowhere."""
    end = data.rfind(newline)
    if end < 0 or data.count(b'"', 0, end) % 2 == 0:
        return end + 1
    while end >= 0:
        opening = data.rfind(b'"', 0, end)
        end = data.rfind(newline, 0, opening)
        if data.count(b'"', max(end, 0), opening) % 2 == 0:
            break
    return end + 1


def _utf8(data: bytes, dialect: Dialect) -> bytes:
    if dialect.encoding == "latin-1":
        data = data.decode("latin-1").encode()
    return data.replace(b"\r", b"\n") if dialect.newline == "\r" else data


def _parse_fast(data: bytes, dialect: Dialect) -> "pl.DataFrame | None":
    """Parse with polars, unless it fails or the delimiters do not add up (polars fills up short rows in silence)."""
    import polars as pl

    data = data.rstrip(b"\r\n")
    schema = dict.fromkeys(dialect.columns, pl.String())
    if not data:
        return pl.DataFrame(schema=schema)
    if data.count(b"\r") != data.count(b"\r\n"):  # polars keeps it; to pandas it may end the line
        return None
    try:
        found = pl.read_csv(
            data + b"\n", has_header=False, schema=schema, separator=dialect.delimiter, empty_string_is_null=False
        )
    except pl.exceptions.PolarsError:
        return None
    inside = 0
    if b'"' in data:
        if _stray_quote(dialect.delimiter).search(data):
            return None
        counts = found.select(pl.all().str.count_matches(dialect.delimiter, literal=True).sum())
        inside = sum(counts.row(0))
    delimiters = data.count(dialect.delimiter.encode()) - inside
    return found if delimiters == found.height * (len(dialect.columns) - 1) else None


def _stray_quote(delimiter: str) -> re.Pattern[bytes]:
    """Match quotes that neither open nor close a cell, which polars takes differently from Python and pandas."""
    end = re.escape(delimiter).encode()
    # Begins with a literal, which the regular expression engine finds fifty times faster than a class.
    return re.compile(rb'"(?=[^%b\r\n"])(?:(?<=[^%b\n"]")|(?<=[%b\n]"")|(?<=^""))' % (end, end, end))


def _parse(block: Block, dialect: Dialect, name: str) -> "pl.DataFrame":
    """Parse with the csv module as pandas would, skipping blank lines, and refuse rows of another width."""
    import polars as pl

    csv.field_size_limit(LONGEST_CELL)
    text = block.data.decode()
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=dialect.delimiter)
    parts, rows = [pl.DataFrame(schema=dict.fromkeys(dialect.columns, pl.String()))], []
    last = end = 0
    try:
        for cells in reader:
            last, end = end, reader.line_num
            if cells and len(cells) != len(dialect.columns):
                raise _ragged(cells, block, dialect, name, last)
            if cells:
                rows.append(cells)
            if len(rows) >= _ROWS:
                parts.append(_rows(rows, dialect))
                rows = []
    except csv.Error as error:
        line = block.line + reader.line_num
        raise UserError(
            f"{name}, line {line}: a carriage return in a cell that is not quoted; quote the cell"
        ) from error
    if _is_open(text, last):
        raise _unclosed(name, block.line + last + 1)
    return pl.concat([*parts, _rows(rows, dialect)])


def _rows(rows: list[list[str]], dialect: Dialect) -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame(rows, schema=dict.fromkeys(dialect.columns, pl.String()), orient="row")


def _is_open(text: str, line: int) -> bool:
    """Say whether the last record, which begins after `line` lines, has an open quote and more than one line."""
    record = text.split("\n", line)[-1].rstrip("\n")
    return "\n" in record and record.count('"') % 2 == 1


def _unclosed(name: str, line: int) -> UserError:
    return UserError(f'{name}: a quote (") in line {line} is never closed; close it, or double it inside a quoted cell')


def _ragged(cells: list[str], block: Block, dialect: Dialect, name: str, before: int) -> UserError:
    text, line, width = block.data.decode(), block.line + before + 1, len(dialect.columns)
    if cells[-1].count("\n") and _is_open(text, before):
        return _unclosed(name, line)
    fix = "quote the cells that hold it" if len(cells) > width else "complete the row"
    found = f"{len(cells)} cells where the header has {width} (separated by {SPELLED[dialect.delimiter]})"
    return UserError(f"{name}, line {line}: {found}; {fix}")
