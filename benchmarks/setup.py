"""Print how long `make setup` takes and how large the environment is, against 0.5.2: `benchmarks/setup.py [--pip]`.

Both templates are rendered with the same answers: 0.5.2 from the bundle, the next one from the checkout with a wheel
built from runtime/. Each environment is made once before, so that caches are warm; then they take turns, and the
medians of one run are compared. `--pip` hides uv.
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

from templates import BEFORE, CHECKOUT, ROOT, render

BARS = {"uv": 0.5, "pip": 0.6}
SIZE, PACKAGES = 760, 190

sys.path.insert(0, str(ROOT / "scripts"))

from environment_size import MEGABYTE, Environment  # noqa: E402


def path(tool: str) -> str:
    """Return the search path with uv in front, or without any uv."""
    folders = os.environ["PATH"].split(os.pathsep)
    if tool == "uv":
        return os.pathsep.join([str(Path(sys.executable).parent), *folders])
    return os.pathsep.join(folder for folder in folders if not shutil.which("uv", path=folder))


def seconds(project: Path, tool: str) -> float:
    """Make the environment of a project anew and return how long it took."""
    for venv in project.glob(".venv*"):
        shutil.rmtree(venv)
    words = ["make", "setup", f"PYTHON={getattr(sys, '_base_executable', sys.executable)}"]
    began = time.perf_counter()
    subprocess.run(words, cwd=project, check=True, capture_output=True, env={**os.environ, "PATH": path(tool)})
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often each environment is made (default: 3)")
    parser.add_argument("--pip", action="store_true", help="with pip in place of uv")
    options = parser.parse_args()
    tool = "pip" if options.pip else "uv"
    with tempfile.TemporaryDirectory() as folder:
        projects = render(Path(folder))
        for project in projects.values():
            seconds(project, tool)
        sizes = {name: Environment.measure(project / ".venv") for name, project in projects.items()}
        times: dict[str, list[float]] = {name: [] for name in projects}
        for _ in range(options.runs):
            for name, project in projects.items():
                times[name].append(seconds(project, tool))
    median = {name: statistics.median(each) for name, each in times.items()}
    python = sys.version.split()[0]
    print(f"`make setup` with {tool}, warm cache, Python {python}, median of {options.runs} runs, in turn\n")
    print("| template | median, s | MB without bytecode | packages |\n| --- | ---: | ---: | ---: |")
    for name, size in sizes.items():
        print(f"| {name} | {median[name]:.1f} | {size.total / MEGABYTE:.0f} | {len(size.packages)} |")
    print("\n| measure | value | at most |\n| --- | ---: | ---: |")
    print(f"| set-up / that of {BEFORE} | {median[CHECKOUT] / median[BEFORE]:.2f} | {BARS[tool]:.2f} |")
    print(f"| size, MB | {sizes[CHECKOUT].total / MEGABYTE:.0f} | {SIZE} |")
    print(f"| packages | {len(sizes[CHECKOUT].packages)} | {PACKAGES} |\n")
    print(sizes[CHECKOUT].table())


if __name__ == "__main__":
    main()
