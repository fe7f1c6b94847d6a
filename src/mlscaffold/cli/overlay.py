"""`mlscaffold overlay new` and `mlscaffold overlay add`."""

from pathlib import Path
from typing import Annotated

import typer

from .. import show
from ..errors import UserError
from .options import Debug

app = typer.Typer(
    name="overlay", help="Put your organisation's own standard on top.", no_args_is_help=True, rich_markup_mode=None
)


@app.command(epilog="Example: mlscaffold overlay new ~/acme-overlay")
def new(
    path: Annotated[Path, typer.Argument(help="The folder to make: new, or empty. Its name names the overlay.")],
    *,
    name: Annotated[str | None, typer.Option(help="Another name for the overlay.", metavar="NAME")] = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Create an overlay: a small template in git.

    With an example of each thing it can add: a file, a runbook, a check, values for params.yaml.
    """
    from ..overlays.make import make
    from ..staging import vacant

    show.made_overlay(make(vacant(path), name))


@app.command(epilog="Example: mlscaffold overlay add ~/acme-overlay --dry-run")
def add(
    overlay: Annotated[str, typer.Argument(help="Git URL, path or bundle of the overlay.", metavar="URL_OR_PATH")],
    path: Annotated[Path, typer.Argument(help="The repository.")] = Path(),
    *,
    ref: Annotated[str | None, typer.Option(help="Version, branch or commit of the overlay.", metavar="REF")] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option("-d", "--answer", help="Answer a question of the overlay; can be repeated.", metavar="KEY=VALUE"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be added; change nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Add an overlay to a repository.

    Adds its files and sets its values in params.yaml, uncommitted. From then on, `mlscaffold update` updates both.
    """
    from ..answers import gather
    from ..project import load
    from ..source import template_source
    from ..update.add_overlay import plan
    from ..update.apply import apply, unfinished
    from ..update.preview import document

    project = load(path)
    if unfinished(project):
        raise UserError("an earlier update was interrupted; `mlscaffold update` completes it")
    with plan(project, template_source(overlay, ref), gather({}, answer or [])) as planned:
        if json:
            show.document(document(planned))
        else:
            show.plan(planned, dry=dry_run)
        if not dry_run:
            apply(planned)
        if not json:
            show.outcome(planned, dry=dry_run)
