"""The third pass: describe what was read and decided, as a contract and as findings, one line each."""

import re
from collections.abc import Iterator
from shlex import quote

from ..contract import Contract, Source
from ..tables.table import Table
from .columns import MOST_LISTED, Summary
from .decide import Decision, Decisions
from .findings import Finding, counted, listed, shown, warning
from .read import ColumnReading, Reading
from .request import Request

_RARE = 10  # rows of a class below which neither training nor testing means much


def describe_contract(table: Table, reading: Reading, decisions: Decisions) -> Contract:
    """Return the contract of a table."""
    columns = tuple(each.column for each in decisions.columns)
    return Contract(decisions.task, _source(table, reading), columns, decisions.positive)


def _source(table: Table, reading: Reading) -> Source:
    path = f"data/{table.raw_name}"
    if table.dialect is None:
        return Source(path, "parquet", "", "", "", reading.missing)
    return Source(path, "csv", table.dialect.delimiter, table.dialect.encoding, reading.decimal, reading.missing)


def describe_findings(
    contract: Contract, request: Request, reading: Reading, decisions: Decisions
) -> tuple[Finding, ...]:
    """Return what is worth saying about a table: first the target, then columns and cells, then suggestions."""
    return (
        *_about_task(request, reading),
        *_about_positive(contract, decisions),
        *_about_target(contract, reading, decisions),
        *_about_columns(decisions),
        *_about_cells(reading),
        *_about_table(contract, reading),
        *_suggestions(contract, request, decisions),
    )


def _about_task(request: Request, reading: Reading) -> Iterator[Finding]:
    if not reading.choice.reason:
        return
    other = "regression" if reading.task == "classification" else "classification"
    hint = "" if reading.choice.certain else f"; --task {other} if it is not"
    text = f"task: {reading.task}, because {request.target!r} {reading.choice.reason}{hint}"
    yield Finding("task", text, request.target)


def _about_positive(contract: Contract, decisions: Decisions) -> Iterator[Finding]:
    if not decisions.reason:
        return
    chosen = decisions.positive
    other = next(label for label in contract.column(contract.target).categories if label != chosen)
    text = (
        f"positive label: {shown(chosen)} ({decisions.reason}; the other is {shown(other)}); "
        "--positive chooses the other"
    )
    yield Finding("positive", text, contract.target)


def _about_target(contract: Contract, reading: Reading, decisions: Decisions) -> Iterator[Finding]:
    name, summary = contract.target, reading.columns[contract.target].summary
    column = contract.column(name)
    if summary.nulls:
        share = f"{counted(summary.nulls, 'row')} of {summary.rows:,}"
        yield warning("target missing", f"the target {name!r} is missing in {share}: they cannot be learnt from", name)
    if len(column.categories) == 1 or (contract.task == "regression" and summary.low == summary.high):
        yield warning("target constant", f"the target {name!r} has one value only: there is nothing to learn", name)
    if len(column.categories) > MOST_LISTED:
        yield warning(
            "many classes", f"the target {name!r} has {len(column.categories)} classes; is it the right column?", name
        )
    rare = {label: count for label, count in decisions.counts.items() if count < _RARE}
    if rare and len(column.categories) > 1:
        few = ", ".join(f"{shown(label)} ({count})" for label, count in list(rare.items())[:3])
        more = ", ..." if len(rare) > 3 else ""
        text = f"the target {name!r} has labels with fewer than {_RARE} rows: {few}{more}"
        yield warning("rare classes", text, name)


def _about_columns(decisions: Decisions) -> Iterator[Finding]:
    for each in decisions.columns:
        yield from _about_column(each)
    if not any(each.column.role == "feature" for each in decisions.columns):
        yield warning("no features", "no column is left to predict from; give some `role: feature` in contract.yaml")


