"""A report for other programs: one module a format, each of which gives text."""

from collections.abc import Callable

from ..check.run import Report
from . import to_badge, to_html, to_json, to_junit, to_markdown, to_sarif

FORMATS: dict[str, Callable[[Report], str]] = {
    "json": to_json.render,
    "markdown": to_markdown.render,
    "html": to_html.render,
    "sarif": to_sarif.render,
    "junit": to_junit.render,
    "badge": to_badge.render,
}
