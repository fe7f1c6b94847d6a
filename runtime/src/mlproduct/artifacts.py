"""What the stages hand to each other: names of files, bins and a variable, and a hash of any file."""

import hashlib
from pathlib import Path

MODEL = Path("models/model.skops")
META = Path("models/meta.json")
SERVING = Path("models/serving")
PREDICTIONS = Path("models/predictions.parquet")
METRICS = Path("reports/metrics.json")
VERDICT = Path("reports/verdict.json")
MODEL_CARD = Path("docs/model-card.md")
TRUSTED = Path("trusted-types.yaml")
LOCK = Path("requirements.lock")
KNOWN = "RUN_IS_KNOWN"  # in the environment: what `journal` found that came out of this very run
OTHER = "other"  # bin of the labels without one of their own
ALWAYS = ("null", "unseen", "out_of_range")  # bins that every column has


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
