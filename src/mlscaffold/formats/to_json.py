"""A report as JSON."""

import json
from dataclasses import asdict
from typing import Any

from .. import __version__
from ..check.ml_test_score import lowest
from ..check.run import Outcome, Report, score_of


def render(report: Report) -> str:
    """Return the report as JSON."""
    return json.dumps(document(report), indent=2, ensure_ascii=False) + "\n"


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain values."""
    sections = report.ml_test_score
    return {
        "mlscaffold": __version__,
        "repository": report.name,
        "score": report.score,
        "good": report.good,
        "families": {
            family.letters: {"name": family.name, "score": score_of(found)} for family, found in report.families
        },
        "ml_test_score": {"score": lowest(sections), "sections": [asdict(each) for each in sections]}
        if sections
        else None,
        "checks": [_check(outcome) for outcome in report.outcomes],
    }


def _check(outcome: Outcome) -> dict[str, Any]:
    check = outcome.check
    return {
        "id": check.id,
        "title": check.title,
        "family": check.family,
        "severity": check.severity,
        "status": outcome.status,
        "reason": outcome.reason,
        "findings": [asdict(finding) for finding in outcome.findings],
        "notes": [asdict(note) for note in outcome.notes],
        "fix": check.fix,
        "why": check.why,
        "source": check.source.title,
        "url": check.url,
    }
