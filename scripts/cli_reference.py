"""Write docs/reference/cli.md, and src/mlscaffold/help.txt, from the command line's own help."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "cli.md"
HELP = ROOT / "src" / "mlscaffold" / "help.txt"


def main() -> None:
    """Let typer write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", nargs="?", type=Path, default=PAGE, help="the file to write")
    parser.add_argument("help", nargs="?", type=Path, default=HELP, help="the file for the text of `--help`")
    page, text = parser.parse_args().page, parser.parse_args().help
    typer = [sys.executable, "-m", "typer", "mlscaffold.cli", "utils", "docs"]
    subprocess.run([*typer, "--name", "mlscaffold", "--title", "Command line", "--output", str(page)], check=True)
    code = "import sys; sys.argv = ['mlscaffold', '--help']; from mlscaffold.cli import main; main()"
    shown = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"COLUMNS": "80"}, capture_output=True, check=True
    )
    text.write_bytes(shown.stdout)


if __name__ == "__main__":
    main()
