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
    str | None, typer.Option(help="classification or regression; inferred from the target if left out.", metavar="TASK")
]
Protected = Annotated[
    str | None, typer.Option(help="Sensitive columns, comma-separated; excluded from the model.", metavar="A,B")
]
Time = Annotated[str | None, typer.Option(help="Date column; the newest rows become the test set.", metavar="COLUMN")]
Id = Annotated[
    str | None,
    typer.Option("--id", help="Entity column; rows of one entity stay on one side of the split.", metavar="COLUMN"),
]
Positive = Annotated[str | None, typer.Option(help="The positive label, of two.", metavar="LABEL")]
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
