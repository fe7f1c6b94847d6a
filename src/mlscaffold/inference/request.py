"""What the user asked for: the target, the task and the roles of columns, checked against the table."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..contract import Role
from ..errors import UserError
from ..tables.table import Table
from .findings import listed
from .words import closest


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes
    ----------
    target : str
        The column to predict.
    protected : tuple of str
        Columns kept for evaluation only.
    time, id : str, optional
        The date column, and the entity column.
    task : str, optional
        Classification or regression; inferred from the target if None.
    positive : str, optional
        The positive label.
    """

    target: str
    protected: tuple[str, ...] = ()
    time: str | None = None
    id: str | None = None
    task: str | None = None
    positive: str | None = None

    def role(self, name: str) -> Role | None:
        """Return the role that the user gave a column."""
        roles: dict[str | None, Role] = {**dict.fromkeys(self.protected, "protected"), self.time: "time", self.id: "id"}
        return "target" if name == self.target else roles.get(name)


def check_request(
    table: Table,
    target: str,
    protected: Sequence[str],
    time: str | None,
    id: str | None,  # noqa: A002 - the word of the command line and of the contract
    task: str | None,
    positive: str | None,
) -> Request:
    """Check that each column is in the table and has one role.

    Returns
    -------
    Request
        With the names of the columns as the table has them.

    Raises
    ------
    UserError
        If a column is missing, or is given two roles.
    """
    by_flag: dict[str, list[str | None]] = {
        "--target": [target],
        "--protected": list(protected),
        "--time": [time],
        "--id": [id],
    }
    found = {flag: [_find(table, flag, name) for name in names if name is not None] for flag, names in by_flag.items()}
    flags: dict[str, str] = {}
    for flag, names in found.items():
        for name in dict.fromkeys(names):
            if name in flags:
                raise UserError(f"column {name!r} is given as {flags[name]} and as {flag}; a column has one role")
            flags[name] = flag
    first = {flag: next(iter(names), None) for flag, names in found.items()}
    named = tuple(dict.fromkeys(found["--protected"]))
    return Request(found["--target"][0], named, first["--time"], first["--id"], task, positive)


def _find(table: Table, flag: str, name: str) -> str:
    if name.strip() in table.columns:
        return name.strip()
    alike = closest(name, table.columns)
    hint = (
        f"did you mean {' or '.join(repr(each) for each in alike)}?"
        if alike
        else f"its columns are {listed(table.columns, 12)}"
    )
    raise UserError(f"{flag}: no column {name!r} in {table.path.name}; {hint}")
