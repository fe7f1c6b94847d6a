"""From an empty folder to the first answer over HTTP, on flights.csv: seconds by step, in one run.

`python benchmarks/day_one.py [TABLE]`: by default `../shared/data/flights.csv`. The package cache should be warm.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLE = ROOT.parent / "shared" / "data" / "flights.csv"
REPEATS = 5
# As on a machine where nobody has forbidden Python to keep what it has compiled.
ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def main() -> None:
    """Ship the table, then time a training that has nothing to do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, nargs="?", default=TABLE, help="with the columns of flights.csv")
    table = parser.parse_args().table
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "flights"
        words = ["new", str(project), "--data", str(table), "--target", "late", "--time", "date", "--id", "flight_id"]
        begun = time.perf_counter()
        create = [sys.executable, "-m", "mlscaffold", *words, "--defaults"]
        subprocess.run(create, env=ENVIRON, check=True, stderr=subprocess.DEVNULL)
        new = time.perf_counter() - begun
        ship = subprocess.run(["make", "ship"], cwd=project, env=ENVIRON, capture_output=True, text=True, check=True)
        shipped = ship.stdout
        steps = {name: float(seconds) for name, seconds in re.findall(r"(\w+) (\d+)s", shipped.splitlines()[-1])}
        idle = statistics.median(timed(project) for _ in range(REPEATS))
    steps = {"new": new, **steps}
    steps["all"] += new
    print(f"{'step':<24} {'seconds':>8} {'of all':>7}")
    for name, seconds in steps.items():
        print(f"{name:<24} {seconds:>8.1f} {seconds / steps['all']:>7.0%}")
    print(f"{'all but setup':<24} {steps['all'] - steps['setup']:>8.1f}          bar: under 60")
    print(f"{'make train, idle':<24} {idle:>8.1f}          bar: under 3 (median of {REPEATS})")


def timed(project: Path) -> float:
    """Time a training that has nothing to do."""
    begun = time.perf_counter()
    subprocess.run(["make", "train"], cwd=project, env=ENVIRON, capture_output=True, check=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
