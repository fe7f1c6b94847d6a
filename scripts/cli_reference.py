"""Write docs/reference/cli.md from the command line's own help."""

import argparse
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"


def main() -> None:
    """Let typer write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", nargs="?", type=Path, default=PAGE, help="the file to write")
    page = parser.parse_args().page
    typer = [sys.executable, "-m", "typer", "mlscaffold.cli", "utils", "docs"]
    subprocess.run([*typer, "--name", "mlscaffold", "--title", "Command line", "--output", str(page)], check=True)


if __name__ == "__main__":
    main()
