"""What the command lines cost beside bare Python: medians of one run, as ratios.

`mlproduct --help` may cost at most 5 times bare Python. Runs alternate, so that a busy machine slows all alike.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
COMMANDS = {
    "bare Python": ["python", "-c", "pass"],
    "mlproduct --help": ["mlproduct", "--help"],
    "mlproduct --version": ["mlproduct", "--version"],
    "mlproduct train --help": ["mlproduct", "train", "--help"],
    "mlproduct trian": ["mlproduct", "trian"],
    "mlscaffold --help": ["mlscaffold", "--help"],
}
BAR = 5.0  # of `mlproduct --help`


def seconds(words: list[str]) -> float:
    """Return the time of one run."""
    begun = time.perf_counter()
    subprocess.run([str(BIN / words[0]), *words[1:]], capture_output=True, check=False)
    return time.perf_counter() - begun


def measure(rounds: int) -> dict[str, float]:
    """Return the median time of each command, by turns."""
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):
        for name, words in COMMANDS.items():
            found[name].append(seconds(words))
    return {name: statistics.median(times[1:]) for name, times in found.items()}  # the first fills the caches


def main() -> None:
    """Print the table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="runs of each command (15)")
    found = measure(parser.parse_args().rounds)
    bare = found["bare Python"]
    for name, median in found.items():
        print(f"{name:24} {median / bare:5.1f} times bare Python")
    sys.exit(found["mlproduct --help"] > BAR * bare)


if __name__ == "__main__":
    main()