def _about_column(decision: Decision) -> Iterator[Finding]:
    name = decision.column.name
    if decision.leak == "same":
        text = f"{name!r} is left out of the features: it is the target under another name"
        yield warning("leak", text, name)
    elif decision.column.role == "ignore":
        yield warning("left out", f"{name!r} is left out of the features: {decision.column.reason}", name)
    elif decision.leak == "tells":
        text = (
            f"{name!r} gives the target away in nearly every row; if it is not known beforehand, set its role to ignore"
        )
        yield warning("leak", text, name)


def _about_cells(reading: Reading) -> Iterator[Finding]:
    for token, name in reading.words.items():
        yield warning(
            "missing", f"{shown(token)} among the values of {name!r} is taken for 'no value', in every column", name
        )
    for name in reading.demoted:
        summary = reading.columns[name].demoted
        if summary is not None:
            yield _demoted(name, summary)
    for column in reading.columns.values():
        yield from _about_cells_of(column)


def _about_cells_of(column: ColumnReading) -> Iterator[Finding]:
    name = column.name
    for token, kept in column.tokens:
        if kept:
            text = f"{shown(token)} in {name!r} is kept as a value; if it means 'no value', add it to `missing`"
            yield Finding("kept", text, name)
        else:
            text = f"{shown(token)} means 'no value' in another column, so it does in {name!r}, where it may be a value"
            yield warning("missing", text, name)
    if column.formatted:
        yield _formatted(name, column.formatted)
    if column.kind.ambiguous:
        yield warning(
            "ambiguous dates",
            f"the dates in {name!r} fit day first and month first; {shown(column.kind.format)} is assumed",
            name,
        )


def _demoted(name: str, summary: Summary) -> Finding:
    good = summary.rows - summary.nulls - summary.bad
    share = f"{good:,} of {good + summary.bad:,} cells"
    text = f"{name!r} is not read as numbers or dates: {share} are, but not {listed(sorted(summary.oddities))}"
    if all(re.fullmatch(r"[+-]?0[0-9]+", each) for each in summary.oddities):
        return Finding(
            "codes", f"{name!r} has leading zeros ({listed(sorted(summary.oddities), 2)}): taken for codes", name
        )
    return warning("mixed", text, name)


def _formatted(name: str, values: tuple[str, ...]) -> Finding:
    if all(re.fullmatch(r"[0-9]+", value) for value in values):
        text = (
            f"{name!r} holds numbers with leading zeros or more than 15 digits ({listed(values, 2)}): taken for codes"
        )
        return Finding("codes", text, name)
    text = f"{name!r} holds numbers with signs or separators ({listed(values, 2)}), read as text; write plain numbers"
    return warning("formatted numbers", text, name)


def _about_table(contract: Contract, reading: Reading) -> Iterator[Finding]:
    rows = reading.columns[contract.target].summary.rows
    if reading.duplicates:
        share = f"{counted(reading.duplicates, 'row')} of {rows:,}"
        yield warning("duplicate rows", f"{share} equal an earlier row; the split keeps copies on one side")
    for name in (*contract.named("time"), *contract.named("id")):
        nulls = reading.columns[name].summary.nulls
        if nulls:
            yield warning(
                f"{contract.column(name).role} missing", f"{name!r} is missing in {counted(nulls, 'row')}", name
            )


def _suggestions(contract: Contract, request: Request, decisions: Decisions) -> Iterator[Finding]:
    suspects = [each.column.name for each in decisions.columns if each.protected]
    if suspects:
        flag = f"--protected {quote(','.join([*request.protected, *suspects]))}"
        them = "it" if len(suspects) == 1 and not request.protected else "them"
        yield Finding("protected", f"{listed(suspects)} may be protected: {flag} keeps {them} out of the features")
    entities = [each.column.name for each in decisions.columns if each.entity]
    for name in entities[:1]:
        kept = f"--id {quote(name)} keeps the rows of each on one side of the split"
        yield warning("entity", f"{name!r} names things that have several rows: {kept}", name)
    features = contract.named("feature")
    dates = [name for name in features if request.time is None and contract.column(name).type == "datetime"]
    for name in dates[:1]:
        text = f"{name!r} holds dates: --time {quote(name)} makes the newest rows the test set, as in production"
        yield Finding("date", text, name)
