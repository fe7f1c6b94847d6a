"""The contract inferred from a table admits that table: by a small reader of its own, and by the library's."""

import csv
import gzip
import io
import re
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from mlproduct.contract.columns import Contract
from mlproduct.contract.validation import load_data

from mlscaffold.contract import contract_yaml
from mlscaffold.inference.infer import infer
from mlscaffold.tables.table import open_table

LETTERS = st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Cs"]), max_size=8)
MISSING = st.sampled_from(["", " ", "NA", "None", "-", "nan", "NULL", "?", "n/a", "unknown", "inf", "k.A."])
WEIRD = st.sampled_from(
    ["3+", "007", "1,5", "1.5", "1e5", "1e999", "0x1", "1_0", "12345678901234567890", "$5", "5%", "1,234", "٣", "½"]
)
CELLS = {
    "integer": st.integers(-100, 10**6).map(str),
    "pointed": st.integers(0, 50).map(lambda n: f"{n}.0"),
    "number": st.floats(-1e9, 1e9).map(repr),
    "comma": st.floats(-1e3, 1e3).map(lambda x: f"{x:.3f}".replace(".", ",")),
    "share": st.floats(0, 1).map(lambda x: f"{x:.2f}"),
    "bit": st.sampled_from(["0", "1"]),
    "yes": st.sampled_from(["Yes", "No", "yes "]),
    "category": st.sampled_from(["a", "b", " c", "NA", "None", "-", "+", "EU", "AS"]),
    "letters": LETTERS,
    "sentence": st.lists(LETTERS, min_size=3, max_size=6).map(" ".join),
    "iso": st.datetimes().map(lambda d: d.isoformat(" ")),
    "day": st.dates().map(str),
    "day first": st.dates().map(lambda d: f"{d.day}/{d.month}/{d.year:04d}"),
    "month first": st.dates().map(lambda d: f"{d.month:02d}/{d.day:02d}/{d.year:04d}"),
    "year": st.integers(1990, 2030).map(str),
    "epoch": st.integers(10**9, 2 * 10**9).map(str),
    "constant": st.just("x"),
    "weird": WEIRD,
}
DELIMITERS = ",;\t|"
HEADERS = st.one_of(
    LETTERS,
    st.sampled_from(
        ["year", "date", "customer_id", "größe (cm)", "no", "~", "a: b", "#x", "{{ y }}", "null", "*", "^.*$", ""]
    ),
).filter(lambda name: not any(c.isdigit() for c in name))  # a first line of numbers is taken for data


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, str]:
    kinds = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=5))
    rows = draw(st.sampled_from([1, 2, 7, 25, 60]))
    names = draw(st.lists(HEADERS, min_size=len(kinds), max_size=len(kinds), unique_by=str.strip))
    columns = [draw(st.lists(_cells(draw, kind), min_size=rows, max_size=rows)) for kind in kinds]
    target = draw(st.lists(st.sampled_from(["red", "green"]), min_size=rows, max_size=rows))
    out = io.StringIO()
    delimiter = draw(st.sampled_from(DELIMITERS))
    writer = csv.writer(
        out,
        delimiter=delimiter,
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerows([["target!", *names], *zip(target, *columns, strict=True)])
    others = (
        csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=sign)
        for sign in DELIMITERS.replace(delimiter, "")
    )
    # Where another sign splits every line as well, into names too, nothing tells which was meant.
    assume(not any(_splits_as_well([row for row in other if row], len(names) + 1) for other in others))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "latin-1"]))
    return out.getvalue().encode(encoding, "replace"), draw(st.sampled_from(["raw.csv", "raw.csv.gz"]))


def _splits_as_well(rows: list[list[str]], width: int) -> bool:
    widths = {len(row) for row in rows}
    return len(widths) == 1 and max(widths) >= width and all(name.strip() for name in rows[0])


def _cells(draw: st.DrawFn, kind: str) -> st.SearchStrategy[str]:
    """Mostly cells of one kind, sometimes those that mean 'no value', rarely anything."""
    cells = CELLS[kind]
    if draw(st.booleans()):
        return cells
    return st.one_of(cells, cells, cells, MISSING, WEIRD) if draw(st.booleans()) else st.one_of(cells, MISSING)


def inferred(content: bytes, name: str, folder: Path) -> tuple[Path, str]:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path, contract_yaml(infer(open_table(path), target="target!").contract)


def check(content: bytes, contract: dict[str, Any]) -> None:
    """Check a table against the loaded contract, cell by cell, by the rules of the specification."""
    source = contract["source"]
    text = content.decode(source["encoding"])
    header, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=source["delimiter"]) if row]
    assert [cell.strip() or f"column_{n}" for n, cell in enumerate(header, 1)] == list(contract["columns"])
    for row in rows:
        for cell, column in zip(row, contract["columns"].values(), strict=True):
            value = cell.strip()
            if value in source["missing"]:
                assert column["nullable"]
            else:
                check_value(value, column, source["decimal"])


def check_value(value: str, column: dict[str, Any], decimal: str) -> None:
    number = float(value.replace(decimal, ".")) if column["type"] in {"number", "integer"} else None
    if number is not None:
        assert re.fullmatch(r"[-+0-9.eE]+", value.replace(decimal, "."))
        assert column["type"] == "number" or number.is_integer()
        low, high = column.get("range", [number, number])
        assert low <= number <= high
    elif column["type"] == "datetime":
        assert is_date(value, column["format"])
    elif "categories" in column:
        labels = column["categories"]
        assert value in labels if isinstance(labels[0], str) else float(value.replace(decimal, ".")) in labels


def is_date(value: str, format_: str) -> bool:
    if format_.startswith("epoch"):
        return float(value) > 0
    return bool(datetime.fromisoformat(value) if format_ == "iso" else datetime.strptime(value, format_))


@given(files())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_contract_admits_its_own_table(file: tuple[bytes, str]) -> None:
    content, name = file
    with tempfile.TemporaryDirectory() as folder:
        _, text = inferred(content, name, Path(folder))
    check(content, yaml.safe_load(text))


@given(files())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_library_admits_the_table_too(file: tuple[bytes, str]) -> None:
    content, name = file
    with tempfile.TemporaryDirectory() as folder:
        path, text = inferred(content, name, Path(folder))
        (Path(folder) / "contract.yaml").write_text(text, encoding="utf-8")
        contract = Contract.load(Path(folder) / "contract.yaml")
        rows = open_table(path).sample().height
        assert len(load_data(path, contract)) == rows
