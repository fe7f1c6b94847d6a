import codecs
import csv
import gzip
import io
import itertools
import string
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlscaffold.errors import UserError
from mlscaffold.tables import csvfile, parquetfile, table
from mlscaffold.tables.dialect import Dialect
from mlscaffold.tables.table import WHITE, header, open_table

Write = Callable[..., Path]
Written = tuple[list[str], list[list[str]], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(content: str | bytes, name: str = "t.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


def rows(path: Path) -> list[tuple[str, ...]]:
    return open_table(path).sample().rows()


@pytest.mark.parametrize(
    ("delimiter", "raw"), [(",", "raw.csv"), (";", "raw.csv"), ("\t", "raw.tsv"), ("|", "raw.csv")]
)
def test_the_delimiter_is_found(write: Write, delimiter: str, raw: str) -> None:
    found = open_table(write(delimiter.join("ab") + "\n" + delimiter.join(["1", "x y"]) + "\n"))
    assert found.columns == ("a", "b")
    assert found.dialect is not None
    assert found.dialect.delimiter == delimiter
    assert found.raw_name == raw
    assert found.sample().rows() == [("1", "x y")]


def test_decimal_commas_do_not_pass_for_delimiters(write: Write) -> None:
    assert open_table(write("a;b;c\n1,5;2,5;3,5\n4,5;5,5;6,5\n")).columns == ("a", "b", "c")


def test_of_signs_that_split_as_well_the_one_that_leaves_no_name_empty_is_taken(write: Write) -> None:
    assert header(write("price;,\nred;0,5\n")) == ("price", ",")


def test_commas_in_texts_do_not_pass_for_delimiters(write: Write) -> None:
    assert rows(write("id;note\n1;well, yes\n2;no, no, no\n")) == [("1", "well, yes"), ("2", "no, no, no")]


def test_quoted_cells_hold_delimiters_line_ends_and_quotes(write: Write) -> None:
    assert rows(write('a,b\n"x, y","one\ntwo"\n"say ""hi""",3\n')) == [("x, y", "one\ntwo"), ('say "hi"', "3")]


def test_a_quote_inside_a_plain_cell_is_a_character(write: Write) -> None:
    assert rows(write('a,b\n5" pipe,2\n7,3\n')) == [('5" pipe', "2"), ("7", "3")]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system_are_read(write: Write, newline: str) -> None:
    assert rows(write(newline.join(["a,b", "1,2", "3,4", ""]))) == [("1", "2"), ("3", "4")]


def test_blank_lines_are_no_rows(write: Write) -> None:
    assert rows(write("\n\na,b\n1,2\n\n3,4\n\n\n")) == [("1", "2"), ("3", "4")]


def test_cells_and_headers_are_stripped_and_empty_headers_numbered(write: Write) -> None:
    found = open_table(write(" a ,,\u00a0b\n 1 ,x,\u3000y\x1f\n"))
    assert found.columns == ("a", "column_2", "b")
    assert found.sample().rows() == [("1", "x", "y")]


def test_white_space_is_what_python_strips() -> None:
    assert "".join(chr(code) for code in range(0x110000) if chr(code).isspace()) == WHITE


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("größe,b\n1,ä\n".encode(), "utf-8"),
        (codecs.BOM_UTF8 + "größe,b\n1,ä\n".encode(), "utf-8-sig"),
        ("größe,b\n1,ä\n".encode("latin-1"), "latin-1"),
    ],
)
def test_the_encoding_is_found(write: Write, content: Any, encoding: str) -> None:
    found = open_table(write(content))
    assert found.dialect is not None
    assert (found.dialect.encoding, found.columns, found.sample().rows()) == (encoding, ("größe", "b"), [("1", "ä")])


def test_one_latin_1_letter_after_the_beginning_makes_the_file_latin_1(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csvfile, "HEAD", 20)
    found = open_table(write(b"a,b\n" + b"1,2\n" * 20 + b"3,\xe9\n"))
    assert found.dialect is not None
    assert found.dialect.encoding == "latin-1"
    assert found.sample().rows()[-1] == ("3", "é")


def test_a_letter_cut_at_the_end_of_a_large_file_makes_it_latin_1(write: Write, small_blocks: None) -> None:
    found = open_table(write(b"a,b\n" + b"1,2\n" * 200 + b"3,\xc3"))
    assert found.dialect is not None
    assert found.dialect.encoding == "latin-1"


def test_zero_bytes_far_down_are_found(write: Write, small_blocks: None) -> None:
    with pytest.raises(UserError, match="zero bytes"):
        open_table(write(b"a,b\n" + b"1,2\n" * 200 + b"3,\0\n"))


def test_a_slow_file_becomes_a_frame_in_parts(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "_ROWS", 2)
    assert rows(write('a,b\n5" pipe,2\n\n7,3\n8,4\n')) == [('5" pipe', "2"), ("7", "3"), ("8", "4")]


