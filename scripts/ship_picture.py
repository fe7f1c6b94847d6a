"""Write docs/assets/ship.svg: `mlscaffold new` and `make ship`, as a terminal of 80 columns shows them."""

import argparse
import io
import math
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "assets" / "ship.svg"
COLUMNS = 80
ENDS = (6, 24)  # lines of a long command's output that are shown, from its begin and its end
COMMANDS = ("mlscaffold new churn --data churn.csv --target churned --defaults", "cd churn && make ship")


def customers(rows: int = 2000) -> str:
    """Make a table up: who pays much, calls often and came lately leaves sooner."""
    chance = Random(1)  # noqa: S311 - a made-up table
    lines = ["customer_id,age,gender,plan,months,calls,charge,churned"]
    for number in range(rows):
        months, calls = chance.randint(1, 60), min(9, int(chance.expovariate(0.7)))
        plan = chance.choice(["basic", "family", "student"])
        charge = round(chance.uniform(10, 60), 2)
        leaves = chance.random() < 1 / (1 + math.exp(2 + months / 25 - calls / 2 - charge / 60))
        person = f"{chance.randint(18, 80)},{chance.choice(['f', 'm'])}"
        lines.append(f"C-{number:05},{person},{plan},{months},{calls},{charge},{'Yes' if leaves else 'No'}")
    return "\n".join(lines) + "\n"


def run(command: str, folder: Path) -> str:
    """Run a command in a terminal of its own and return what it showed."""
    ours, theirs = pty.openpty()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b"".join(iter(lambda: _some(ours), b""))
    if process.wait():
        sys.exit(f"{command}: {shown.decode(errors='replace')}")
    return shown.decode().replace("\r\n", "\n")


def _some(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the last one has hung up
        return b""


def picture(shown: list[tuple[str, str]], folder: Path) -> str:
    """Lay commands and what they showed out as a picture, without this machine's paths."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, highlight=False)
    for command, text in shown:
        console.print(Text.assemble(("$ ", "bold green"), command))
        lines = text.replace(f"{folder}/", "").rstrip().split("\n")
        first, last = ENDS
        if len(lines) > first + last:
            lines[first:-last] = ["..."]
        console.print(Text.from_ansi("\n".join(lines)))
    drawn = console.export_svg(title="a table becomes a service", unique_id="ship")
    # The font would come from elsewhere whenever somebody opens the picture; the reader's own will do.
    return re.sub(r"\s*@font-face \{.*?\}\n", "\n", drawn, flags=re.DOTALL)


def main() -> None:
    """Record on a table that is made up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path, default=PICTURE, help="the file to write")
    asked = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        (folder / "churn.csv").write_text(customers(), encoding="utf-8")
        shown = [(command, run(command, folder)) for command in COMMANDS]
        asked.picture.write_text(picture(shown, folder), encoding="utf-8")


if __name__ == "__main__":
    main()
