"""Print what a day's work costs against 0.5.2: `make ship` again without a change, and `make train` after one.

Both templates are rendered with the same answers (`templates.py`) and shipped once; then they take turns, and the
medians of one run are compared. The change is another number of trees in params.yaml, a new one each time.
"""

import argparse
import os
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from templates import BEFORE, CHECKOUT, render

BARS = {"make ship again": 0.1, "make train, one number changed": 1.0}
IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
# As on a machine where nobody has forbidden Python to keep what it has compiled.
ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def commit(project: Path, message: str) -> None:
    """Commit all, in a repository that is made where there is none."""
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "--allow-empty", "-m", message)):
        subprocess.run(["git", *IDENTITY, *words], cwd=project, check=True)


def seconds(project: Path, *words: str) -> float:
    """Run make and return how long it took."""
    began = time.perf_counter()
    subprocess.run(["make", *words], cwd=project, env=ENVIRON, check=True, capture_output=True)
    return time.perf_counter() - began


def set_trees(project: Path, number: int) -> None:
    """Write another number of trees into params.yaml."""
    params = project / "params.yaml"
    text, count = re.subn(r"(?m)^  max_iter: \d+", f"  max_iter: {number}", params.read_text(encoding="utf-8"))
    if count != 1:
        raise SystemExit(f"{params} holds max_iter {count} times")
    params.write_text(text, encoding="utf-8")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="how often each command is timed (default: 3)")
    runs = parser.parse_args().runs
    times: dict[str, dict[str, list[float]]] = {measure: {BEFORE: [], CHECKOUT: []} for measure in BARS}
    with tempfile.TemporaryDirectory() as folder:
        projects = render(Path(folder))
        for project in projects.values():
            commit(project, "rendered")
            seconds(project, "train", "WHY=the first")
            commit(project, "the first model")
        for turn in range(runs):
            for name, project in projects.items():
                seconds(project, "ship", "FORCE=the benchmark")  # a commit is a change: it is packaged once
                times["make ship again"][name].append(seconds(project, "ship", "FORCE=the benchmark"))
            for name, project in projects.items():
                set_trees(project, 60 + turn)
                times["make train, one number changed"][name].append(
                    seconds(project, "train", f"WHY={60 + turn} trees")
                )
                commit(project, "another number of trees")
    print(f"median of {runs} runs, in turn; seconds\n")
    print(f"| command | {BEFORE} | {CHECKOUT} | ratio | at most |\n| --- | ---: | ---: | ---: | ---: |")
    for measure, bar in BARS.items():
        before, after = (statistics.median(times[measure][name]) for name in (BEFORE, CHECKOUT))
        print(f"| `{measure}` | {before:.1f} | {after:.1f} | {after / before:.2f} | {bar:.2f} |")


if __name__ == "__main__":
    main()
