"""A report as SARIF 2.1.0, which forges show beside the lines of a pull request."""

import json
from typing import Any
from urllib.parse import quote

from .. import __version__
from ..check.run import Report
from ..checks.standard import Check, Finding, Severity

_LEVEL: dict[Severity, str] = {"high": "error", "medium": "warning", "low": "note"}


def render(report: Report) -> str:
    """Return the report as SARIF."""
    checks = [outcome.check for outcome in report.outcomes]
    place = {check.id: number for number, check in enumerate(checks)}
    results = [
        _result(outcome.check, place[outcome.check.id], finding)
        for outcome in report.failing
        for finding in outcome.findings
    ]
    results += [
        _result(outcome.check, place[outcome.check.id], note, "note")
        for outcome in report.outcomes
        for note in outcome.notes
    ]
    driver = {"name": "mlscaffold", "version": __version__, "rules": [_rule(check) for check in checks]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "name": "".join(word.capitalize() for word in check.look.__name__.split("_")),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why},
        "help": {
            "text": f"{check.fix}\n\n{check.source.title}: {check.url}",
            "markdown": f"{check.fix}\n\n[{check.source.title}]({check.url})",
        },
        "helpUri": check.url,
        "defaultConfiguration": {"level": _LEVEL[check.severity]},
        "properties": {"tags": [check.family], "precision": "high"},
    }


def _result(check: Check, place: int, finding: Finding, level: str = "") -> dict[str, Any]:
    # GitHub shows no result without a place: what a repository lacks stands at its README.
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.path or "README.md")}}
    if finding.line:
        location["region"] = {"startLine": finding.line}
    return {
        "ruleId": check.id,
        "ruleIndex": place,
        "level": level or _LEVEL[check.severity],
        "message": {"text": f"{check.title}: {finding.text}. {check.fix}"},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"mlscaffold/v1": f"{check.id}:{finding.path}:{finding.text}"},
    }
