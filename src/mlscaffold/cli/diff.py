"""`mlscaffold diff`."""

from pathlib import Path
from typing import Annotated

import typer

from .. import show
from ..errors import UserError
from .options import Debug

EXAMPLE = "Example: mlscaffold diff --patch | git apply -R"


def diff(
    path: Annotated[Path, typer.Argument(help="The repository.")] = Path(),
    *,
    all_: Annotated[bool, typer.Option("--all", help="Show also what is meant to differ.")] = False,
    patch: Annotated[bool, typer.Option("--patch", help="Print a patch; git apply -R undoes the differences.")] = False,
    stat: Annotated[bool, typer.Option("--stat", help="Count the lines of each file.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    recover_edits: Annotated[
        bool, typer.Option("--recover", help="Write edits that an update has deleted as patches to vendor/edits/.")
    ] = False,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Show how a repository differs from its template.

    Looks at the files as they are on the disk, committed or not. Exit code 1: files of the standard were changed or
    deleted, or are stale, or an update has deleted edits of the team's, which are then only in git's history.
    """
    from ..diff.lost import recover
    from ..diff.template_diff import compare, summary
    from ..project import load

    if sum((patch, stat, json)) > 1:
        raise UserError("--patch, --stat and --json do not go together; choose one")
    found = compare(load(path))
    files = found.different if all_ else found.standard
    if json:
        show.document(summary(found))
    elif patch or stat:
        from ..diff import patch as patching

        show.raw(patching.patch(found, files) if patch else patching.stat(found, files))
    else:
        show.diff(found, files)
    if recover_edits:
        recover(found.project, found.lost)
        show.recovered(found)
    raise typer.Exit(1 if found.standard or found.lost else 0)
