"""Run the command line, as `mlscaffold` and as `python -m mlscaffold`."""

import gc
import os
import sys

NARROWEST = 80  # columns for which help.txt is laid out


def main() -> None:
    """Run it; the help of the whole is read from a file, since making it takes ten times as long."""
    if sys.argv[1:] in (["--help"], ["-h"]) and _is_wide() and not sys.argv[0].endswith("__main__.py"):
        sys.stdout.write(_kept_help())
        return
    # A command lives for a second; looking for garbage 700 objects at a time while it imports takes a tenth of that.
    gc.set_threshold(50_000)
    from .cli import main as run

    run()


def _kept_help() -> str:
    with open(os.path.join(os.path.dirname(__file__), "help.txt"), encoding="utf-8") as file:  # noqa: PTH118, PTH120, PTH123 - pathlib costs 9 ms
        return file.read()


def _is_wide() -> bool:
    try:
        return int(os.environ.get("COLUMNS") or os.get_terminal_size(1).columns) >= NARROWEST
    except (ValueError, OSError):  # no terminal: 80 columns
        return not os.environ.get("COLUMNS")


if __name__ == "__main__":
    main()
