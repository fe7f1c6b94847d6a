"""From a table to its contract, in three passes: read the table, decide what each column is, describe both.

Each pass takes what the one before returns, and reads nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..contract import Contract
from ..tables.table import Table
from .decide import decide
from .describe import describe_contract, describe_findings
from .findings import Finding
from .read import read
from .request import check_request


@dataclass(frozen=True)
class Inference:
    """A contract, and what is worth saying about how it came about."""

    contract: Contract
    findings: tuple[Finding, ...]


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
        `classification` or `regression`; inferred from the target if not given.
    protected : sequence of str
        Columns kept for evaluation only.
    time : str, optional
        The date column; the newest rows become the test set.
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
    request = check_request(table, target, protected, time, id, task, positive)
    reading = read(table, request)
    decisions = decide(reading, request)
    contract = describe_contract(table, reading, decisions)
    return Inference(contract, describe_findings(contract, request, reading, decisions))
