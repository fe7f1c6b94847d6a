"""What `doctor` says."""

from pathlib import Path
from typing import TYPE_CHECKING

from .terminal import console, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..doctor import Tool


def tools(found: "Sequence[Tool]", *, ready: bool, config: Path) -> None:
    """Print what this machine has."""
    from rich.table import Table

    table = Table("tool", "found", "what it is for", box=None, pad_edge=False)
    for tool in found:
        missing = "missing" if tool.needed else "not found"
        text = tool.purpose if tool.found else f"{tool.purpose}. Get it: {tool.fix}"
        table.add_row(
            tool.name, tool.found or missing, text, style=None if tool.found else "red" if tool.needed else "dim"
        )
    console().print(table)
    say(f"Your own defaults: {config}" + ("" if config.exists() else " (no such file yet)"))
    if ready:
        say("A project can ship from this machine.", style="green")
    else:
        lacking = ", ".join(tool.name for tool in found if tool.needed and not tool.found)
        say(f"A project cannot ship from this machine: {lacking} missing.", style="bold red")
