"""`mlscaffold check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import show
from ..errors import UserError
from .options import Debug

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..check.run import Report

EXAMPLE = "Example: mlscaffold check --format sarif > check.sarif"


def check(
    path: Annotated[Path, typer.Argument(help="The repository.")] = Path(),
    *,
    format_: Annotated[
        str, typer.Option("--format", help="rich, json, markdown, html, sarif, junit or badge.", metavar="FORMAT")
    ] = "rich",
    select: Annotated[str, typer.Option(help="Only these checks or families.", metavar="ID,ID")] = "",
    ignore: Annotated[str, typer.Option(help="Not these checks or families.", metavar="ID,ID")] = "",
    fail_under: Annotated[float | None, typer.Option(help="The score that is needed.", metavar="SCORE")] = None,
    explain: Annotated[
        str | None, typer.Option(help="Show what a check is for, and how to fix a failure.", metavar="ID")
    ] = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Check a repository against the standard.

    Looks at files alone, runs nothing, and works on any machine-learning repository. Exit code 1: the score is
    under --fail-under; without that, a check of high severity fails.
    """
    from ..check import run as checking

    if explain:
        show.explained(checking.explain(explain))
        return
    writer = show.report if format_ == "rich" else _format(format_)
    found = checking.examine(path, select, ignore, fail_under)
    writer(found)
    raise typer.Exit(0 if found.good else 1)


def _format(name: str) -> "Callable[[Report], None]":
    from ..formats import FORMATS

    if name not in FORMATS:
        raise UserError(f"there is no format {name}; there are rich, {', '.join(FORMATS)}")
    return lambda report: show.plain(FORMATS[name](report))
