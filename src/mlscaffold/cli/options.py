"""Options that several commands share."""

import os
from typing import Annotated

import typer


def _set_debug(value: bool) -> None:
    if value:
        os.environ["MLSCAFFOLD_DEBUG"] = "1"


Debug = Annotated[bool, typer.Option("--debug", callback=_set_debug, help="Show the traceback of an error.")]
Target = Annotated[str | None, typer.Option(help="The column to predict.", metavar="COLUMN")]
Task = Annotated[
    str | None, typer.Option(help="classification or regression; told from the target if left out.", metavar="TASK")
]
Protected = Annotated[
    str | None, typer.Option(help="Columns no decision may rest on, with commas between.", metavar="A,B")
]
Time = Annotated[str | None, typer.Option(help="The column the split follows.", metavar="COLUMN")]
Id = Annotated[str | None, typer.Option("--id", help="The column that names the entity.", metavar="COLUMN")]
Positive = Annotated[str | None, typer.Option(help="The label that counts as positive, of two.", metavar="LABEL")]
