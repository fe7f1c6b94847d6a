"""Print how long `mlscaffold new` and `--help` take, against what they stand on: `python benchmarks/new.py [--runs 7]`.

`new` renders, copies the bundle, makes the git repository and its first commit; `copier copy` only renders. Both take
the template of the bundle. The commands take turns, so that a slow moment of the machine hits all of them; the medians
of one run are compared.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUNDLE = ROOT / "src" / "mlscaffold" / "template.bundle"
MLSCAFFOLD = [sys.executable, "-m", "mlscaffold"]
COPIER = [sys.executable, "-m", "copier", "copy", "--quiet", "--defaults"]


def seconds(command: list[str]) -> float:
    """Run a command and return how long it took."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - began


def medians(commands: dict[str, Callable[[], list[str]]], runs: int) -> dict[str, float]:
    """Run commands in turn and return the median of each."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for name, command in commands.items():
        seconds(command())  # warms the disk's cache and the bytecode
        times[name].clear()
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(seconds(command()))
    return {name: statistics.median(each) for name, each in times.items()}


def newest() -> str:
    """Return the newest version in the bundle, which `mlscaffold new` takes."""
    heads = subprocess.run(["git", "bundle", "list-heads", str(BUNDLE)], capture_output=True, text=True, check=True)
    return heads.stdout.rpartition("refs/tags/")[2].strip()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="how often each command runs (default: 7)")
    runs = parser.parse_args().runs
    version = newest()
    with tempfile.TemporaryDirectory() as folder:
        fresh = (str(Path(folder) / f"run{number}" / "churn") for number in count())
        found = medians(
            {
                "mlscaffold new": lambda: [*MLSCAFFOLD, "new", "--defaults", next(fresh)],
                "copier copy": lambda: [*COPIER, "-d", "name=churn", "-r", version, str(BUNDLE), next(fresh)],
                "mlscaffold --help": lambda: [*MLSCAFFOLD, "--help"],
                "mlscaffold --version": lambda: [*MLSCAFFOLD, "--version"],
                "python -c pass": lambda: [sys.executable, "-c", "pass"],
            },
            runs,
        )
    ratio = found["mlscaffold new"] / found["copier copy"]
    extra = 1000 * (found["mlscaffold --help"] - found["python -c pass"])
    print(f"template {version}, Python {sys.version.split()[0]}, median of {runs} runs, in turn\n")
    print("| command | median, ms |\n| --- | ---: |")
    for name, median in found.items():
        print(f"| {name} | {1000 * median:.0f} |")
    print("\n| measure | value | at most |\n| --- | ---: | ---: |")
    print(f"| mlscaffold new / copier copy | {ratio:.2f} | 1.00 |")
    print(f"| mlscaffold --help - python -c pass | {extra:.0f} ms | 100 ms |")


if __name__ == "__main__":
    main()
