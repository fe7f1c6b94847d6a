"""Everything a terminal sees: one module a command."""

from .adoption import adopted, adoption
from .checks import explained, report
from .creation import created, findings, made_overlay
from .diff import diff
from .fleet import fleet_check, fleet_status, fleet_update, progress, written
from .machine import tools
from .terminal import ask, bug, document, error, interactive, notes, plain, raw, remark, say
from .updates import accepted, finished, outcome, plan, proposed

__all__ = [
    "accepted",
    "adopted",
    "adoption",
    "ask",
    "bug",
    "created",
    "diff",
    "document",
    "error",
    "explained",
    "findings",
    "finished",
    "fleet_check",
    "fleet_status",
    "fleet_update",
    "interactive",
    "made_overlay",
    "notes",
    "outcome",
    "plain",
    "plan",
    "progress",
    "proposed",
    "raw",
    "remark",
    "report",
    "say",
    "tools",
    "written",
]