def test_long_cells_are_read(write: Write) -> None:
    long = "word " * 50_000
    assert rows(write(f'a,b\n"{long}",5" pipe\n')) == [(long.strip(), '5" pipe')]


def test_line_ends_inside_quotes_do_not_end_a_block(write: Write, small_blocks: None) -> None:
    lines = [f'{n},"one\n""{n}""\n\nthree\n"' for n in range(100)]
    parts = list(open_table(write("\n".join(["a,b", *lines, ""]))).batches())
    assert len(parts) > 5
    assert [row for part in parts for row in part.rows()] == [(str(n), f'one\n"{n}"\n\nthree') for n in range(100)]


def test_a_carriage_return_alone_far_down_is_refused(write: Write, small_blocks: None) -> None:
    with pytest.raises(UserError, match=r"line 302: a carriage return"):
        list(open_table(write("\n".join(["a,b", *["1,2"] * 300, "3\r4,5", *["1,2"] * 200]))).batches())


def test_gzip_gives_the_same_as_plain(write: Write) -> None:
    text = b"a,b\n1,2\n"
    packed = open_table(write(gzip.compress(text), "t.csv.gz"))
    assert packed.sample().rows() == rows(write(text))
    assert packed.raw_name == "raw.csv.gz"
    assert header(packed.path) == ("a", "b")


def test_parquet_cells_become_the_texts_of_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame(
        {
            "n": [1, None],
            "x": [0.5, float("nan")],
            "yes": [True, False],
            "day": [date(2020, 1, 31), None],
            "at": [datetime(2020, 1, 31, 12, 30, tzinfo=UTC), None],
            " c ": pl.Series(["a ", "b"], dtype=pl.Categorical),
        }
    ).write_parquet(path)
    found = open_table(path)
    assert found.raw_name == "raw.parquet"
    assert header(path) == found.columns == ("n", "x", "yes", "day", "at", "c")
    first, second = found.sample().rows()
    assert first[:4] == ("1", "0.5", "True", "2020-01-31")
    assert datetime.fromisoformat(first[4]) == datetime(2020, 1, 31, 12, 30, tzinfo=UTC)
    assert second == ("", "", "False", "", "", "b")


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("", "is empty"),
        (codecs.BOM_UTF8, "is empty"),
        (" \n\n", "is empty"),
        ("a,b\n", "no rows"),
        ("a\n1\n2\n", "single column"),
        ("a,b,a\n1,2,3\n", "several columns named 'a'"),
        ("a,b, a \n1,2,3\n", "several columns named 'a'"),
        ("a,column_1,\n1,2,3\n", None),
        (",column_1\n1,2\n", "several columns named 'column_1'"),
        ("a,b\n1,2\n1,2,3\n4,5\n", "line 3: 3 cells where the header has 2"),
        ("a,b,c\n1,2,3\n4,5\n6,7,8\n", "line 3: 2 cells where the header has 3"),
        ("a,b\n1,2,3\n4,5,6\n", "header of t.csv has 2 names, its rows have 3 cells"),
        ("My table\na,b\n1,2\n3,4\n", "delete the lines above"),
        ('a,b\n1,"x\n2,y\n3,z\n', "quote .* in line 2 is never closed"),
        ('a,b\n1,2\n"3,x\n2,y\n', "quote .* in line 3 is never closed"),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n4.7,3.2,virginica\n", "no header"),
        ("p,x,s\ne,x,t\np,y,s\n", "no header"),
        ("2020-01-01,5\n2020-01-02,6\n", "no header"),
        ("1,2,5,7\n4,5,6,8\n4,7,6,9\n", "no header"),
        (b"PK\x03\x04rest", "Excel"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "zero bytes"),
        (b"a,b\n1,\0\n", "zero bytes"),
        ('[{"a": 1}]', "JSON"),
        ("<!DOCTYPE html><html>", "web page"),
        (b"PAR1 and no more", "damaged Parquet"),
        (gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-12], "damaged gzip"),
        (b"\x1f\x8bnonsense and more", "damaged gzip"),
        (b"a,b\n1,2\n3\rx,4\n", "a carriage return"),
        (b"a,b\rc,d\ne,f\n", "a carriage return"),
    ],
)
def test_what_is_no_table_is_refused_with_the_cause(write: Write, content: Any, cause: Any) -> None:
    path = write(content)
    if cause is None:
        assert rows(path)
        return
    with pytest.raises(UserError, match=cause) as error:
        open_table(path)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no file"):
        open_table(tmp_path / "nowhere.csv")
    with pytest.raises(UserError, match="is a folder"):
        header(tmp_path)


