"""Serve the newest Bento of this repository in the foreground, until the process is told to stop."""

import argparse
import os
import sys
from pathlib import Path

from ..artifacts import PACKAGE
from ..columns import DataError, run
from .store import STORE, use_store


def main() -> None:
    """Become `bentoml serve`: this process is BentoML's own, and signals reach it."""
    parser = argparse.ArgumentParser(prog=f"{__package__}.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=3000, help="to listen on (3000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine alone)")
    asked = parser.parse_args()
    if not (STORE / "bentos" / PACKAGE / "latest").exists():
        raise DataError("there is no Bento yet: `make package` makes it")
    use_store()
    os.environ.setdefault("PREDICTION_LOG", str(Path("logs").absolute()))
    os.environ.pop("PYTHONPATH", None)  # the code of the Bento is served, not that of the work tree
    bentoml = Path(sys.executable).parent / "bentoml"
    os.execv(bentoml, [str(bentoml), "serve", f"{PACKAGE}:latest", "--host", asked.host, "--port", str(asked.port)])  # noqa: S606


if __name__ == "__main__":
    run(main)
