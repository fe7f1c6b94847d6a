"""Everything a terminal sees: one module a command."""

from .checks import explained, report
from .creation import created, findings
from .machine import tools
from .terminal import ask, bug, document, error, interactive, notes, plain, remark, say
from .updates import finished, outcome, plan, proposed

__all__ = [
    "ask",
    "bug",
    "created",
    "document",
    "error",
    "explained",
    "findings",
    "finished",
    "interactive",
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
