"""Options that several commands share."""

import os
from pathlib import Path
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
Template = Annotated[str | None, typer.Option(help="Another template: git URL, path or bundle.", metavar="URL_OR_PATH")]
Ref = Annotated[str | None, typer.Option(help="Version, branch or commit of the template.", metavar="REF")]
Answer = Annotated[
    list[str] | None,
    typer.Option("-d", "--answer", help="Answer a question of the template; can be repeated.", metavar="KEY=VALUE"),
]
AnswersFile = Annotated[
    Path | None, typer.Option(help="A YAML file of answers, for instance an organisation's.", metavar="FILE")
]
Defaults = Annotated[bool, typer.Option("--defaults", help="Ask nothing.")]
