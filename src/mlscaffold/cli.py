"""The command line: parse, call, show."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import __version__, show
from .errors import UserError

if TYPE_CHECKING:
    from .check import Report

app = typer.Typer(
    name="mlscaffold",
    help="Turn a table into a deployed, versioned, updatable machine-learning product.",
    epilog="Example: mlscaffold new churn --data churn.csv --target churned --ship",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        show.plain(f"mlscaffold {__version__}\n")
        raise typer.Exit


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


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Debug = False,
) -> None:
    pass


@app.command(epilog="Example: mlscaffold new churn --data churn.csv --target churned --ship")
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
    template: Annotated[
        str | None, typer.Option(help="Another template: git URL, path or bundle.", metavar="URL_OR_PATH")
    ] = None,
    ref: Annotated[str | None, typer.Option(help="Version, branch or commit of the template.", metavar="REF")] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option("-d", "--answer", help="Answer a question of the template; can be repeated.", metavar="KEY=VALUE"),
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="A YAML file of answers, for instance an organisation's.", metavar="FILE")
    ] = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="Ask nothing.")] = False,
    all_questions: Annotated[bool, typer.Option("--all-questions", help="Ask everything.")] = False,
    ship: Annotated[bool, typer.Option("--ship", help="Go on with `make ship`.")] = False,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Create a product repository from a table.

    With a terminal it asks for what is not given, at most five questions; with --defaults it asks nothing.
    """
    from . import new as making
    from .answers import gather
    from .source import template_source

    making.vacant(path)
    roles = {"target": target, "task": task, "protected": protected, "time": time, "id": id_}
    given = gather(roles, answer or [], answers)
    source = template_source(template or given.template, ref or given.ref)
    asking = show.interactive() and not defaults
    if all_questions and not asking:
        raise UserError("--all-questions needs a terminal, and no --defaults; or give answers with -d or --answers")
    if asking:
        from .questions import ask_first

        data, said = ask_first(given.values, data, show.ask)
        given = given.plus(said)
    if positive is not None and data is None:
        raise UserError("--positive says which label of your own table counts; give --data too")
    own = making.infer_contract(data, given.values, positive) if data else None
    show.findings(own.findings if own else ())
    made = making.create(path, given, source, own, ask=asking and all_questions)
    show.created(made, shipping=ship)
    if ship:
        raise typer.Exit(making.ship(made.path))


@app.command(epilog="Example: mlscaffold update --dry-run")
def update(
    path: Annotated[Path, typer.Argument(help="The repository.")] = Path(),
    to: Annotated[str | None, typer.Option(help="The version to go to; the newest if left out.", metavar="REF")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; touch nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
    branch: Annotated[
        bool, typer.Option("--branch", help="Put it on a branch, run the checks there, describe it for review.")
    ] = False,
    check: Annotated[
        list[str] | None,
        typer.Option(
            help="With --branch: a check to run; can be repeated. Left out: lint and test.", metavar="COMMAND"
        ),
    ] = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Bring a repository to a newer template.

    Shows what changes and keeps local files. Exit code 1: conflicts are left, or a check on the branch failed.
    """
    from .branch import CHECKS, propose
    from .landing import apply, finish, unfinished
    from .preview import document
    from .project import load
    from .update import plan

    if json and branch:
        raise UserError("--json and --branch do not go together; --json --dry-run says what the branch would hold")
    project = load(path)
    if dry_run and unfinished(project):
        raise UserError("an update was cut off before; `mlscaffold update` finishes it")
    if finished := finish(project):
        show.finished(finished)
        raise typer.Exit(1 if finished.conflicts else 0)
    with plan(project, to) as planned:
        if json:
            show.document(document(planned))
        else:
            show.plan(planned, dry=dry_run)
        if branch and not dry_run:
            proposal = propose(planned, CHECKS if check is None else check)
            show.proposed(proposal)
            raise typer.Exit(1 if planned.conflicts or (proposal and not proposal.passed) else 0)
        if not dry_run:
            apply(planned)
        if not json:
            show.outcome(planned, dry=dry_run)
    raise typer.Exit(1 if planned.conflicts else 0)


@app.command(epilog="Example: mlscaffold check --format sarif > check.sarif")
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
        str | None, typer.Option(help="Say what a check is for, and how it is mended.", metavar="ID")
    ] = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Hold a repository to the standard.

    Looks at files alone, runs nothing, and works on any machine-learning repository. Exit code 1: the score is
    under --fail-under; without that, a check of high severity fails.
    """
    from . import check as checking

    if explain:
        show.explained(checking.explain(explain))
        return
    writer = show.report if format_ == "rich" else _format(format_)
    found = checking.examine(path, select, ignore, fail_under)
    writer(found)
    raise typer.Exit(0 if found.good else 1)


def _format(name: str) -> "Callable[[Report], None]":
    from .formats import FORMATS

    if name not in FORMATS:
        raise UserError(f"there is no format {name}; there are rich, {', '.join(FORMATS)}")
    return lambda report: show.plain(FORMATS[name](report))


@app.command(epilog="Example: mlscaffold infer churn.csv --target churned > contract.yaml")
def infer(
    file: Annotated[Path, typer.Argument(help="CSV, CSV.gz, TSV or Parquet.")],
    *,
    target: Target = None,
    task: Task = None,
    protected: Protected = None,
    time: Time = None,
    id_: Id = None,
    positive: Positive = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Print the contract that a table implies.

    What each column is and may hold, as YAML; what is suspicious is said on standard error.
    """
    from .contract import contract_yaml
    from .new import infer_contract

    roles = {"target": target, "task": task, "protected": protected, "time": time, "id": id_}
    own = infer_contract(file, roles, positive)
    show.findings(own.findings)
    show.plain(contract_yaml(own.contract))


@app.command(epilog="Example: mlscaffold doctor")
def doctor(debug: Debug = False) -> None:  # noqa: ARG001
    """Say what this machine lacks for shipping.

    What each tool is for and how to get it. Exit code 0: a project can ship from here.
    """
    from .answers import config_file
    from .doctor import can_ship, examine

    tools = examine()
    show.tools(tools, ready=can_ship(tools), config=config_file())
    raise typer.Exit(0 if can_ship(tools) else 1)


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line; every error the user can mend is one message and exit code 2."""
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        app(args=list(words) if words is not None else None, prog_name="mlscaffold")
    except UserError as failure:
        if os.environ.get("MLSCAFFOLD_DEBUG"):
            raise
        show.error(failure)
        sys.exit(2)
    except Exception as failure:
        show.bug(failure, debug=bool(os.environ.get("MLSCAFFOLD_DEBUG")))
        sys.exit(70)
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, frame: object) -> None:  # noqa: ARG001
    """End as on Ctrl-C, so that what was begun is taken away."""
    sys.exit(128 + number)
