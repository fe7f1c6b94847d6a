"""The command line: parse, call, show. One module a command."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from .. import __version__, show
from ..errors import UserError
from . import adopt, check, diff, doctor, fleet, infer, new, overlay, update
from .options import Debug

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


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Debug = False,
) -> None:
    pass


# In the order of the help.
app.command(epilog=new.EXAMPLE)(new.new)
app.command(epilog=adopt.EXAMPLE)(adopt.adopt)
app.command(epilog=update.EXAMPLE)(update.update)
app.add_typer(overlay.app)
app.command(epilog=check.EXAMPLE)(check.check)
app.command(epilog=diff.EXAMPLE)(diff.diff)
app.add_typer(fleet.app, name="fleet")
app.command(epilog=infer.EXAMPLE)(infer.infer)
app.command(epilog=doctor.EXAMPLE)(doctor.doctor)


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line; every error the user can fix is one message and exit code 2."""
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        app(args=list(words) if words is not None else None, prog_name="mlscaffold")
    except UserError as failure:
        show.error(failure, debug=bool(os.environ.get("MLSCAFFOLD_DEBUG")))
        sys.exit(2)
    except Exception as failure:
        show.bug(failure, debug=bool(os.environ.get("MLSCAFFOLD_DEBUG")))
        sys.exit(70)
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, frame: object) -> None:  # noqa: ARG001
    """End as on Ctrl-C, so that what was begun is taken away."""
    sys.exit(128 + number)
