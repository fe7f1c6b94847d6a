"""A report as Markdown: for a pull request, or the summary of a CI job."""

from collections.abc import Iterator

from ..check.ml_test_score import lowest
from ..check.run import Outcome, Report, score_of


def render(report: Report) -> str:
    """Return the report as Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {_safe(report.name)}: {'nothing to look at' if report.score is None else f'{report.score} of 100'}"
    yield from (
        "",
        "| family | score | passed | failed | nothing to look at | ignored |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    )
    for family, found in report.families:
        score = score_of(found)
        counts = [
            sum(outcome.status == status for outcome in found)
            for status in ("passed", "failed", "nothing to look at", "ignored")
        ]
        yield f"| {family.name} | {'-' if score is None else score} | {' | '.join(map(str, counts))} |"
    if report.failing:
        yield from ("", "## What would raise the score, most first", "")
        for outcome in report.failing:
            yield from _failed(outcome)
    noted = [(outcome.check, note) for outcome in report.outcomes for note in outcome.notes]
    if noted:
        yield from ("", "## Accepted, with a reason", "")
        yield from (f"- {check.id} {_safe(check.title)}: {_safe(str(note))}" for check, note in noted)
    ignored = [outcome for outcome in report.outcomes if outcome.status == "ignored"]
    if ignored:
        yield from ("", "## Ignored", "")
        yield from (f"- {each.check.id} {_safe(each.check.title)}: {_safe(each.reason)}" for each in ignored)
    if report.ml_test_score:
        parts = ", ".join(f"{each.name} {each.points:g} of {each.items}" for each in report.ml_test_score)
        yield from ("", f"ML Test Score, as claimed: {lowest(report.ml_test_score):g} ({parts})")


def _failed(outcome: Outcome) -> Iterator[str]:
    check = outcome.check
    source = f"[{_safe(check.source.title)}]({check.url})"
    yield f"- **{check.id} {_safe(check.title)}** ({check.severity}). {_safe(check.why)} {source}"
    yield from (f"    - {_safe(str(finding))}" for finding in outcome.findings)
    yield f"    - Fix: {_safe(check.fix)}"


def _safe(text: str) -> str:
    # Names of files and columns are whatever somebody called them: no markup, no mention.
    escaped = "".join(f"\\{letter}" if letter in "\\`*_[]|<>" else letter for letter in text)
    return escaped.replace("@", "@\u200b").replace("\n", " ")
