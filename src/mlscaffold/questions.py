"""The few questions that are asked before the first project exists."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .answers import columns
from .errors import UserError
from .tables.table import header

Ask = Callable[[str, str, str], str]

_DATA = "Your table: CSV, CSV.gz, TSV or Parquet; none starts with the example, the Palmer penguins."
_ROLES = {
    "target": "The column to predict, one of {names}.",
    "protected": "Columns no decision may rest on (sex, age ...), with commas between; kept for evaluation only.",
    "time": "The column that says when a row was true; the newest rows become the test set.",
    "id": "The column that names the entity (customer, machine ...); its rows stay on one side of the split.",
}
_USUAL_TARGETS = ("target", "label", "class", "outcome", "y")


def ask_first(values: Mapping[str, Any], data: Path | None, ask: Ask) -> tuple[Path | None, dict[str, Any]]:
    """Ask for the table and for the roles of its columns, where they are not given.

    Parameters
    ----------
    values : mapping
        Answers so far.
    data : Path, optional
        The table, if it is given.
    ask : callable
        Takes a question, one line of help and a default; returns the answer.

    Returns
    -------
    Path, optional
        The table; None for the example, whose roles have defaults.
    dict
        The answers.
    """
    table = data or _table(ask)
    if table is None:
        return None, {}
    names = header(table)
    answers: dict[str, Any] = {}
    for role, text in _ROLES.items():
        if role not in values:
            default = _likely_target(names) if role == "target" else ""
            answers[role] = _role(role, text.format(names=", ".join(names)), default, {**values, **answers}, names, ask)
    return table, answers


def _table(ask: Ask) -> Path | None:
    explained = _DATA
    while answer := ask("data", explained, ""):
        path = Path(answer).expanduser()
        try:
            header(path)
        except UserError as error:
            explained = str(error)
            continue
        return path
    return None


def _likely_target(names: tuple[str, ...]) -> str:
    return next((name for name in names if name.lower() in _USUAL_TARGETS), names[-1])


def _role(
    role: str, explained: str, default: str, values: Mapping[str, Any], names: tuple[str, ...], ask: Ask
) -> str | list[str]:
    taken = {values.get("target"), values.get("time"), values.get("id"), *columns(values.get("protected"))}
    while True:
        answer = ask(role, explained, default)
        # A header may hold a comma itself.
        given = (answer,) if answer in names or role != "protected" else columns(answer)
        unknown = [name for name in given if name and name not in names]
        twice = [name for name in given if name and name in taken]
        if not unknown and not twice:
            return answer if role != "protected" else [name for name in given if name]
        explained = (
            f"there is no column {unknown[0]!r}; there are {', '.join(names)}"
            if unknown
            else f"{twice[0]!r} has another role already"
        )
