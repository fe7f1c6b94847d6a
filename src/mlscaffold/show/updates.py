"""Output of `update`."""

from typing import TYPE_CHECKING

from .terminal import near, notes, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..platform_edits.imports import StaleImport
    from ..platform_edits.patches import Edit
    from ..update.apply import Finished
    from ..update.branch import Proposal
    from ..update.preview import Plan

_SIGNS = {"added": "+", "changed": "~", "deleted": "-"}
_STYLES = {"added": "green", "changed": "yellow", "deleted": "red"}


def plan(planned: "Plan", *, dry: bool) -> None:
    """Show what an update does, or would do."""
    notes(planned.notes)
    if planned.tree is None and planned.edits:
        say("Nothing is updated before these edits of an earlier update are decided on:", style="bold red")
        _edits(planned.edits)
        return
    if planned.tree is None:
        say(f"Nothing to do: the repository is at {planned.version} of its template.")
        return
    begin = "Would update" if dry else "Updating"
    say(f"{begin} {planned.steps}, {len(planned.changes)} file(s):", style="bold")
    for change in planned.changes:
        mark = "!" if change.path in planned.conflicts else _SIGNS[change.kind]
        say(f"  {mark} {change.path.as_posix()}", style=_STYLES[change.kind])
    for path in planned.kept:
        say(
            f"Kept: {path.as_posix()} is a local file, ignored by git; the template's file of that name is left out",
            style="yellow",
        )
    for path in planned.removed:
        say(f"Left out: {path.as_posix()}, which you deleted and the template still has", style="yellow")
    for moved in planned.carried:
        say(
            f"Carried: your changes to {moved.path.as_posix()}, which is {moved.moved_to.as_posix()} now", style="green"
        )
    for each in planned.dropped:
        where = f"renamed it to {each.moved_to.as_posix()}" if each.moved_to else "no longer has it"
        text = f"Kept: {each.path.as_posix()} has local changes, but the template {where}"
        say(f"{text}; copy them to where they belong, then delete it", style="yellow")
    _edits(planned.edits)
    _imports(planned.imports)


def _edits(edits: "Sequence[Edit]") -> None:
    for edit in edits:
        say(f"Your edit of {edit.path}, which the template no longer has, is kept in {edit.patch}:", style="yellow")
        if edit.place.module:
            say(f"  the library has it as {edit.place.module}", style="yellow")
        if edit.place.point:
            say(f"  extension point: {edit.place.point}", style="yellow")
        for line in edit.diff.encode(errors="replace").decode().splitlines():
            say(f"    {line}", style="dim")


def _imports(stale: "Sequence[StaleImport]") -> None:
    if stale:
        say("Lines of yours that name modules which are in the library now:", style="bold yellow")
    for each in stale:
        say(f"  {each.path}:{each.line}: {each.text}", style="yellow")
        say(f"    now: {each.instead}", style="yellow")


def outcome(planned: "Plan", *, dry: bool) -> None:
    """Show what is left to do."""
    from ..update.preview import conflict

    if planned.conflicts:
        say("Conflicts that would be left:" if dry else "Conflicts are left:", style="bold red")
        for path in planned.conflicts:
            say(f"  ! {path.as_posix()}", style="red")
            for hunk in conflict(planned, path) if dry else ():
                say(hunk, style="dim")
    if dry:
        return
    if planned.undecided:
        say(f"{len(planned.undecided)} edit(s) to decide on: delete the patch, or keep it with", style="bold red")
        say("  mlscaffold update --accept-edits")
    if planned.imports:
        say(f"{len(planned.imports)} line(s) of yours to rewrite, listed above", style="bold red")
    if planned.conflicts:
        say("Resolve them (search for <<<<<<<), then: git add -A && git commit")
    elif planned.tree is not None:
        say("Updated. Look at it and commit: git diff, git add -A && git commit", style="green")


def accepted(edits: "Sequence[Edit]") -> None:
    """Show which edits count as decided now."""
    say(f"{len(edits)} edit(s) are accepted; the patches stay and have no effect:", style="green")
    for edit in edits:
        say(f"  {edit.patch}")
    say("Commit them: git add -A && git commit")


def proposed(proposal: "Proposal | None") -> None:
    """Show the branch of an update, and the results of its checks."""
    if proposal is None:
        return
    for check in proposal.checks:
        say(f"{check.command}: {'passed' if check.passed else 'failed'}", style="green" if check.passed else "bold red")
    say(f"Branch {proposal.branch} holds it; your files are as they were.", style="green")
    say(f"Next: git push -u origin {proposal.branch}")
    say(f"Text for the pull request: {near(proposal.description)}")


def finished(done: "Finished") -> None:
    """Show that an interrupted update is complete now."""
    say(f"An update to {done.version} was interrupted; it is complete now.", style="green")
    for path in done.conflicts:
        say(f"  ! {path.as_posix()}", style="red")
    say("Look at it and commit: git diff, git add -A && git commit")
