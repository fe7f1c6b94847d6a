"""`mlscaffold doctor`."""

import typer

from .. import show
from .options import Debug

EXAMPLE = "Example: mlscaffold doctor"


def doctor(debug: Debug = False) -> None:  # noqa: ARG001
    """Say what this machine lacks for shipping.

    What each tool is for and how to get it. Exit code 0: a project can ship from here.
    """
    from ..answers import config_file
    from ..doctor import can_ship, examine

    tools = examine()
    show.tools(tools, ready=can_ship(tools), config=config_file())
    raise typer.Exit(0 if can_ship(tools) else 1)
