"""Model and service -> a Bento in .bentoml/, built without a network from the lock of the service."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from .contract import Contract, DataError, run
from .evaluate import METRICS
from .report import MODEL_CARD
from .store import use_store
from .train import META, MODEL, digest

LOCK = Path("requirements-service.lock")
BESIDE = ("contract.yaml", "params.yaml", "trusted-types.yaml", str(METRICS), str(MODEL_CARD), str(LOCK))


def commit() -> str:
    """Name the git commit, with `-dirty` where tracked files differ from it."""
    git = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "none"


def labels(meta: dict[str, Any], metrics: dict[str, dict[str, float]]) -> dict[str, str]:
    """Say what the Bento was made from, and how good it is."""
    made = {"commit": commit(), "model": meta["version"], "data": meta["data"], "contract": meta["contract"][:12]}
    locks = {"lock": meta["lock"][:12], "service_lock": digest(LOCK)[:12]}
    scores = {name: f"{found['value']:.4g}" for name, found in metrics.items() if found["value"] is not None}
    return made | locks | scores


def build(name: str, context: Path) -> str:
    """Build the Bento from a folder that holds the package and what stands beside it.

    Returns
    -------
    str
        Its tag.
    """
    use_store()
    import bentoml

    meta = json.loads(META.read_text(encoding="utf-8"))
    metrics = json.loads(METRICS.read_text(encoding="utf-8"))
    told = labels(meta, metrics)
    with bentoml.models.create(name, labels=told, metadata={"meta": meta, "metrics": metrics}) as model:
        for file in (MODEL, META):
            shutil.copy2(file, model.path)
    bento = bentoml.bentos.build(
        f"{name}.service:PredictService",
        build_ctx=str(context),
        labels=told,
        description=MODEL_CARD.read_text(encoding="utf-8"),
        include=["**/*"],
        python={"requirements_txt": LOCK.name, "lock_packages": False},
    )
    return str(bento.tag)


def main() -> None:
    """Package the model of the last `make train`."""
    missing = [str(path) for path in (MODEL, META, METRICS, MODEL_CARD, LOCK) if not path.exists()]
    if missing:
        raise DataError(f"{', '.join(missing)} is missing: `make train` makes it")
    Contract.load()
    package = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        shutil.copytree(package, context / package.name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in BESIDE:
            shutil.copy2(name, context / Path(name).name)
        print(f"Bento {build(package.name, context)}")


if __name__ == "__main__":
    run(main)
