"""Continuous evaluation at size: seconds, memory and growth, drift against plain scipy, and against evidently.

The library of runtime/ runs with the template's model in the environment of its lock (made in .cache/environments),
evidently in one of its own.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
REPEATS = 3
BARS = {
    "seconds, 100,000 x 20": 30,
    "MB, 100,000 x 20": 2000,
    "growth": 1.0,
    "drift / floor, on the rows it reads": 1.5,
    "drift / floor, on every row": 1.5,
    "drift / scipy's exact distance, on every row": 1.5,
    "evidently / drift": 5,
}


def median(act: Callable[[], object]) -> float:
    """Give the median of a few runs, in seconds."""
    found = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        act()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def table(rows: int, seed: int):
    """Draw 20 columns: 15 numbers, 4 categories, and the target."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {f"x{i}": rng.normal(0, 1, rows) for i in range(15)}, index=pd.RangeIndex(1, rows + 1, name="row")
    )
    for i, many in enumerate((2, 5, 12, 40)):
        frame[f"c{i}"] = pd.Series(
            np.array([f"v{j}" for j in range(many)])[rng.integers(0, many, rows)], frame.index, dtype="str"
        )
    chance = 1 / (1 + np.exp(-frame["x0"] - frame["x1"]))
    return frame.assign(y=pd.Series(np.where(rng.random(rows) < chance, "Yes", "No"), frame.index, dtype="str"))


