"""Everything a terminal sees; the only importer of rich."""

import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from .branch import Proposal
    from .check import Outcome, Report
    from .checks.standard import Check
    from .doctor import Tool
    from .findings import Finding
    from .landing import Finished
    from .new import Created
    from .preview import Plan

_SIGNS = {"added": "+", "changed": "~", "deleted": "-"}
_STYLES = {"added": "green", "changed": "yellow", "deleted": "red"}


def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console

    # soft_wrap is left to each line: a path that is cut in two cannot be copied.
    return Console(stderr=stderr, highlight=False, emoji=False, markup=False)


def say(text: str, *, stderr: bool = False, style: str | None = None) -> None:
    """Print one line."""
    _console(stderr=stderr).print(text, style=style, soft_wrap=True)


def remark(text: str, *, style: str) -> None:
    """Print a remark to standard error: one line, broken between words where a terminal is narrow."""
    console = _console(stderr=True)
    console.print(text, style=style, soft_wrap=not console.is_terminal)


def plain(text: str) -> None:
    """Print text as it is, for another program."""
    sys.stdout.write(text)
    sys.stdout.flush()


def error(failure: UserError) -> None:
    """Say what went wrong, and how it is mended."""
    say(f"Error: {failure}", stderr=True, style="bold red")


def bug(failure: BaseException, *, debug: bool) -> None:
    """Own up to a failure that is not the user's."""
    if debug:
        traceback.print_exception(failure)
    kind = type(failure).__name__
    say(f"Error: mlscaffold failed, which is a bug in it ({kind}: {failure})", stderr=True, style="bold red")
    if not debug:
        say("Run it again with --debug for the traceback, and report that.", stderr=True)


def interactive() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, explained: str, default: str | None) -> str:
    """Ask one question; an empty answer is the default.

    Parameters
    ----------
    question : str
        In a word or two.
    explained : str
        One line of help.
    default : str, optional
        None where there is none: the question is asked again.

    Returns
    -------
    str
        The answer.
    """
    say(explained, stderr=True, style="dim")
    suffix = f" [{default or 'none'}]" if default is not None else ""
    while True:
        sys.stderr.write(f"{question}{suffix}: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise UserError(f"no answer to {question!r}; give it as an option, or use --defaults")
        if line.strip() or default is not None:
            return line.strip() or default or ""


def findings(found: "Iterable[Finding]") -> None:
    """Say what is worth knowing about a table, one line each."""
    for each in found:
        warning = each.severity == "warning"
        remark(f"{'Note' if warning else 'Data'}: {each.text}", style="yellow" if warning else "")


def notes(texts: Iterable[str]) -> None:
    """Say what else is worth knowing."""
    for text in texts:
        remark(f"Note: {text}", style="yellow")


def created(made: "Created", *, shipping: bool) -> None:
    """Say what was made, and what comes next."""
    notes(made.notes)
    if made.identity:
        name, mail = made.identity
        notes([f"git has no identity here, so the first commit is by {name} <{mail}>; set user.name and user.email"])
    say(f"Made {made.path} from template {made.version}, with its first commit.", style="green")
    if not shipping:
        say(f"Next: cd {_near(made.path)} && make ship")


def _near(path: Path) -> str:
    inside = path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)
    return f"'{inside}'" if " " in inside else inside


def plan(planned: "Plan", *, dry: bool) -> None:
    """Say what an update does, or would do."""
    notes(planned.notes)
    was, now = planned.project.version, planned.version
    if planned.tree is None:
        say(f"Nothing to do: the repository is at {now} of its template.")
        return
    say(f"{'Would update' if dry else 'Updating'} from {was} to {now}, {len(planned.changes)} file(s):", style="bold")
    for change in planned.changes:
        mark = "!" if change.path in planned.conflicts else _SIGNS[change.kind]
        say(f"  {mark} {change.path.as_posix()}", style=_STYLES[change.kind])
    for path in planned.kept:
        say(
            f"Kept: {path.as_posix()} is your own, ignored by git; the template's file of that name is left out",
            style="yellow",
        )
    for path in planned.removed:
        say(f"Left out: {path.as_posix()}, which you deleted and the template still has", style="yellow")
    for each in planned.dropped:
        where = f"renamed it to {each.moved_to.as_posix()}" if each.moved_to else "no longer has it"
        text = f"Kept: {each.path.as_posix()} has edits of yours, but the template {where}"
        say(f"{text}; carry them over, then delete it", style="yellow")


def outcome(planned: "Plan", *, dry: bool) -> None:
    """Say what is left to do."""
    from .preview import conflict

    if planned.conflicts:
        say("Conflicts that would be left:" if dry else "Conflicts are left:", style="bold red")
        for path in planned.conflicts:
            say(f"  ! {path.as_posix()}", style="red")
            for hunk in conflict(planned, path) if dry else ():
                say(hunk, style="dim")
        if not dry:
            say("Resolve them (search for <<<<<<<), then: git add -A && git commit")
    elif planned.tree is not None and not dry:
        say("Updated. Look at it and commit: git diff, git add -A && git commit", style="green")


