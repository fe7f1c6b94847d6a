"""`mlscaffold update`."""

from pathlib import Path
from typing import Annotated

import typer

from .. import show
from ..errors import UserError
from .options import Debug

EXAMPLE = "Example: mlscaffold update --dry-run"


def update(
    path: Annotated[Path, typer.Argument(help="The repository.")] = Path(),
    to: Annotated[str | None, typer.Option(help="The version to go to; the newest if left out.", metavar="REF")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    branch: Annotated[
        bool, typer.Option("--branch", help="Commit it to a branch, run the checks there, describe it for review.")
    ] = False,
    check: Annotated[
        list[str] | None,
        typer.Option(
            help="With --branch: a check to run; can be repeated. Left out: lint and test.", metavar="COMMAND"
        ),
    ] = None,
    accept_edits: Annotated[
        bool,
        typer.Option("--accept-edits", help="Keep edits of removed modules as patches, and count them as decided."),
    ] = False,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Update a repository to a newer version of its template.

    Shows what changes and keeps local files. Exit code 1: conflicts, edits of removed modules or imports of them are
    left to a person, or a check on the branch failed.
    """
    from ..check.run import standing
    from ..platform_edits.patches import accept, find_open
    from ..project import load
    from ..update.apply import apply, finish, unfinished
    from ..update.branch import CHECKS, propose
    from ..update.plan import plan
    from ..update.preview import document

    if json and branch:
        raise UserError("--json and --branch do not go together; --json --dry-run says what the branch would hold")
    project = load(path)
    if dry_run and unfinished(project):
        raise UserError("an earlier update was interrupted; `mlscaffold update` completes it")
    if finished := finish(project):
        show.finished(finished)
        raise typer.Exit(1 if finished.conflicts or find_open(project.path) else 0)
    if accept_edits and not dry_run and (decided := accept(project.path)):
        show.accepted(decided)
        raise typer.Exit
    with plan(project, to, accept_edits=accept_edits) as planned:
        if json:
            show.document(document(planned))
        else:
            show.plan(planned, dry=dry_run)
        if branch and not dry_run:
            proposal = propose(planned, standing, CHECKS if check is None else check)
            show.proposed(proposal)
            raise typer.Exit(1 if not planned.complete or (proposal and not proposal.passed) else 0)
        if not dry_run:
            apply(planned)
        if not json:
            show.outcome(planned, dry=dry_run)
    raise typer.Exit(0 if planned.complete else 1)
