"""`mlscaffold new`."""

from pathlib import Path
from typing import Annotated

import typer

from .. import show
from ..errors import UserError
from .options import Answer, AnswersFile, Debug, Defaults, Id, Positive, Protected, Ref, Target, Task, Template, Time

EXAMPLE = "Example: mlscaffold new churn --data churn.csv --target churned --ship"


def new(  # noqa: PLR0913 - one parameter an option
    path: Annotated[Path, typer.Argument(help="The folder to make: new, or empty.")],
    *,
    data: Annotated[
        Path | None, typer.Option(help="CSV, CSV.gz, TSV or Parquet. Left out: the penguins.", metavar="FILE")
    ] = None,
    target: Target = None,
    task: Task = None,
    protected: Protected = None,
    time: Time = None,
    id_: Id = None,
    positive: Positive = None,
    template: Template = None,
    ref: Ref = None,
    overlay: Annotated[
        list[str] | None,
        typer.Option(help="A template on top, of your organisation's; can be repeated.", metavar="URL_OR_PATH"),
    ] = None,
    answer: Answer = None,
    answers: AnswersFile = None,
    defaults: Defaults = False,
    all_questions: Annotated[bool, typer.Option("--all-questions", help="Ask everything.")] = False,
    ship: Annotated[bool, typer.Option("--ship", help="Go on with `make ship`.")] = False,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Create a product repository from a table.

    With a terminal it asks for what is not given, at most five questions; with --defaults it asks nothing.
    """
    from .. import new as making
    from ..answers import gather
    from ..dataset import infer_contract
    from ..source import template_source
    from ..staging import vacant

    vacant(path)
    roles = {"target": target, "task": task, "protected": protected, "time": time, "id": id_}
    given = gather(roles, answer or [], answers)
    source = template_source(template or given.template, ref or given.ref)
    asking = show.interactive() and not defaults
    if all_questions and not asking:
        raise UserError("--all-questions needs a terminal, and no --defaults; or give answers with -d or --answers")
    if asking:
        from ..questions import ask_first

        data, first = ask_first(given.values, data, show.ask)
        given = given.plus(first)
    if positive is not None and data is None:
        raise UserError("--positive says which label of your own table counts; give --data too")
    dataset = infer_contract(data, given.values, positive) if data else None
    show.findings(dataset.findings if dataset else ())
    overlays = [template_source(url) for url in overlay or []]
    project = making.create(path, given, source, dataset, overlays=overlays, ask=asking and all_questions)
    show.created(project, shipping=ship)
    if ship:
        raise typer.Exit(making.ship(project.path))
