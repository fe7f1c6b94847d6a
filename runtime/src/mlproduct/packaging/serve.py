"""Serve the newest Bento of this repository in the foreground, until the process is told to stop."""

import os
import sys
from pathlib import Path

from mlproduct import team
from mlproduct.errors import DataError
from mlproduct.packaging.store import STORE, use_store


def main(host: str = "127.0.0.1", port: int = 3000) -> None:
    """Become `bentoml serve`: this process is BentoML's own, and signals reach it.

    Raises
    ------
    DataError
        If there is no Bento yet.
    """
    name = team.package()
    if not (STORE / "bentos" / name / "latest").exists():
        raise DataError("there is no Bento yet: `make package` makes it")
    use_store()
    os.environ.setdefault("PREDICTION_LOG", str(Path("logs").absolute()))
    os.environ.pop("PYTHONPATH", None)  # the code of the Bento is served, not that of the work tree
    bentoml = Path(sys.executable).parent / "bentoml"
    os.execv(bentoml, [str(bentoml), "serve", f"{name}:latest", "--host", host, "--port", str(port)])  # noqa: S606
