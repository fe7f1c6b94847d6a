"""Definitions change, data goes missing, nulls appear: what broken data does to data check and service."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from mlproduct.artifacts import MODEL
from mlproduct.config import Fragility, load
from mlproduct.contract.columns import NUMERIC, Contract
from mlproduct.contract.validation import Violation, parse, read, validate
from mlproduct.data.prepare import TEST
from mlproduct.errors import DataError
from mlproduct.evaluation.drift.detection import scored
from mlproduct.evaluation.gates import FAIL, PASS, Family, Gate
from mlproduct.evaluation.metrics import Array
from mlproduct.evaluation.perturbations import (
    ACCEPTED,
    CASES,
    REJECTED,
    UNIT,
    Case,
    Records,
    thousandfold,
    wanted,
    with_column,
)
from mlproduct.inference.predict import frame_of
from mlproduct.inference.request import Reader, RefusedError, examples
from mlproduct.training.train import load_model

NEXT = "fix contract.yaml (range, categories, nullable) or the model; or, if this is wanted, say so in fragility.yaml"


@dataclass(frozen=True)
class Outcome:
    """What broken data met.

    Attributes
    ----------
    word : str
        rejected, accepted, or what went wrong.
    said : str
        The message.
    named : tuple of (str, str)
        Column and rule of each fault, as the message has them.
    """

    word: str
    said: str = ""
    named: tuple[tuple[str, str], ...] = ()


def on_data(case: Case, columns: list[str], raw: pd.DataFrame, contract: Contract) -> dict[str, Outcome]:
    """Damage columns of raw rows, all at once, and give what the check does with each: rejected or accepted."""
    if case.raw is None:
        return {}
    for name in columns:
        raw = case.raw(raw, name)
    frame, found = parse(raw, contract)
    if frame.empty:
        return dict.fromkeys(columns, Outcome(REJECTED, "holds no rows", (("records", "holds no rows"),)))
    violations: dict[str, list[Violation]] = {name: [] for name in columns}
    for violation in found + validate(frame, contract):
        violations.setdefault(violation.column, []).append(violation)
    return {name: _refused(violations[name]) if violations[name] else Outcome(ACCEPTED) for name in columns}


def _refused(found: list[Violation]) -> Outcome:
    return Outcome(REJECTED, str(found[0]), tuple((violation.column, violation.rule) for violation in found))


@dataclass(frozen=True)
class Door:
    """The service as a caller meets it: a body is checked, and answered."""

    model: Pipeline
    reader: Reader

    @property
    def contract(self) -> Contract:
        """What a body has to keep to."""
        return self.reader.contract

    def ask(self, records: Records) -> Array:
        """Return the answer to each record; RefusedError if the body is refused."""
        request = self.reader.read({"records": records})
        return scored(frame_of(request.records, self.contract), self.model, self.contract).to_numpy()


def on_service(case: Case, name: str, records: Records, door: Door, before: Array) -> Outcome:
    """Damage a field of the records, and give what the service does with them.

    Rejected, accepted, or what went wrong: an answer that is not a number, or not the one that it was.

    Parameters
    ----------
    before : ndarray of shape (n_records,)
        Its answers to the sound records.
    """
    if case.sent is None:
        raise ValueError("this case is none of the service's")
    try:
        answers = door.ask(case.sent(records, name))
    except RefusedError as refusal:
        named = dict.fromkeys((str(fault["field"]), str(fault["message"])) for fault in refusal.errors)
        return Outcome(REJECTED, str(refusal), tuple(named))
    if not np.isfinite(answers).all():
        return Outcome("answered with something that is not a number")
    others = ~np.isclose(answers, np.resize(before, len(answers)), rtol=1e-9, atol=1e-9)  # BLAS adds up by batch size
    if case.keeps and others.any():
        return Outcome(f"answered otherwise in {others.mean():.0%} of the rows")
    return Outcome(ACCEPTED)


def _names(outcome: Outcome, column: str, rule: str) -> bool:
    """Return whether a refusal names the column, and of it the rule: both whole, as a part of them may be another's."""
    return any(named == column and re.fullmatch(rule, broken, re.DOTALL) for named, broken in outcome.named)


def _judged(side: str, name: str, want: str, outcomes: dict[str, Outcome], n: int) -> Gate:
    """Gate whether what happened is what is wanted, on each column, and whether a refusal names column and rule."""
    case, wrong, heard = CASES[name], [], ""
    rule = case.rule[side == "service"]
    for column, outcome in outcomes.items():
        word = outcome.word
        if word == REJECTED == want and not _names(outcome, case.names or column, rule):
            word = "rejected without naming column and rule"
        if word != want:
            wrong.append(f"{column!r} was {word}" + (f" ({outcome.said[:160]})" if outcome.said else ""))
        heard = heard or outcome.said
    many, first = len(outcomes), f"; {heard.splitlines()[0][:160]}" if heard else ""
    so = f"so it was, for {many} column{'s'[: many > 1]}{first}"
    message = f"wanted {want}; " + (f"{len(wrong)} of {many} columns: {wrong[0]}" if wrong else so)
    return Gate(f"fragility.{side}", FAIL if wrong else PASS, message, NEXT, name, n=n)


