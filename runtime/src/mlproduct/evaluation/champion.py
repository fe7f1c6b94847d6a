"""The champion: the model of the last release, fetched from git and DVC, and what it says of the rows at hand."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mlproduct.contract.columns import Contract
from mlproduct.errors import DataError
from mlproduct.evaluation.metrics import losses

if TYPE_CHECKING:  # pandas takes half a second, and who only asks which release runs needs none
    import pandas as pd

CHAMPION = Path("champion.yaml")
FOLDER = Path("models/champion")
FROM_DVC = ("models/predictions.parquet", "models/model.skops", "models/meta.json")
IF_THERE = ("models/serving",)  # not in releases from before models were exported
FROM_GIT = ("contract.yaml", "params.yaml")
HEAD = (
    "# The model that candidates are compared with: the last release. Written by `make train`; "
    "AGAINST=REV names another.\n"
)
WITHDRAWN = "withdrawn/"  # before the name of a release, the tag that `make rollback` gives to it
FEWEST = 100  # rows that both models may be judged on: with fewer, nothing can be said


def git(*words: str) -> str | None:
    """Ask git; None where it refuses."""
    done = subprocess.run(["git", *words], capture_output=True, text=True, encoding="utf-8", check=False)
    return done.stdout.strip("\n") if done.returncode == 0 else None


def withdrawn() -> list[str]:
    """Name the releases that were rolled back."""
    return [tag.removeprefix(WITHDRAWN) for tag in (git("tag", "--list", f"{WITHDRAWN}v*") or "").splitlines()]


def releases() -> list[str]:
    """Name the releases before this commit that stand, the champion first."""
    options = ("--tags", "--abbrev=0", "--match", "v[0-9]*", *(f"--exclude={tag}" for tag in withdrawn()))
    found, tag = list[str](), git("describe", *options)
    while tag:
        found.append(tag)
        tag = git("describe", *options, f"{tag}^")
    return found


def find(against: str | None = None) -> dict[str, str | None]:
    """Name the release that runs: the newest tag `v*` that was not withdrawn, or the revision that is asked for.

    Raises
    ------
    DataError
        If git does not know the revision, or no model was trained in it.
    """
    release = against or next(iter(releases()), None)
    if not release:
        return {"release": None, "commit": None}
    commit = git("rev-parse", "--verify", "--quiet", f"{release}^{{commit}}")
    lock = git("show", f"{commit}:dvc.lock") if commit else None
    if commit is None or lock is None or FROM_DVC[0] not in lock:
        if against is None:  # a tag from before the first training
            return {"release": None, "commit": None}
        raise DataError(
            f"{against!r} is not a revision with a trained model (dvc.lock names none); `git tag` lists releases"
        )
    return {"release": release, "commit": commit}


def name(against: str | None = None) -> dict[str, str | None]:
    """Write champion.yaml where it has changed: a release is what makes a new champion."""
    found = find(against)
    text = HEAD + yaml.safe_dump(found, sort_keys=False)
    if not CHAMPION.exists() or CHAMPION.read_text(encoding="utf-8") != text:
        CHAMPION.write_text(text, encoding="utf-8")
    return found


def fetch(found: dict[str, str | None], folder: Path = FOLDER) -> None:
    """Fetch the champion's files from git and DVC; what the storage does not hold either is left out, and said."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    missing = []
    if found["commit"]:
        for path in FROM_GIT:
            (folder / path).write_text((git("show", f"{found['commit']}:{path}") or "") + "\n", encoding="utf-8")
        for path in (*FROM_DVC, *IF_THERE):
            get = ["dvc", "get", ".", path, "--rev", found["commit"], "--out", str(folder / Path(path).name), "--quiet"]
            if subprocess.run(get, capture_output=True, check=False).returncode and path in FROM_DVC:
                missing.append(path)
    (folder / "champion.json").write_text(json.dumps(found | {"missing": missing}) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Answers:
    """What the champion says of the test rows.

    Attributes
    ----------
    predictions : DataFrame or None
        Its predictions, of the rows in `rows`; None where it cannot be compared.
    rows : Index
        The test rows on which both can be judged.
    why : str
        How that came about.
    """

    predictions: "pd.DataFrame | None"
    rows: "pd.Index"
    why: str

    def worse(self, predictions: "pd.DataFrame", labels: list[str]) -> "pd.Series | None":
        """Give, for each row on which both are judged, how much more the candidate loses."""
        import pandas as pd

        if self.predictions is None:
            return None
        ours = losses(predictions.loc[self.rows], labels)
        return pd.Series(ours - losses(self.predictions, labels), index=self.rows)


@dataclass(frozen=True)
class Champion:
    """The files of the last release; `release` is None before the first."""

    release: str | None
    commit: str | None
    folder: Path = FOLDER
    missing: tuple[str, ...] = ()

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "Champion":
        """Read what the stage `champion` fetched."""
        found = json.loads((folder / "champion.json").read_text(encoding="utf-8"))
        return cls(found["release"], found["commit"], folder, tuple(found["missing"]))

    @property
    def meta(self) -> dict[str, Any]:
        """What it was made from."""
        meta: dict[str, Any] = json.loads((self.folder / "meta.json").read_text(encoding="utf-8"))
        return meta

    def on(self, test: "pd.DataFrame", predictions: "pd.DataFrame", contract: Contract) -> Answers:
        """Return its predictions of the test rows: those that were kept, else its model's own, of rows it never saw.

        Parameters
        ----------
        test, predictions : DataFrame of n_rows
            As prepared, and the candidate's with their `key`.
        """
        from mlproduct.evaluation.predictions import read_predictions

        nothing = test.index[:0]
        if self.release is None:
            return Answers(None, nothing, "there is no release yet: the first `git tag v...` makes a champion")
        if self.missing:
            return Answers(
                None, nothing, f"{', '.join(self.missing)} of {self.release} is neither here nor in the storage"
            )
        kept = _same_rows(read_predictions(self.folder / "predictions.parquet"), predictions)
        if kept is not None:
            return Answers(kept, test.index, f"both are judged on the same {len(test)} rows")
        learned = read_predictions(self.folder / "predictions.parquet", "train")
        if "inputs" not in learned:
            return Answers(
                None, nothing, f"{self.release} is from before its rows were kept: which it saw is not known"
            )
        unseen = test.index[~predictions["inputs"].isin(learned["inputs"]).to_numpy()]  # whatever its label was then
        if len(unseen) < FEWEST:
            why = f"{self.release} was trained on {len(test) - len(unseen)} of the {len(test)} test rows"
            return Answers(None, nothing, f"{why}: what is left is too little to compare on")
        return self._ask(test.loc[unseen], contract, f"{len(unseen)} of {len(test)} test rows, new to {self.release}")

    def _ask(self, test: "pd.DataFrame", contract: Contract, which: str) -> Answers:
        """Let its model predict rows that have changed since."""
        from mlproduct.evaluation.predictions import predicted
        from mlproduct.training.train import load_model

        try:
            model = load_model(self.folder / "model.skops")
            features = self.meta["features"]
            self._check_takes(test, contract)
            found = predicted(model, test, contract, features)
        except Exception as error:
            return Answers(
                None, test.index[:0], f"the rows have changed, and {self.release} cannot predict them: {error}"
            )
        return Answers(found, test.index, f"the rows have changed: both are judged on {which}")

    def _check_takes(self, test: "pd.DataFrame", contract: Contract) -> None:
        if missing := [name for name in self.meta["features"] if name not in test]:
            raise DataError(f"it needs {', '.join(missing)}")
        if [str(label) for label in self.meta["labels"]] != [str(label) for label in contract.labels]:
            raise DataError("its classes are others")


def _same_rows(old: "pd.DataFrame", new: "pd.DataFrame") -> "pd.DataFrame | None":
    """Return the old predictions in the order of the new rows, where each has one of its own."""
    import pandas as pd

    if "key" not in old or len(old) < len(new):
        return None
    place = [frame.groupby("key").cumcount().rename("place") for frame in (old, new)]  # identical rows: one by one
    by_key = old.set_index([old["key"], place[0]], drop=False)
    index = pd.MultiIndex.from_arrays([new["key"], place[1]])
    if not index.isin(by_key.index).all() or len(old) != len(new):
        return None
    return by_key.loc[index].set_axis(new.index, axis=0)


def main() -> None:
    """Fetch the champion that champion.yaml names into models/champion."""
    found = yaml.safe_load(CHAMPION.read_text(encoding="utf-8"))
    fetch(found)
    print(f"champion: {found['release'] or 'none yet'}")
