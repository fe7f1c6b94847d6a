"""Everything a terminal sees: one module a command."""

from .checks import explained, report
from .creation import created, findings
from .fleet import fleet_check, fleet_status, fleet_update, progress, written
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
    "fleet_check",
    "fleet_status",
    "fleet_update",
    "interactive",
    "notes",
    "outcome",
    "plain",
    "plan",
    "progress",
    "proposed",
    "remark",
    "report",
    "say",
    "tools",
    "written",
]
