"""A report as JUnit's XML, which CI shows as tests: what had nothing to look at was skipped."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..check.run import Outcome, Report


def render(report: Report) -> str:
    """Return the report as XML."""
    suites = Element("testsuites", name=f"mlscaffold check {report.name}")
    for family, found in report.families:
        failed = sum(outcome.status == "failed" for outcome in found)
        skipped = sum(outcome.status in ("nothing to look at", "ignored") for outcome in found)
        counts = {"tests": str(len(found)), "failures": str(failed), "errors": "0", "skipped": str(skipped)}
        suite = SubElement(suites, "testsuite", {"name": family.name, **counts})
        for outcome in found:
            _case(suite, outcome)
    indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(suites, encoding="unicode")}\n'


def _case(suite: Element, outcome: Outcome) -> None:
    check = outcome.check
    case = SubElement(suite, "testcase", classname=f"mlscaffold.{check.family}", name=f"{check.id} {check.title}")
    if outcome.status == "failed":
        failure = SubElement(case, "failure", message=_plain(check.fix), type=check.severity)
        failure.text = _plain("\n".join(map(str, outcome.findings)))
    elif outcome.status != "passed":
        SubElement(case, "skipped", message=_plain(f"{outcome.status}: {outcome.reason}"))
    if outcome.notes:
        SubElement(case, "system-out").text = _plain("\n".join(map(str, outcome.notes)))


def _plain(text: str) -> str:
    # XML 1.0 has no control characters, not even as references.
    return "".join(
        letter for letter in text if letter in "\n\t" or (letter >= " " and not "\ud800" <= letter <= "\udfff")
    )
