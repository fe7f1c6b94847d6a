"""Print how long `update`, its `--dry-run`, `diff` and `check` take: `python benchmarks/update.py [--runs 7]`.

`update` and `update --dry-run` are compared with plain `copier update` on the same repository: made from the version
before the newest of the bundle, with edits of a team's, brought to the newest. Each run has a copy of its own; the
commands take turns, so that a slow moment of the machine hits all of them; the medians of one run are compared.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUNDLE = ROOT / "src" / "mlscaffold" / "template.bundle"
MLSCAFFOLD = [sys.executable, "-m", "mlscaffold"]
COMMANDS = {
    "copier update": [sys.executable, "-m", "copier", "update", "--defaults", "--quiet"],
    "mlscaffold update --dry-run": [*MLSCAFFOLD, "update", "--dry-run"],
    "mlscaffold update": [*MLSCAFFOLD, "update"],
    "mlscaffold diff": [*MLSCAFFOLD, "diff"],
    "mlscaffold check": [*MLSCAFFOLD, "check"],
}
EDITED = ("README.md", "src/churn/model.py", "src/churn/features.py")  # a line each at the end: merged without conflict


def git(folder: Path, *words: str) -> None:
    """Run git."""
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def versions() -> list[str]:
    """Return the two newest versions of the bundle."""
    heads = subprocess.run(["git", "bundle", "list-heads", str(BUNDLE)], capture_output=True, text=True, check=True)
    found = [line.rpartition("refs/tags/")[2] for line in heads.stdout.splitlines() if "refs/tags/" in line]
    return sorted(found, key=lambda tag: [int(part) for part in tag.lstrip("v").split(".")])[-2:]


def make(folder: Path, version: str) -> Path:
    """Make the repository that is updated."""
    project = folder / "churn"
    subprocess.run([*MLSCAFFOLD, "new", str(project), "--defaults", "--ref", version], check=True, capture_output=True)
    for name in EDITED:
        with (project / name).open("a") as file:
            file.write("# a line of the team's\n")
    git(project, "commit", "-qam", "ours")
    return project


def seconds(command: list[str], project: Path) -> tuple[float, float]:
    """Run a command in a fresh copy of a repository; return how long it took, and how much of the processor."""
    copy = project.parent / "run" / project.name
    shutil.rmtree(copy.parent, ignore_errors=True)
    shutil.copytree(project, copy, symlinks=True)
    git(copy, "status")  # a copy's index is refreshed once, here and not in what is measured
    began, used = time.perf_counter(), processor()
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began, processor() - used
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return took


def processor() -> float:
    """Return the processor time of the processes that have run."""
    spent = os.times()
    return spent.children_user + spent.children_system


def medians(project: Path, runs: int) -> dict[str, tuple[float, float]]:
    """Run the commands in turn and return the medians of each."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for turn in range(runs + 1):  # the first warms the disk's cache and the bytecode
        for name, command in COMMANDS.items():
            took = seconds(command, project)
            times[name] += [took] if turn else []
    return {
        name: (statistics.median(took for took, _ in each), statistics.median(used for _, used in each))
        for name, each in times.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="how often each command runs (default: 7)")
    runs = parser.parse_args().runs
    was, now = versions()
    with tempfile.TemporaryDirectory() as folder:
        found = medians(make(Path(folder), was), runs)
    took = {name: median for name, (median, _) in found.items()}
    plain = took["copier update"]
    print(f"template {was} to {now}, Python {sys.version.split()[0]}, median of {runs} runs, in turn\n")
    print("| command | median, ms | of the processor, ms |\n| --- | ---: | ---: |")
    for name, (median, used) in found.items():
        print(f"| {name} | {1000 * median:.0f} | {1000 * used:.0f} |")
    print("\n| measure | value | at most |\n| --- | ---: | ---: |")
    print(f"| mlscaffold update --dry-run / copier update | {took['mlscaffold update --dry-run'] / plain:.2f} | 1.20 |")
    print(f"| mlscaffold update / copier update | {took['mlscaffold update'] / plain:.2f} | 1.00 |")
    print(f"| mlscaffold check | {took['mlscaffold check']:.2f} s | 1.00 s |")


if __name__ == "__main__":
    main()
