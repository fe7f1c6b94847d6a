"""Print the size of an environment without bytecode, and its largest packages: `environment_size.py penguins/.venv`."""

import argparse
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

MEGABYTE = 10**6


@dataclass(frozen=True)
class Environment:
    """Sizes in bytes of what a virtual environment holds, bytecode left out."""

    total: int
    packages: dict[str, int]

    @classmethod
    def measure(cls, venv: Path) -> "Environment":
        """Return the sizes of an environment and of each package in it."""
        site = [str(path) for path in (*venv.glob("lib/python*/site-packages"), *venv.glob("Lib/site-packages"))]
        total = sum(path.stat().st_size for path in venv.rglob("*") if _counts(path))
        return cls(total, {found.name: _size(found) for found in distributions(path=site)})

    def table(self, rows: int = 10) -> str:
        """Return the largest packages as a Markdown table, in MB."""
        largest = sorted(self.packages.items(), key=lambda item: -item[1])[:rows]
        return "\n".join(["| package | MB |", "| --- | --- |", *(f"| {n} | {s / MEGABYTE:.0f} |" for n, s in largest)])


def _counts(path: Path) -> bool:
    return path.suffix != ".pyc" and path.is_file() and not path.is_symlink()


def _size(distribution: Distribution) -> int:
    paths = [Path(str(distribution.locate_file(file))) for file in distribution.files or []]
    return sum(path.stat().st_size for path in paths if _counts(path))


def main() -> None:
    """Measure the environment that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("venv", type=Path, help="a virtual environment")
    found = Environment.measure(parser.parse_args().venv)
    print(f"{found.total / MEGABYTE:.0f} MB in {len(found.packages)} packages\n")
    print(found.table())


if __name__ == "__main__":
    main()
