"""The few questions that are asked before the first project exists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .answers import columns
from .errors import UserError

_EXAMPLE = {"target": "species", "protected": "sex", "time": "year"}
_EXAMPLE_COLUMNS = (
    "species", "island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year",
)  # fmt: skip
_USUAL_TARGETS = ("target", "label", "class", "outcome", "y")
_HELP = {
    "target": "The column to predict; there are {columns}.",
    "protected": "Columns that no decision may rest on (sex, age ...), with commas: kept for evaluation only.",
    "time": "The column that says when a row was true: the newest rows become the test set.",
    "id": "The column that names the customer, machine ...: its rows stay on one side of the split.",
}


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes
    ----------
    name, help : str
        What is asked, and one line about it.
    default : str
        What Enter means; empty for none.
    check : callable
        Returns what is wrong with an answer, or nothing.
    """

    name: str
    help: str
    default: str
    check: Callable[[str], str]


Ask = Callable[[Question], str]


def ask_first(values: Mapping[str, Any], data: Path | None, ask: Ask) -> tuple[Path | None, dict[str, Any]]:
    """Ask for the table and the roles of its columns, where they are not given.

    Parameters
    ----------
    values : mapping
        Answers so far.
    data : Path, optional
        The table, if it is given.
    ask : callable
        Puts a question to the user.

    Returns
    -------
    Path, optional
        The table; None for the example.
    dict
        The answers.
    """
    table = data or _table(ask)
    header = _header(table) if table else _EXAMPLE_COLUMNS
    defaults = {"target": _likely_target(header)} if table else _EXAMPLE
    found: dict[str, Any] = {}
    for name in ("target", "protected", "time", *(["id"] if table else [])):
        if name not in values:
            found[name] = _role(name, header, {**values, **found}, defaults, ask)
    return table, found


def _table(ask: Ask) -> Path | None:
    text = "Your table: CSV, CSV.gz, TSV or Parquet; none starts with the example, the Palmer penguins."
    answer = ask(Question("data", text, "", _check_table))
    return Path(answer).expanduser() if answer else None


def _check_table(answer: str) -> str:
    try:
        if answer:
            _header(Path(answer).expanduser())
    except UserError as error:
        return str(error)
    return ""


def _header(table: Path) -> tuple[str, ...]:
    from .table import header

    return header(table)


def _likely_target(header: tuple[str, ...]) -> str:
    return next((name for name in header if name.lower() in _USUAL_TARGETS), header[-1])


def _role(
    name: str, header: tuple[str, ...], values: Mapping[str, Any], defaults: Mapping[str, str], ask: Ask
) -> str | list[str]:
    taken = {str(values.get(role)) for role in ("target", "time", "id")} | set(columns(values.get("protected")))

    def check(answer: str) -> str:
        given = columns(answer) if name == "protected" and answer not in header else (answer,) if answer else ()
        unknown = [each for each in given if each not in header]
        if unknown:
            return f"there is no column {', '.join(unknown)}; there are {', '.join(header)}"
        if any(each in taken for each in given):
            return f"{answer} has another role already"
        return "" if given or name != "target" else "name the column to predict"

    default = defaults.get(name, "")
    answer = ask(
        Question(name, _HELP[name].format(columns=", ".join(header)), "" if default in taken else default, check)
    )
    if name != "protected":
        return answer
    return [answer] if answer in header else list(columns(answer))
