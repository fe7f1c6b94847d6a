"""The command line: collect, call, show."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import __version__
from .errors import UserError

if TYPE_CHECKING:
    from .answers import Answers
    from .new import OwnTable

# No rich in the help: it costs more start-up than all the rest. What commands print is rich.
app = typer.Typer(
    name="mlscaffold",
    help="A table becomes a versioned, evaluated, deployable ML repository.",
    epilog="Example: mlscaffold new churn --data customers.csv --target churned --ship",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)

_NEW = "Example: mlscaffold new churn --data customers.csv --target churned --protected sex,age --time signed_up"
_UPDATE = "Example: mlscaffold update --dry-run"
_INFER = "Example: mlscaffold infer customers.csv --target churned > contract.yaml"
_DOCTOR = "Example: mlscaffold doctor"

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Target = Annotated[str | None, typer.Option(help="Column to predict.", metavar="COLUMN")]
Task = Annotated[
    str | None, typer.Option(help="classification or regression; told from the target if left out.", metavar="TASK")
]
Protected = Annotated[
    str | None, typer.Option(help="Columns no decision may rest on: A,B. Evaluated, never features.", metavar="A,B")
]
Time = Annotated[str | None, typer.Option(help="Column the split follows: newest rows test.", metavar="COLUMN")]
Id = Annotated[str | None, typer.Option("--id", help="Column of the entity: its rows stay together.", metavar="COLUMN")]
Positive = Annotated[str | None, typer.Option(help="Label that counts as positive, of two.", metavar="LABEL")]


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        print(f"mlscaffold {__version__}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Options before the command."""


@app.command(epilog=_NEW)
def new(  # noqa: PLR0913 - one parameter an option
    path: Annotated[Path, typer.Argument(help="Folder to make: new, or empty.")],
    data: Annotated[
        Path | None, typer.Option(help="Table: CSV, CSV.gz, TSV or Parquet; the penguins if left out.", metavar="FILE")
    ] = None,
    target: Target = None,
    task: Task = None,
    protected: Protected = None,
    time: Time = None,
    id_: Id = None,
    positive: Positive = None,
    template: Annotated[
        str | None, typer.Option(help="Another template: git URL or path.", metavar="URL_OR_PATH")
    ] = None,
    ref: Annotated[str | None, typer.Option(help="Version, branch or commit of the template.")] = None,
    answer: Annotated[
        list[str] | None, typer.Option("-d", help="Answer to a question of the template; repeat.", metavar="KEY=VALUE")
    ] = None,
    answers: Annotated[Path | None, typer.Option(help="YAML file of answers.", metavar="FILE")] = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="Ask nothing.")] = False,
    all_questions: Annotated[bool, typer.Option("--all-questions", help="Ask everything.")] = False,
    ship: Annotated[bool, typer.Option("--ship", help="Go on with `make ship`.")] = False,
    debug: Debug = False,
) -> None:
    """Make a repository from a table: model, tests, CI and service included."""
    from . import new as making
    from . import show
    from .answers import gather
    from .source import template_source

    making.vacant(path)
    flags = {"target": target, "task": task, "protected": protected, "time": time, "id": id_}
    given = gather(flags, answer or (), answers)
    source = template_source(template or given.template, ref or given.ref)
    if all_questions and not show.interactive():
        raise UserError("--all-questions needs a terminal; give answers with -d NAME=VALUE or --answers FILE")
    if not defaults and show.interactive():
        data, given = _asked(given, data)
    own = _inferred(given, data, positive)
    made = making.create(path, given, source, own, ask=all_questions)
    show.created(made)
    if ship:
        raise typer.Exit(making.ship(made.path))
    show.next_steps(made)


def _asked(given: "Answers", data: Path | None) -> "tuple[Path | None, Answers]":
    from . import show
    from .questions import ask_first

    table, said = ask_first(given.values, data, show.prompt)
    return table, given.plus(said)


def _inferred(given: "Answers", data: Path | None, positive: str | None) -> "OwnTable | None":
    from . import show
    from .new import infer_contract

    if data is None:
        if positive is not None:
            raise UserError("--positive is for a table of your own; give it with --data")
        return None
    own = infer_contract(data, given.values, positive)
    show.findings(own.findings)
    return own


@app.command(epilog=_UPDATE)
def update(
    path: Annotated[Path, typer.Argument(help="The repository.")] = Path(),
    to: Annotated[str | None, typer.Option(help="Version of the template; else the newest.", metavar="REF")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, touch nothing.")] = False,
    debug: Debug = False,
) -> None:
    """Bring a repository to the newest version of its template."""
    from . import show
    from . import update as updating

    with updating.plan(path, to) as planned:
        if not dry_run and not planned.nothing:
            updating.apply(planned)
    show.plan(planned, done=not dry_run)
    raise typer.Exit(1 if planned.conflicts else 0)


@app.command(epilog=_INFER)
def infer(  # noqa: PLR0913 - one parameter an option
    file: Annotated[Path, typer.Argument(help="Table: CSV, CSV.gz, TSV or Parquet.")],
    target: Target = None,
    task: Task = None,
    protected: Protected = None,
    time: Time = None,
    id_: Id = None,
    positive: Positive = None,
    debug: Debug = False,
) -> None:
    """Print the contract that a table implies; findings go to standard error."""
    from . import show
    from .contract import contract_yaml
    from .new import infer_contract

    roles: dict[str, Any] = {"target": target, "task": task, "protected": protected, "time": time, "id": id_}
    own = infer_contract(file, roles, positive)
    print(contract_yaml(own.contract), end="")
    show.findings(own.findings, err=True)


@app.command(epilog=_DOCTOR)
def doctor(debug: Debug = False) -> None:
    """Say what this machine lacks, what it is for, and how to get it."""
    from . import doctor as examining
    from . import show
    from .answers import config_file

    examined = examining.examine()
    show.tools(examined, str(config_file()))
    raise typer.Exit(0 if examining.can_ship(examined) else 1)


def _terminated(*_: object) -> None:
    # As an exception it undoes what was half made, as Ctrl-C does.
    raise SystemExit(128 + signal.SIGTERM)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line: the one place where errors become messages and exit codes."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app(args=words, prog_name="mlscaffold")
    except Exception as error:
        if "--debug" in words:
            raise
        _explain(error)


def _explain(error: Exception) -> None:
    from . import show

    if isinstance(error, UserError):
        show.error(str(error))
        sys.exit(2)
    show.bug(error)
    sys.exit(1)
