"""Output of `diff`."""

from typing import TYPE_CHECKING

from .terminal import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..diff.template_diff import DifferentFile, TemplateDiff


def diff(found: "TemplateDiff", files: "Sequence[DifferentFile]") -> None:
    """Show the files that differ from what the template renders."""
    standard = found.standard
    good = "green" if not standard else "bold red"
    of = f"{len(standard)} of {found.files} files of the standard differ" if standard else "as the standard has it"
    say(f"{found.project.path.name}, made from {found.project.version}: {of}", style=good)
    for title, state, sign in (
        ("Changed files of the standard:", "changed", "~"),
        ("Deleted:", "deleted", "-"),
        ("Stale, equal to an older version:", "stale", "<"),
        ("Meant to differ:", "yours", "."),
    ):
        some = [each for each in files if each.state == state]
        if some:
            say(title, style="bold")
        for each in some:
            say(f"  {sign} {each.path}{_about(each)}", style="dim" if state == "yours" else "yellow")
    if found.lost:
        say(
            "Edits that an update has deleted, which only git has (--recover writes them as patches):", style="bold red"
        )
    for lost in found.lost:
        say(f"  x {lost.edit.path}, in commit {lost.commit}", style="yellow")
    if len(files) < len(found.different):
        say(f"And {len(found.different) - len(files)} that are meant to differ (--all lists them).", style="dim")


def recovered(found: "TemplateDiff") -> None:
    """Show the patches that were written."""
    for lost in found.lost:
        say(f"Written: {lost.edit.patch}", stderr=True, style="green")
    if found.lost:
        say("Decide on each: delete it, or keep them: mlscaffold update --accept-edits", stderr=True)


def _about(each: "DifferentFile") -> str:
    if each.state == "stale":
        text = f" (of {each.about}{'' if each.wanted else '; the template no longer has it'})"
    else:
        text = f": {each.about}{', deleted' if each.gone else ''}" if each.about else ""
    return text + ("" if each.committed else ", not committed")
