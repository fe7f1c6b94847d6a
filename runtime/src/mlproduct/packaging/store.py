"""Where Bentos are kept: in this repository, and nobody is told."""

import os
from pathlib import Path

STORE = Path(".bentoml").absolute()


def use_store() -> None:
    """Point BentoML to the store, and keep it from reporting its use; has to come before its first import."""
    os.environ.update(BENTOML_HOME=str(STORE), BENTOML_DO_NOT_TRACK="True")