def test_a_file_that_cannot_be_read_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a,b\n1,2\n")
    monkeypatch.setattr(Path, "open", lambda *_, **__: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(UserError, match=r"cannot be read .Permission denied"):
        open_table(path)


@pytest.mark.parametrize(
    "first",
    ["country,2019,2020,2021", "0,1,2,3", "name,1,2,3", "country,1970,1971,1972,1974,1975,1976,1978,1979"],
    ids=["years", "pandas numbers", "numbers", "years with gaps"],
)
def test_numbers_that_count_upwards_are_names(write: Write, first: str) -> None:
    names = first.split(",")
    cells = ",".join(f"{number}.5" for number in range(1, len(names)))
    assert header(write(f"{first}\nFrance,{cells}\nSpain,{cells}\n")) == tuple(names)


def test_parquet_with_nested_values_or_without_columns_is_refused(tmp_path: Path) -> None:
    nested, bare = tmp_path / "nested.parquet", tmp_path / "bare.parquet"
    pl.DataFrame({"a": [[1], [2]]}).write_parquet(nested)
    pl.DataFrame().write_parquet(bare)
    with pytest.raises(UserError, match=r"column 'a' of nested.parquet holds List"):
        header(nested)
    with pytest.raises(UserError, match="no columns"):
        header(bare)


CELL = st.text(st.sampled_from(string.ascii_letters + string.digits + " ,;\"\n'äé-.|"), max_size=8)


@st.composite
def written_tables(draw: st.DrawFn) -> Written:
    width = draw(st.integers(2, 4))
    names = draw(st.lists(CELL.map(lambda t: "h" + t.strip().lower()), min_size=width, max_size=width, unique=True))
    names = [name.replace("\n", " ") for name in names]
    cells = draw(st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=30))
    out = io.StringIO()
    quoting: Any = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(out, delimiter=draw(st.sampled_from(",;\t|")), lineterminator=newline, quoting=quoting)
    writer.writerow(names)
    writer.writerows(cells)
    text = out.getvalue()
    return names, cells, text


@given(written_tables(), st.sampled_from([30, 200, 10**6]))
@settings(max_examples=80, deadline=None)
def test_blocks_of_any_size_give_the_cells_that_were_written(written: Written, size: int) -> None:
    names, cells, text = written
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(text.encode())
        dialect = Dialect("utf-8", _delimiter(text, names), tuple(names), 1)
        found = [row for part in csvfile.frames(path, dialect, size) for row in part.rows()]
        assert found == [tuple(row) for row in cells]


def _delimiter(text: str, names: list[str]) -> str:
    for delimiter in ",;\t|":
        if next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) == names:
            return delimiter
    raise AssertionError


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SMALL": 100}.items():
        monkeypatch.setattr(table, name, value)
    for name, value in {"BLOCK": 300, "SAMPLE": 400, "HEAD": 200, "LONGEST_RECORD": 2000, "LEAST_PART": 50}.items():
        monkeypatch.setattr(csvfile, name, value)
    monkeypatch.setattr(parquetfile, "CELLS", 50)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_large_file_is_read_in_parts_and_gives_every_row_once(
    write: Write, small_blocks: None, packed: bool, encoding: str
) -> None:
    lines = [f'{number},"nö, {number}"' for number in range(500)]
    content = "\n".join(["a,b", *lines, ""]).encode(encoding)
    found = open_table(write(gzip.compress(content) if packed else content))
    assert found.whole is None
    parts = list(found.batches())
    assert len(parts) > 10
    assert [row for part in parts for row in part.rows()] == [(str(n), f"nö, {n}") for n in range(500)]
    sample = found.sample()
    assert 5 < sample.height < 500
    assert set(sample["a"]) <= {str(n) for n in range(500)}
    assert sample.rows()[:5] == [(str(n), f"nö, {n}") for n in range(5)]


def test_a_large_parquet_file_is_read_in_parts(tmp_path: Path, small_blocks: None) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": range(200), "b": range(200)}).write_parquet(path)
    found = open_table(path)
    assert found.whole is None
    assert [row for part in found.batches() for row in part.rows()] == [(str(n), str(n)) for n in range(200)]
    assert 25 <= found.sample().height < 200


def test_errors_in_a_large_file_name_the_line(write: Write, small_blocks: None) -> None:
    lines = ["1,2"] * 400
    lines[300] = "1,2,3"
    with pytest.raises(UserError, match="line 302: 3 cells"):
        list(open_table(write("\n".join(["a,b", *lines]))).batches())


def test_a_quote_that_is_never_closed_in_a_large_file_does_not_fill_the_memory(
    write: Write, small_blocks: None
) -> None:
    content = "\n".join(["a,b", *["1,2"] * 200, '3,"x', *["1,2"] * 2000])
    with pytest.raises(UserError, match=r"quote .* in line 202 is never closed"):
        list(open_table(write(content)).batches())


def test_only_the_beginning_is_read_for_the_header(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a,b\n" + "1,2\n" * 10 + "ragged\n")
    monkeypatch.setattr(csvfile, "HEAD", 20)
    assert header(path) == ("a", "b")


def test_wide_tables_are_read(write: Write) -> None:
    names = [f"c{n}" for n in range(500)]
    found = open_table(write(",".join(names) + "\n" + ",".join(map(str, range(500))) + "\n"))
    assert found.columns == tuple(names)
    assert list(itertools.chain(*found.sample().rows())) == [str(n) for n in range(500)]
