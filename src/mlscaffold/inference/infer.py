"""From a table to its contract: what each column is, may hold and is for, and what is suspicious about it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING, get_args

from ..contract import Column, Contract, Label, Role, Source, Task, Type
from ..errors import UserError
from ..tables.table import Table
from .columns import MOST_LISTED, NUMBER, TEXT, Kind, Summary, clean, named
from .findings import Finding, counted, listed, shown, warning
from .leaks import ROWS, gives_away
from .ranges import allowed
from .reading import Reading, guess, read
from .roles import Facts, is_free_text, looks_protected, reason_to_ignore, repeats_like_an_entity
from .targets import as_numbers, boolean, categories, infer_task, labels_of, positive_label
from .words import closest

if TYPE_CHECKING:
    import polars as pl

_LARGEST_EXACT = 2.0**53
_RARE = 10  # rows of a class below which neither training nor testing means much


@dataclass(frozen=True)
class Inference:
    """A contract, and what is worth saying about how it came about."""

    contract: Contract
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Asked:
    """What the user said about the columns."""

    target: str
    protected: tuple[str, ...] = ()
    time: str | None = None
    id: str | None = None

    def role(self, name: str) -> Role | None:
        """Return the role the user gave a column."""
        given: dict[str | None, Role] = {**dict.fromkeys(self.protected, "protected"), self.time: "time", self.id: "id"}
        return "target" if name == self.target else given.get(name)


def infer(
    table: Table,
    *,
    target: str,
    task: str | None = None,
    protected: Sequence[str] = (),
    time: str | None = None,
    id: str | None = None,  # noqa: A002 - the word of the command line and of the contract
    positive: str | None = None,
) -> Inference:
    """Infer the contract of a table.

    Parameters
    ----------
    table : Table
        What `open_table` returns.
    target : str
        The column to predict.
    task : str, optional
        `classification` or `regression`; told from the target if not given.
    protected : sequence of str
        Columns kept for evaluation only.
    time : str, optional
        Date column; the newest rows become the test set.
    id : str, optional
        The column that names the entity; its rows stay together.
    positive : str, optional
        The positive label, of two.

    Returns
    -------
    Inference
        The contract, which admits the table, and the findings, one line each.

    Raises
    ------
    UserError
        If a column is not there or cannot be what it is asked to be.
    """
    asked = _asked(table, target, protected, time, id)
    sample = table.sample()
    decimal, kinds = guess(table, sample, asked.target, asked.time)
    chosen, said = _task(asked.target, sample, kinds, decimal, task)
    kinds[asked.target] = TEXT if chosen == "classification" else NUMBER
    reading = read(table, sample, decimal, kinds, {asked.target} if chosen == "regression" else set())
    _check_time(asked, reading)
    cells = {name: sample.select(clean(named(name), reading.missing)).to_series() for name in table.columns}
    columns, about = _columns(table, asked, chosen, reading, cells)
    contract = Contract(chosen, _source(table, reading), columns)
    contract, chose = _with_positive(contract, cells[asked.target], reading.decimal, positive)
    findings = [*said, *chose, *_about_target(contract, cells[asked.target], reading), *about, *reading.findings]
    findings += [*_about_table(contract, reading), *_suggestions(contract, asked, reading, cells)]
    return Inference(contract, tuple(findings))


def _asked(table: Table, target: str, protected: Sequence[str], time: str | None, id: str | None) -> Asked:  # noqa: A002
    given: dict[str, list[str | None]] = {
        "--target": [target],
        "--protected": list(protected),
        "--time": [time],
        "--id": [id],
    }
    found = {flag: [_known(table, flag, name) for name in names if name is not None] for flag, names in given.items()}
    flags: dict[str, str] = {}
    for flag, names in found.items():
        for name in dict.fromkeys(names):
            if name in flags:
                raise UserError(f"column {name!r} is given as {flags[name]} and as {flag}; a column has one role")
            flags[name] = flag
    first = {flag: next(iter(names), None) for flag, names in found.items()}
    return Asked(found["--target"][0], tuple(dict.fromkeys(found["--protected"])), first["--time"], first["--id"])


def _known(table: Table, flag: str, name: str) -> str:
    if name.strip() in table.columns:
        return name.strip()
    alike = closest(name, table.columns)
    hint = (
        f"did you mean {' or '.join(repr(each) for each in alike)}?"
        if alike
        else f"its columns are {listed(table.columns, 12)}"
    )
    raise UserError(f"{flag}: no column {name!r} in {table.path.name}; {hint}")


def _task(
    target: str, sample: "pl.DataFrame", kinds: dict[str, Kind], decimal: str, task: str | None
) -> tuple[Task, list[Finding]]:
    kind = kinds[target]
    if task is not None and task not in get_args(Task):
        raise UserError(f"--task {task!r} is not known; choose classification or regression")
    if kind.name == "datetime":
        raise UserError(f"column {target!r} holds dates; choose a --target with labels or numbers")
    if task == "regression" and kind.name == "text":
        values = listed([value for value in sample[target].unique(maintain_order=True).head(3).to_list() if value])
        raise UserError(
            f"--task regression needs a target of numbers; {target!r} holds texts ({values}); leave --task out"
        )
    if task is not None:
        return ("classification" if task == "classification" else "regression"), []
    found, said = infer_task(target, sample[target], kind, decimal)
    return found, [said]


def _check_time(asked: Asked, reading: Reading) -> None:
    if asked.time is None or reading.kinds[asked.time].name == "datetime":
        return
    summary = reading.summaries[asked.time]
    seen = listed(summary.values or sorted(summary.oddities) or [f"{summary.low:g}", f"{summary.high:g}"])
    raise UserError(
        f"--time: the cells of {asked.time!r} are not dates that are understood ({seen}); "
        "write them like 2025-01-31, 31.01.2025 or 01/31/2025, or leave --time out"
    )


def _source(table: Table, reading: Reading) -> Source:
    path = f"data/{table.raw_name}"
    if table.dialect is None:
        return Source(path, "parquet", "", "", "", reading.missing)
    return Source(path, "csv", table.dialect.delimiter, table.dialect.encoding, reading.decimal, reading.missing)


def _columns(
    table: Table, asked: Asked, task: Task, reading: Reading, cells: "dict[str, pl.Series]"
) -> tuple[tuple[Column, ...], list[Finding]]:
    found, findings = [], []
    for name in table.columns:
        facts = _facts(name, reading, cells[name])
        column, said = _column(facts, asked, task, reading, cells[asked.target])
        found.append(column)
        findings += said
    if not any(column.role == "feature" for column in found):
        findings.append(
            warning("no features", "no column is left to predict from; give some `role: feature` in contract.yaml")
        )
    return tuple(found), findings


def _facts(name: str, reading: Reading, cells: "pl.Series") -> Facts:
    kind, summary = reading.kinds[name], reading.summaries[name]
    return Facts(name, _type(kind, summary, cells), cells, kind, summary)


def _column(
    facts: Facts, asked: Asked, task: Task, reading: Reading, target: "pl.Series"
) -> tuple[Column, list[Finding]]:
    name = facts.name
    plain = Column(name, asked.role(name) or "feature", facts.type, facts.summary.nulls > 0, format=facts.kind.format)
    if plain.role == "target":
        return _target(plain, facts, task, reading.decimal), []
    if plain.role == "id":
        return replace(plain, type="integer" if facts.type == "integer" else "text", format=""), []
    if plain.role == "time":
        return plain, []
    reason, findings = ("", []) if plain.role == "protected" else _why_not(facts, task, reading, target)
    if reason:
        bare: Type = "text" if facts.kind.name == "text" else "integer" if facts.type == "boolean" else facts.type
        return replace(plain, role="ignore", type=bare, reason=reason), findings
    return _with_values(plain, facts), findings


def _why_not(facts: Facts, task: Task, reading: Reading, target: "pl.Series") -> tuple[str, list[Finding]]:
    name, reason = facts.name, reason_to_ignore(facts)
    if reason:
        return reason, [warning("left out", f"{name!r} is left out of the features: {reason}", name)]
    step = max(len(target) // ROWS, 1)
    leak = gives_away(facts.cells.gather_every(step), facts.kind, target.gather_every(step), task, reading.decimal)
    if leak == "same":
        text = f"{name!r} is left out of the features: it is the target under another name"
        return "gives the target away", [warning("leak", text, name)]
    if leak == "tells":
        text = (
            f"{name!r} gives the target away in nearly every row; if it is not known beforehand, set its role to ignore"
        )
        return "", [warning("leak", text, name)]
    return "", []


def _type(kind: Kind, summary: Summary, cells: "pl.Series") -> Type:
    if kind.name == "datetime":
        return "datetime"
    if kind.name == "number":
        return _type_of_numbers(summary)
    if not summary.rows - summary.nulls:
        return "text"
    if summary.values is not None and boolean(summary.values):
        return "boolean"
    distinct = cells.drop_nulls().n_unique() if summary.values is None else len(summary.values)
    return "text" if is_free_text(cells, distinct) else "category"


def _type_of_numbers(summary: Summary) -> Type:
    if summary.low is None or summary.high is None or summary.fractions:
        return "number"
    if (summary.low, summary.high) == (0, 1):
        return "boolean"
    if max(-summary.low, summary.high) > _LARGEST_EXACT:
        return "number"
    # Whole numbers written with a point are integers where cells are empty: pandas writes them so.
    return "integer" if not summary.pointed or summary.nulls else "number"


def _with_values(column: Column, facts: Facts) -> Column:
    """Add what the column may hold."""
    summary = facts.summary
    if facts.type in {"number", "integer"} and summary.low is not None and summary.high is not None:
        return replace(column, range=allowed(summary.low, summary.high, whole=facts.type == "integer"))
    if facts.type == "boolean":
        pair: tuple[Label, ...] | None = (0, 1) if facts.kind.name == "number" else boolean(summary.values or ())
        return replace(column, categories=pair or ())
    if facts.type == "category":
        listed_values = summary.values is not None and len(summary.values) <= MOST_LISTED
        return (
            replace(column, categories=tuple(sorted(summary.values or ())))
            if listed_values
            else replace(column, many=True)
        )
    return column


def _target(column: Column, facts: Facts, task: Task, decimal: str) -> Column:
    summary = facts.summary
    if summary.nulls == summary.rows:
        raise UserError(f"the target {column.name!r} is empty in every row; choose another --target")
    if task == "regression":
        whole = _type_of_numbers(summary) in {"integer", "boolean"}
        bounds = allowed(summary.low or 0.0, summary.high or 0.0, whole=whole)
        return replace(column, type="integer" if whole else "number", range=bounds)
    labels = labels_of(column.name, summary, decimal)
    pair = labels == (0, 1) or boolean([str(label) for label in labels])
    return replace(column, type="boolean" if pair else "category", categories=labels)


def _with_positive(
    contract: Contract, target: "pl.Series", decimal: str, positive: str | None
) -> tuple[Contract, list[Finding]]:
    name = contract.target
    if contract.task == "regression":
        if positive is not None:
            raise UserError("--positive is for classification; the task is regression; leave --positive out")
        return contract, []
    labels = contract.column(name).categories
    chosen, said = positive_label(name, labels, _counts(target, decimal), positive)
    return replace(contract, positive=chosen), said


def _counts(target: "pl.Series", decimal: str) -> dict[Label, int]:
    texts = Counter(target.drop_nulls().to_list())
    found: Counter[Label] = Counter()
    numeric = as_numbers(list(texts), decimal) is not None
    for text, count in texts.items():
        found[categories([text], decimal)[0] if numeric else text] += count
    return dict(found)


def _about_target(contract: Contract, target: "pl.Series", reading: Reading) -> Iterator[Finding]:
    name, summary = contract.target, reading.summaries[contract.target]
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
    if contract.task == "classification" and len(column.categories) > 1:
        rare = {label: count for label, count in _counts(target, reading.decimal).items() if count < _RARE}
        if rare:
            few = ", ".join(f"{shown(label)} ({count})" for label, count in list(rare.items())[:3])
            more = ", ..." if len(rare) > 3 else ""
            yield warning(
                "rare classes", f"the target {name!r} has labels with fewer than {_RARE} rows: {few}{more}", name
            )


def _about_table(contract: Contract, reading: Reading) -> Iterator[Finding]:
    rows = reading.summaries[contract.target].rows
    if reading.duplicates:
        share = f"{counted(reading.duplicates, 'row')} of {rows:,}"
        yield warning("duplicate rows", f"{share} equal an earlier row; the split keeps copies on one side")
    for name in (*contract.named("time"), *contract.named("id")):
        nulls = reading.summaries[name].nulls
        if nulls:
            yield warning(
                f"{contract.column(name).role} missing", f"{name!r} is missing in {counted(nulls, 'row')}", name
            )


def _suggestions(
    contract: Contract, asked: Asked, reading: Reading, cells: "dict[str, pl.Series]"
) -> Iterator[Finding]:
    features = contract.named("feature")
    suspects = [name for name in features if looks_protected(name)]
    if suspects:
        flag = f"--protected {quote(','.join([*asked.protected, *suspects]))}"
        yield Finding("protected", f"{listed(suspects)} may be protected: {flag} keeps them out of the features")
    entities = [
        name for name in features if asked.id is None and repeats_like_an_entity(_facts(name, reading, cells[name]))
    ]
    for name in entities[:1]:
        kept = f"--id {quote(name)} keeps the rows of each on one side of the split"
        yield warning("entity", f"{name!r} names things that have several rows: {kept}", name)
    dates = [name for name in features if asked.time is None and contract.column(name).type == "datetime"]
    for name in dates[:1]:
        text = f"{name!r} holds dates: --time {quote(name)} makes the newest rows the test set, as in production"
        yield Finding("date", text, name)
