"""Model and service -> a Bento in .bentoml/, built without a network from the lock of the service."""

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlproduct import pinned, team
from mlproduct.artifacts import META, METRICS, MODEL, MODEL_CARD, SERVING, VERDICT, digest
from mlproduct.config import ALONE, CHALLENGER, Rollout, load
from mlproduct.contract.columns import Contract
from mlproduct.errors import DataError
from mlproduct.evaluation.champion import Champion
from mlproduct.evaluation.verdict import REJECTED, Verdict, judge, require_accepted
from mlproduct.experiments.commits import uncommitted
from mlproduct.experiments.journal import current
from mlproduct.experiments.publish import write_page
from mlproduct.packaging.store import use_store

LOCK = Path("requirements-service.lock")
TOOLS_LOCK = Path("requirements-lint.lock")  # uv is one of the tools
FORCED = "\n**Shipped without a blessing.** The reason given: "
BESIDE = ("contract.yaml", "params.yaml", "trusted-types.yaml", str(METRICS), str(MODEL_CARD), str(LOCK))


def commit() -> str:
    """Name the git commit, with `-dirty` where something is not committed, be it new or changed."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if done.returncode:
        return "none"
    return done.stdout.strip() + ("-dirty" if uncommitted() else "")


def labels(meta: dict[str, Any], metrics: dict[str, dict[str, float]], verdict: Verdict, forced: str) -> dict[str, str]:
    """Say what the Bento was made from, how good it is, and how it was judged."""
    provenance = {
        "commit": commit(),
        "uncommitted": "yes" if uncommitted() else "",
        "model": meta["version"],
        "data": meta["data"],
        "contract": meta["contract"][:12],
    }
    locks = {"lock": meta["lock"][:12], "service_lock": digest(LOCK)[:12]}
    scores = {name: f"{found['value']:.4g}" for name, found in metrics.items() if found["value"] is not None}
    judged = {"verdict": verdict.verdict, "failing": ", ".join(verdict.failing), "forced": forced,
              "waived": "; ".join(f"{w['gate']} until {w['expires']}" for w in verdict.waived)}  # fmt: skip
    return locks | scores | {name: value for name, value in (provenance | judged).items() if value}


def allowed(forced: str) -> Verdict:
    """Return the verdict under which the model at hand is packaged.

    Raises
    ------
    DataError
        If it has no blessing of its own, and nobody said why it is shipped all the same.
    """
    try:
        return require_accepted()
    except DataError:
        if not forced:
            raise
    meta = json.loads(META.read_text(encoding="utf-8"))
    verdict = judge() if VERDICT.exists() else None
    if verdict is None or json.loads(VERDICT.read_text(encoding="utf-8"))["model"] != meta["version"]:
        return Verdict(meta["version"], REJECTED, ["not evaluated"], [], [], "This model was not evaluated.")
    return verdict


def record(forced: str) -> None:
    """Write why a model ships without a blessing into the journal and the model card, and tell DVC of the card."""
    replace(current(), forced=forced).write()
    write_page()
    card = MODEL_CARD.read_text(encoding="utf-8").split(FORCED)[0].rstrip("\n")
    MODEL_CARD.write_text(f"{card}\n{FORCED}{forced}\n", encoding="utf-8")
    subprocess.run(["dvc", "commit", "--quiet", "--force", "report"], check=False)


def place(rollout: Rollout, folder: Path) -> None:
    """Put what is served into a folder: the model at hand, or the champion with the model at hand as challenger.

    Raises
    ------
    DataError
        If there is no champion to be the control, or it wants a column that the contract has no more.
    """
    if rollout.mode == ALONE:
        _copy(MODEL.parent, folder)
        return
    champion, contract = Champion.load(), load()[0]
    if champion.release is None or champion.missing:
        raise DataError(
            f"params.yaml, rollout.mode is {rollout.mode}, and there is no champion to be the control; say alone"
        )
    if missing := [name for name in champion.meta["features"] if name not in contract.features]:
        raise DataError(f"{champion.release} cannot be the control: it needs {', '.join(missing)}")
    _copy(MODEL.parent, folder / CHALLENGER)
    _copy(SERVING, folder / SERVING.name, "reference.json", "background.json")
    about = json.loads((SERVING / "serving.json").read_text(encoding="utf-8"))
    old = about | {
        "path": "frame",
        "why": "it was released before models were exported",
        "version": champion.meta["version"],
    }
    (folder / SERVING.name / "serving.json").write_text(json.dumps(old), encoding="utf-8")
    _copy(champion.folder, folder)


def _copy(source: Path, target: Path, *names: str) -> None:
    """Copy what is served, or what is named, where it is there."""
    target.mkdir(parents=True, exist_ok=True)
    for name in names or (MODEL.name, META.name, SERVING.name):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
        elif (source / name).exists():
            shutil.copy2(source / name, target / name)


def build(context: Path, verdict: Verdict, forced: str) -> str:
    """Build the Bento from a folder that holds the package and what stands beside it.

    Returns
    -------
    str
        Its tag.
    """
    use_store()
    import bentoml

    without_uv()

    meta = json.loads(META.read_text(encoding="utf-8"))
    metrics = json.loads(METRICS.read_text(encoding="utf-8"))
    tags, rollout = labels(meta, metrics, verdict, forced), load()[1].rollout
    with bentoml.models.create(team.package(), labels=tags, metadata={"meta": meta, "metrics": metrics}) as model:
        place(rollout, Path(model.path))
    bento = bentoml.bentos.build(
        f"{team.package()}.service:PredictService",
        build_ctx=str(context),
        labels=tags,
        description=MODEL_CARD.read_text(encoding="utf-8"),
        include=["**/*"],
        python={"requirements_txt": LOCK.name, "lock_packages": False},
    )
    lock_image(Path(bento.path))
    return str(bento.tag)


def without_uv() -> None:
    """Keep BentoML (1.4) from installing the newest uv: it asks for uv before it sees that nothing is to be locked."""
    from bentoml._internal import configuration

    vars(configuration)["get_uv_command"] = lambda: ["uv"]


def lock_image(bento: Path) -> None:
    """Let the image hold what the locks name with their hashes: the packages, and uv, which installs them.

    BentoML adds a line for itself without a hash, and would install whatever uv is the newest.
    """
    shutil.copy2(LOCK, bento / "env" / "python" / "requirements.txt")
    pins = re.split(r"\n(?=\S)", TOOLS_LOCK.read_text(encoding="utf-8"))
    (uv,) = [pin for pin in pins if pin.startswith("uv==")]
    (bento / "env" / "docker" / "uv.txt").write_text(uv + "\n", encoding="utf-8")


def library(context: Path) -> None:
    """Put the library that runs into a folder: what the pinned wheel holds, else the installed files.

    BentoML ignores `wheels` where an image is set, and a Bento without its library answers with whatever is installed.
    """
    if not (Path(pinned.EJECTED).is_dir() or (wheel := pinned.Pin.read().wheel) is None):
        pinned.unpack(wheel, context)
        return
    shutil.copytree(pinned.HERE, context / pinned.HERE.name, ignore=shutil.ignore_patterns("__pycache__", "_tests"))
    pinned.write_record(context)


def bento(verdict: Verdict, forced: str) -> str:
    """Put the package and what stands beside it together, and build the Bento; returns its tag."""
    package = team.SOURCES / team.package()
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        shutil.copytree(package, context / package.name, ignore=shutil.ignore_patterns("__pycache__"))
        library(context)
        for name in BESIDE:
            shutil.copy2(name, context / Path(name).name)
        return build(context, verdict, forced)


def main(forced: str = "") -> None:
    """Package the model of the last `make train`, if it is blessed."""
    missing = [str(path) for path in (MODEL, META, SERVING, METRICS, MODEL_CARD, LOCK, TOOLS_LOCK) if not path.exists()]
    if missing:
        raise DataError(f"{', '.join(missing)} is missing: `make train` makes it")
    Contract.load()
    verdict = allowed(forced)
    forced = forced if verdict.verdict == REJECTED else ""
    if forced:
        record(forced)
    print(f"{verdict.said}\nBento {bento(verdict, forced)}")
