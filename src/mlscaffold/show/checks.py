"""What `check` says."""

from typing import TYPE_CHECKING

from .terminal import say, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..check.run import Outcome, Report
    from ..checks.standard import Check


def report(found: "Report") -> None:
    """Print what the checks came to, and what would raise the score."""
    from ..check.run import score_of

    score = "nothing to look at" if found.score is None else f"{found.score} of 100"
    say(f"{found.name}: {score}", style="bold green" if found.good else "bold red")
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
    counted = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    style = "dim" if score is None else "red" if counts["failed"] else "green"
    say(f"  {name:26} {'-' if score is None else score:>4}  {counted}", style=style)


def _failed(outcome: "Outcome") -> None:
    check, most = outcome.check, 5  # lines that fit beside others on a screen; the other formats have all
    say(f"  {check.id} {check.title} ({check.severity})", style="red")
    for finding in outcome.findings[:most]:
        say(f"      {finding}")
    if len(outcome.findings) > most:
        say(f"      and {len(outcome.findings) - most} more")
    wrapped(f"fix: {check.fix}", indent=6)


def _left_out(found: "Report") -> None:
    for outcome in found.outcomes:
        for note in outcome.notes:
            say(f"  Accepted: {outcome.check.id} {note}", style="yellow")
        if outcome.status == "ignored":
            say(f"  Ignored: {outcome.check.id} {outcome.check.title}: {outcome.reason}", style="yellow")
    if found.ml_test_score:
        from ..check.ml_test_score import lowest

        parts = ", ".join(f"{each.name} {each.points:g} of {each.items}" for each in found.ml_test_score)
        say(f"\nML Test Score, as claimed: {lowest(found.ml_test_score):g} ({parts})")


def explained(check: "Check") -> None:
    """Print all that there is to know of a check."""
    say(f"{check.id} {check.title}", style="bold")
    for name, text in (
        ("severity", f"{check.severity}, counts {check.weight}"),
        ("why", check.why),
        ("source", f"{check.source.title}, {check.url}"),
        ("fix", check.fix),
        ("looks at", f"{check.needs}; without, there is nothing to look at"),
    ):
        wrapped(f"{name}: {text}", indent=2, style="")
