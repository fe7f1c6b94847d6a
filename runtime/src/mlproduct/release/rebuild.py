"""A commit -> its Bento, from git and DVC alone: in a work tree of its own, and asked over HTTP what it is."""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from mlproduct import pinned, team
from mlproduct.artifacts import META
from mlproduct.errors import DataError
from mlproduct.evaluation.verdict import require_accepted
from mlproduct.packaging.package import bento, commit
from mlproduct.packaging.ship import free_port, served
from mlproduct.packaging.store import STORE
from mlproduct.release.environment import COPIED, copied, environment


@dataclass(frozen=True)
class Rebuilt:
    """A Bento that has said itself what it is."""

    bento: str
    model: str
    commit: str


def git(*words: str, folder: Path | None = None) -> str:
    """Run git.

    Raises
    ------
    DataError
        If it refuses; with what it says.
    """
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise DataError(f"git {' '.join(words[:2])}: {done.stderr.strip()}")
    return done.stdout.strip("\n")


@contextmanager
def work_tree(revision: str) -> Iterator[Path]:
    """Check a commit out in a folder beside, with its models from DVC; what is at hand stays as it is.

    Raises
    ------
    DataError
        If its models are neither in the cache nor in the storage.
    """
    STORE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        git("worktree", "add", "--quiet", "--detach", str(tree), revision)
        try:
            (tree / STORE.name).symlink_to(STORE)
            shutil.rmtree(tree / "models")  # DVC would put its own into what is there
            get = ["dvc", "get", ".", "models", "--rev", revision, "--out", str(tree / "models"), "--quiet"]
            done = subprocess.run(get, capture_output=True, text=True, check=False)
            if done.returncode or not (tree / META).exists():
                raise DataError(
                    f"the models of {revision} are neither here nor in the storage: {done.stderr.strip()} "
                    "`make push`, where they were trained, sends them there"
                )
            yield tree
        finally:
            git("worktree", "remove", "--force", str(tree))


def paths() -> list[str]:
    """Return the paths of which one is in every release that can be made again: a pinned library or a copied module."""
    return [pinned.PIN.as_posix(), pinned.EJECTED.as_posix(), *(f"src/{team.package()}/{name}" for name in COPIED)]


def command(tree: Path) -> list[str]:
    """Return the words after `python` that rebuild a work tree by its own code, which may be of another version."""
    module = copied(tree)
    return ["-m", module] if module else ["-m", "mlproduct", "rebuild"]


def rebuild(tree: Path, on: date) -> Rebuilt:
    """Package what a work tree holds, by its own code and its own packages, as it was judged on a day.

    Raises
    ------
    DataError
        If that fails; what it said stands above.
    """
    with environment(tree) as found:
        words = [str(found.python), *command(tree), "--on", str(on)]
        done = subprocess.run(words, cwd=tree, env=found.variables(), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise DataError("it cannot be packaged and served; what it said stands above")
    return Rebuilt(**json.loads(done.stdout.splitlines()[-1]))


@contextmanager
def all_or_nothing(store: Path, name: str) -> Iterator[None]:
    """Leave the store of Bentos as it was, if what is done in it fails."""
    folders = [store / kind / name for kind in ("bentos", "models")]
    before = {f: ({p.name for p in f.glob("*")}, _text(f / "latest")) for f in folders}
    try:
        yield
    except BaseException:
        for folder, (names, latest) in before.items():
            for path in folder.glob("*"):
                if path.name not in names and path.is_dir():
                    shutil.rmtree(path)
            if latest is None:
                (folder / "latest").unlink(missing_ok=True)
            else:
                (folder / "latest").write_text(latest, encoding="utf-8")
        raise


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def version_of(url: str) -> Any:
    """Ask a service what runs."""
    with urllib.request.urlopen(f"{url}/version", timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def disagreements(version: dict[str, Any], expected: dict[str, str]) -> list[str]:
    """Say where a service is not what it should be."""
    return [
        f"{key} is {version.get(key)!r}, not {value!r}" for key, value in expected.items() if version.get(key) != value
    ]


def main(on: date) -> None:
    """Package what stands in this work tree, serve it, and compare what it says with what it should be.

    Parameters
    ----------
    on : date
        The day of the release: waivers count as then.
    """
    model = json.loads(META.read_text(encoding="utf-8"))["version"]
    with all_or_nothing(STORE, team.package()):
        rebuilt = Rebuilt(bento(require_accepted(on), ""), model, commit())
        os.environ.pop("SERVICE_TOKEN", None)  # of the service that runs; this one is asked by nobody else
        os.environ["PREDICTION_LOG"] = ""
        with served(free_port()) as ready:
            try:
                version = version_of(ready())
            except urllib.error.URLError as error:
                raise DataError(f"GET /version: {error}") from None
        expected = {"bento": rebuilt.bento.partition(":")[2], "model": rebuilt.model, "commit": rebuilt.commit}
        if wrong := disagreements(version, expected):
            raise DataError(f"what is served is not what was packaged: {'; '.join(wrong)}")
    print(json.dumps(asdict(rebuilt)))