def _tried(act: Callable[[], dict[str, Outcome]], columns: list[str]) -> dict[str, Outcome]:
    try:
        return act()
    except Exception as error:
        return dict.fromkeys(columns, Outcome(f"an error in the code, {type(error).__name__}", str(error)))


def _shows(name: str, records: Records, contract: Contract) -> bool:
    """Return whether another unit leaves the range at all: zeros do not, nor a small number in a wide range."""
    low, high = contract.columns[name].range or (-np.inf, np.inf)
    numbers = [thousandfold(record[name]) for record in records if record[name]]
    return any(not low <= number <= high for number in numbers)


def broken(raw: pd.DataFrame, records: Records, door: Door, table: dict[str, dict[str, str]]) -> Family:
    """Apply each case to raw rows and to records of the same rows."""
    gates, contract, before = [], door.contract, door.ask(records)
    every = {name: case.columns(contract) for name, case in CASES.items()}
    every |= {UNIT: [column for column in every.get(UNIT, []) if _shows(column, records, contract)]}
    applicable = {name: columns for name, columns in every.items() if columns}
    for name, columns in applicable.items():
        case = CASES[name]

        def data(case: Case = case, columns: list[str] = columns) -> dict[str, Outcome]:
            return on_data(case, columns, raw, contract)

        def service(case: Case = case, columns: list[str] = columns) -> dict[str, Outcome]:
            return {column: on_service(case, column, records, door, before) for column in columns if case.sent}

        for side, act in (("data", data), ("service", service)):
            if outcomes := _tried(act, columns):
                gates.append(_judged(side, name, table[name][side], outcomes, len(records)))
    return Family("fragility", gates, {"not_applicable": [name for name in CASES if name not in applicable]})


def invariance(test: pd.DataFrame, door: Door) -> list[Gate]:
    """Gate that neither the order of the rows nor columns that are no features change an answer of the service."""
    records, others = examples(door.contract, test), [str(n) for n in test if n not in door.contract.features]
    before = door.ask(records)
    whole = [
        record | dict(zip(others, map(str, row), strict=True))
        for record, row in zip(records, test[others].to_numpy()[::-1], strict=True)
    ]
    changes = {
        "order of the rows": door.ask(records[::-1])[::-1],
        "identifiers and protected columns": door.ask(whole),
    }
    return [
        Gate(
            "fragility.invariance",
            PASS if np.allclose(before, after, rtol=1e-9, atol=1e-9) else FAIL,
            f"answers differ by at most {float(np.abs(before - after).max()):.2g}, wanted none ({len(test)} rows)",
            "something in features.py, model.py or request.py looks at other rows, or at columns it should not know",
            what,
            n=len(test),
        )
        for what, after in changes.items()
    ]


def expectations(test: pd.DataFrame, model: Pipeline, contract: Contract, params: Fragility) -> list[Gate]:
    """Gate what must follow from a change: each number raised by a standard deviation, all else equal.

    Raises
    ------
    DataError
        If an expectation names no number among the features, or no direction.
    """
    gates, before = [], scored(test, model, contract)
    for name, direction in params.expectations.items():
        if (
            name not in contract.features
            or contract.columns[name].type not in NUMERIC
            or direction not in ("up", "down")
        ):
            raise DataError(
                f"params.yaml, fragility.expectations, {name}: {direction}: write `number feature: up` or `down`"
            )
        raised = test[name] + test[name].std()
        low_high = contract.columns[name].range
        changed = with_column(test, name, raised.clip(*low_high) if low_high else raised)
        step = (scored(changed, model, contract) - before) * (1 if direction == "up" else -1)
        against = float((step < -1e-9).mean())
        text = f"{against:.1%} of {len(test)} rows go the other way when {name!r} rises, allowed {params.tolerance:.1%}"
        advice = (
            f"is it true that it goes {direction}? Then require it of the model: monotonic constraints, fewer leaves"
        )
        verdict = PASS if against <= params.tolerance else FAIL
        gates.append(
            Gate("fragility.expectation", verdict, text, advice, name, against, None, None, params.tolerance, len(test))
        )
    return gates


def main() -> None:
    """Write reports/ce/fragility.json."""
    contract, params = load()
    model, test, table = load_model(MODEL), pd.read_parquet(TEST), wanted()
    rows = test.head(params.fragility.rows)
    raw = read(Path(contract.source.path), contract).loc[rows.index]
    door = Door(model, Reader(contract, 10**9))
    with threadpool_limits(1):  # of fifty rows each: threads only wait for one another
        more = [
            *expectations(test.head(1000), model, contract, params.fragility),
            *invariance(test.head(1000), door),
        ]
        found = broken(raw, examples(contract, rows), door, table)
    Family("fragility", [*found.gates, *more], found.details).write()