def inside(job: str, rows: int) -> dict[str, float]:
    """Run one job with the library, in a folder whose src/ holds the template's model."""
    from mlproduct import config
    from mlproduct.contract import columns as contract
    from mlproduct.data import prepare
    from mlproduct.evaluation import bias, champion, compare, evaluate, slices
    from mlproduct.evaluation.drift import detection, distance
    from mlproduct.training import train

    columns = {f"x{i}": contract.Column(f"x{i}", "feature", "number") for i in range(15)}
    for i, many in enumerate((2, 5, 12, 40)):
        labels = tuple(f"v{j}" for j in range(many))
        columns[f"c{i}"] = contract.Column(f"c{i}", "protected" if i == 0 else "feature", "category", categories=labels)
    columns["y"] = contract.Column("y", "target", "category", categories=("No", "Yes"))
    ours = contract.Contract("classification", contract.Source("none"), columns, "Yes")
    tuned = config.Params.load(ROOT / "template" / "params.yaml")
    if job == "drift":
        old, new = table(rows, 1), table(rows, 2)
        names = [*ours.features, "y"]
        step, windows = max(1, rows // distance.LARGEST), tuned.drift.windows
        found = {
            "seconds": median(lambda: distance.drift(old, new, names, ours, tuned.drift)),
            "floor": median(lambda: floor(old.iloc[::step], new.iloc[::step], names, windows)),
        }
        distance.LARGEST = rows  # it reads every row
        return found | {
            "all": median(lambda: distance.drift(old, new, names, ours, tuned.drift)),
            "floor of all": median(lambda: floor(old, new, names, windows)),
            "exact": median(lambda: floor(old, new, names, windows, exact=True)),
        }
    learned, test, _ = prepare.prepare(table(rows, 1), ours, tuned.prepare)
    model = train.train(learned.head(20_000), ours, tuned)
    old = train.train(learned.head(5_000), ours, tuned)
    answers = champion.Answers(evaluate.predicted(old, test, ours), test.index, "")

    def all_of_it() -> None:
        found = evaluate.evaluate(model, learned, test, ours, tuned.evaluate)
        predictions = found.predictions[found.predictions["split"] == "test"]
        slices.slices(test, predictions, answers, ours, tuned)
        bias.bias(test, predictions, answers, ours, tuned)
        detection.between(learned, test, ours, tuned)
        compare.against_champion(test, predictions, answers, ours, tuned)
        compare.leaks(learned, test, ours)

    begun = time.perf_counter()
    all_of_it()
    return {"seconds": time.perf_counter() - begun, "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def floor(old, new, names: list[str], windows: int, exact: bool = False) -> None:
    """Compute the same statistics of the same rows with plain numpy and scipy, and nothing around them.

    Of each column the distance of both samples and of each window of the reference, and PSI. The Wasserstein distance
    is that of 256 quantiles, as the template has it, or scipy's exact one.
    """
    import numpy as np
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import wasserstein_distance

    levels = (np.arange(256) + 0.5) / 256
    parts = np.array_split(np.arange(len(old)), max(3, min(windows, len(old) // len(new))))
    for name in names:
        a, b = old[name], new[name]
        if a.dtype.kind == "f":
            x, y = a.to_numpy(), b.to_numpy()
            spread, edges = x.std(), np.quantile(x, np.linspace(0, 1, 21)[1:-1])
            p, q = (np.bincount(np.searchsorted(edges, v), minlength=20) / len(v) for v in (x, y))
            _ = ((p - q) * np.log(p / q)).sum()
            whole = None if exact else np.quantile(x, levels)
            for other in (y, *(x[rows] for rows in parts)):
                apart = wasserstein_distance(x, other) if exact else np.abs(whole - np.quantile(other, levels)).mean()
                _ = apart / spread
            continue
        counts = [v.value_counts(normalize=True) for v in (a, b, *(a.iloc[rows] for rows in parts))]
        for other in counts[1:]:
            both = counts[0].index.union(other.index)
            _ = jensenshannon(counts[0].reindex(both, fill_value=0), other.reindex(both, fill_value=0), 2)


EVIDENTLY = """
import sys, time, statistics
sys.path.insert(0, sys.argv[1])
from evaluation import table
from evidently import Report
from evidently.presets import DataDriftPreset
old, new = (table(100_000, seed).astype({f"c{i}": object for i in range(4)} | {"y": object}) for seed in (1, 2))
found = []
for _ in range(3):
    begun = time.perf_counter()
    Report([DataDriftPreset()]).run(new, old).dict()
    found.append(time.perf_counter() - begun)
print(statistics.median(found))
"""


def evidently(folder: Path) -> float | None:
    """Time evidently's preset in an environment of its own; None where it cannot be installed."""
    home = folder / "evidently"
    venv.create(home, with_pip=True)
    install = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "evidently", "pandas<3"]
    if subprocess.run(install, check=False).returncode:
        return None
    words = [str(home / "bin" / "python"), "-c", EVIDENTLY, str(Path(__file__).parent)]
    env = os.environ | {"DO_NOT_TRACK": "1"}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return None
    return float(done.stdout.split()[-1])


def main() -> None:
    """Print the table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inside", nargs=2, metavar=("JOB", "ROWS"), help="used by the script itself")
    said = parser.parse_args()
    if said.inside:
        print(json.dumps(inside(said.inside[0], int(said.inside[1]))))
        return
    sys.path.insert(0, str(ROOT / "tests"))
    from template.conftest import installed

    python = installed("requirements.lock") / "bin" / "python"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "template" / "src" / "{{ package }}", folder / "src" / "bench")

        def run(job: str, rows: int) -> dict[str, float]:
            words = [str(python), __file__, "--inside", job, str(rows)]
            env = os.environ | {"PYTHONPATH": f"{ROOT / 'runtime' / 'src'}{os.pathsep}{folder / 'src'}"}
            done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr[-2000:])
            found: dict[str, float] = json.loads(done.stdout)
            return found

        sizes = {rows: run("all", rows) for rows in (10_000, 100_000, 1_000_000)}
        drift = run("drift", 1_000_000)
        ours, theirs = run("drift", 100_000), evidently(folder)
    print("evaluate, slices, bias, drift, compare; 20 columns\n\n| rows | seconds | MB |\n| ---: | ---: | ---: |")
    for rows, found in sizes.items():
        print(f"| {rows:,} | {found['seconds']:.1f} | {found['MB']:.0f} |")
    measured = {
        "seconds, 100,000 x 20": sizes[100_000]["seconds"],
        "MB, 100,000 x 20": sizes[100_000]["MB"],
        "growth": sizes[1_000_000]["seconds"] / sizes[10_000]["seconds"] / 100,
        "drift / floor, on the rows it reads": drift["seconds"] / drift["floor"],
        "drift / floor, on every row": drift["all"] / drift["floor of all"],
        "drift / scipy's exact distance, on every row": drift["all"] / drift["exact"],
        "evidently / drift": None if theirs is None else theirs / ours["seconds"],
    }
    print("\n| measure | value | bar |\n| --- | ---: | ---: |")
    for measure, value in measured.items():
        least = "at least" if measure.startswith("evidently") else "at most"
        print(f"| {measure} | {'not run' if value is None else f'{value:.2f}'} | {least} {BARS[measure]:g} |")


if __name__ == "__main__":
    main()