def proposed(proposal: "Proposal | None") -> None:
    """Say where an update waits for review, and what its checks said."""
    if proposal is None:
        return
    for check in proposal.checks:
        say(f"{check.command}: {'passed' if check.passed else 'failed'}", style="green" if check.passed else "bold red")
    say(f"Branch {proposal.branch} holds it; your files are as they were.", style="green")
    say(f"Next: git push -u origin {proposal.branch}")
    say(f"Text for the pull request: {_near(proposal.description)}")


def finished(done: "Finished") -> None:
    """Say that an update which had been cut off is whole now."""
    say(f"An update to {done.version} had been cut off; it is finished now.", style="green")
    for path in done.conflicts:
        say(f"  ! {path.as_posix()}", style="red")
    say("Look at it and commit: git diff, git add -A && git commit")


def document(content: object) -> None:
    """Print JSON for another program."""
    import json

    plain(f"{json.dumps(content, ensure_ascii=False, indent=2)}\n")


def tools(found: "Sequence[Tool]", *, ready: bool, config: Path) -> None:
    """Print what this machine has."""
    from rich.table import Table

    table = Table("tool", "found", "what it is for", box=None, pad_edge=False)
    for tool in found:
        missing = "missing" if tool.needed else "not found"
        text = tool.purpose if tool.found else f"{tool.purpose}. Get it: {tool.mend}"
        table.add_row(
            tool.name, tool.found or missing, text, style=None if tool.found else "red" if tool.needed else "dim"
        )
    _console().print(table)
    say(f"Your own defaults: {config}" + ("" if config.exists() else " (no such file yet)"))
    if ready:
        say("A project can ship from this machine.", style="green")
    else:
        lacking = ", ".join(tool.name for tool in found if tool.needed and not tool.found)
        say(f"A project cannot ship from this machine: {lacking} missing.", style="bold red")


def report(found: "Report") -> None:
    """Print what the checks came to, and what would raise the score."""
    from .check import score_of

    said = "nothing to look at" if found.score is None else f"{found.score} of 100"
    say(f"{found.name}: {said}", style="bold green" if found.good else "bold red")
    for family, outcomes in found.families:
        _family(family.name, score_of(outcomes), outcomes)
    if found.failing:
        say("\nWhat would raise the score, most first:", style="bold")
    for outcome in found.failing:
        _failed(outcome)
    _left_out(found)


def _family(name: str, score: int | None, outcomes: "Sequence[Outcome]") -> None:
    words = {"passed": "passed", "failed": "failed", "nothing to look at": "nothing to look at", "ignored": "ignored"}
    counts = {word: sum(outcome.status == status for outcome in outcomes) for status, word in words.items()}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    style = "dim" if score is None else "red" if counts["failed"] else "green"
    say(f"  {name:26} {'-' if score is None else score:>4}  {told}", style=style)


def _failed(outcome: "Outcome") -> None:
    check, most = outcome.check, 5  # lines that fit beside others on a screen; the other formats have all
    say(f"  {check.id} {check.title} ({check.severity})", style="red")
    for finding in outcome.findings[:most]:
        say(f"      {finding}")
    if len(outcome.findings) > most:
        say(f"      and {len(outcome.findings) - most} more")
    _wrapped(f"mend: {check.mend}", indent=6)


def _wrapped(text: str, indent: int, style: str = "dim") -> None:
    import textwrap

    for line in textwrap.wrap(text, _console().width - indent, break_long_words=False, break_on_hyphens=False):
        say(" " * indent + line, style=style)


def _left_out(found: "Report") -> None:
    for outcome in found.outcomes:
        if outcome.status == "ignored":
            say(f"  Ignored: {outcome.check.id} {outcome.check.title}: {outcome.reason}", style="yellow")
    if found.ml_test_score:
        from .score import lowest

        parts = ", ".join(f"{each.name} {each.points:g} of {each.items}" for each in found.ml_test_score)
        say(f"\nML Test Score, as claimed: {lowest(found.ml_test_score):g} ({parts})")


def explained(check: "Check") -> None:
    """Print all that there is to know of a check."""
    say(f"{check.id} {check.title}", style="bold")
    for name, text in (
        ("severity", f"{check.severity}, counts {check.weight}"),
        ("why", check.why),
        ("source", f"{check.source.title}, {check.url}"),
        ("mend", check.mend),
        ("looks at", f"{check.needs}; without, there is nothing to look at"),
    ):
        _wrapped(f"{name}: {text}", indent=2, style="")
