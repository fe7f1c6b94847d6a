"""Remove outputs from notebooks; a commit hook calls this."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

GROUP = "Own"
EXAMPLE = "mlproduct strip notebooks/explore.ipynb"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("notebooks", nargs="+", type=absolute, help="files of Jupyter")


def absolute(word: str) -> Path:
    """Return a path that stays true in the root of the repository, where the verb runs."""
    return Path(word).absolute()


def run(options: Namespace) -> int:
    """Run the verb."""
    from mlproduct.notebooks import strip

    changed = [path for path in options.notebooks if strip(path)]
    for path in changed:
        print(f"{path.name}: outputs removed; `git add` it again")
    return int(bool(changed))
