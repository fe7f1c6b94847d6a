"""Write docs/reference/cli.md from the command line's own help: `python scripts/cli_reference.py [FILE]`."""

import sys
from pathlib import Path

import click
import typer.main

from mlscaffold.cli import app

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"
HEAD = """# Command line

Written from the code by `scripts/cli_reference.py`; a test keeps it true. `python -m mlscaffold` is the same command.
"""


def sections(command: click.Command, name: str) -> list[str]:
    """Give one section for a command and one for each command below it."""
    context = click.Context(command, info_name=name)
    text = [f"## {name}\n", "\n\n".join(paragraphs(command.help or "")) + "\n"]
    usage = " ".join(command.collect_usage_pieces(context))
    text.append(f"```\n{name} {usage}\n```\n")
    rows = [record for parameter in command.get_params(context) if (record := row(parameter, context))]
    if rows:
        text.append("| argument, option | meaning |\n| --- | --- |\n" + "\n".join(rows) + "\n")
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None and not found.hidden:
                text += sections(found, f"{name} {below}")
    return text


def paragraphs(text: str) -> list[str]:
    """Split help into paragraphs; those that click is told not to wrap become code."""
    found = []
    for block in text.strip().split("\n\n"):
        found.append("```\n" + block.replace("\b\n", "") + "\n```" if block.startswith("\b") else block)
    return found


def row(parameter: click.Parameter, context: click.Context) -> str:
    """Give a table's row for an option or an argument, or nothing where it is hidden."""
    if isinstance(parameter, click.Argument):
        return f"| `{parameter.make_metavar(context)}` | {getattr(parameter, 'help', None) or ''} |"
    record = parameter.get_help_record(context)
    if record is None:
        return ""
    flags, meaning = record
    return f"| `{flags.replace('|', ' or ')}` | {' '.join(meaning.split()).replace('|', ' or ')} |"


def main() -> None:
    """Write the page."""
    page = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    page.write_text(HEAD + "\n" + "\n".join(sections(typer.main.get_command(app), "mlscaffold")), encoding="utf-8")


if __name__ == "__main__":
    main()
