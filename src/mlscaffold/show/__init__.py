"""Everything a terminal sees: one module a command."""

from .adoption import adopted, adoption
from .checks import explained, report
from .creation import created, findings, made_overlay
from .machine import tools
from .terminal import ask, bug, document, error, interactive, notes, plain, remark, say
from .updates import finished, outcome, plan, proposed

__all__ = [
    "adopted",
    "adoption",
    "ask",
    "bug",
    "created",
    "document",
    "error",
    "explained",
    "findings",
    "finished",
    "interactive",
    "made_overlay",
    "notes",
    "outcome",
    "plain",
    "plan",
    "proposed",
    "remark",
    "report",
    "say",
    "tools",
]
