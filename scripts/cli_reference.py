"""Write docs/reference/cli.md from the command line's own help: `python scripts/cli_reference.py [FILE]`."""

import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"


def main() -> None:
    """Let typer write the page."""
    page = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    typer = [sys.executable, "-m", "typer", "mlscaffold.cli", "utils", "docs"]
    subprocess.run([*typer, "--name", "mlscaffold", "--title", "Command line", "--output", str(page)], check=True)


if __name__ == "__main__":
    main()
