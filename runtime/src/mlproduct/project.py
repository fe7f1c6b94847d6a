"""A repository from a notebook or a script, in any of its folders: rows, model, predictions, metrics, journal."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline

from mlproduct import config, pinned, repository, team
from mlproduct.artifacts import META, METRICS, MODEL, SERVING, TRUSTED
from mlproduct.contract import validation
from mlproduct.contract.columns import NUMERIC, Contract
from mlproduct.data.prepare import TEST, TRAIN
from mlproduct.errors import DataError
from mlproduct.experiments.runs import EXPERIMENTS, Run, runs
from mlproduct.inference.predict import Predictor
from mlproduct.inference.request import values
from mlproduct.training.train import load_model

TRAINED = "`make train` makes it, `make pull` fetches it"
PROBABILITY = "probability_"  # before the name of a class, in the columns of `predict`


def open(start: Path | str | None = None) -> "Project":  # noqa: A001
    """Return the repository that holds a folder.

    Parameters
    ----------
    start : path, optional
        A folder of the repository, or a file in it; the working directory by default.

    Raises
    ------
    DataError
        If the folder does not exist or is in no repository, or if the installed library is not the one that the
        repository pins.

    Examples
    --------
    >>> import mlproduct
    >>> project = mlproduct.open()
    >>> (project.root / "contract.yaml").exists()
    True
    """
    folder = Path.cwd() if start is None else Path(start)
    if not folder.exists():
        raise DataError(f"there is no folder {folder}")
    root = repository.find(folder)
    if (other := pinned.elsewhere(root)) is not None:
        raise DataError(f"the library of {other} is not the one that runs ({pinned.HERE}): `make setup` installs it")
    pinned.check(root)
    _refuse_namesake(root)
    team.use_sources(root)
    return Project(root)


def _refuse_namesake(root: Path) -> None:
    """Refuse a repository whose package was imported from another one: Python would take that one's code."""
    name = team.package(root)
    path = getattr(sys.modules.get(name), "__file__", None)
    if path is not None and not Path(path).resolve().is_relative_to(root.resolve()):
        raise DataError(f"the package {name!r} was imported from {Path(path).parent}: restart Python, one for each")


@dataclass(frozen=True)
class Project:
    """A repository: its data, its model and what is known about them.

    Everything is read when it is asked for, so that it is what `make train` wrote last: keep in a variable what you
    use in a loop.

    Attributes
    ----------
    root : Path
        The folder of the repository.

    Examples
    --------
    >>> import mlproduct
    >>> project = mlproduct.open()
    >>> raw = project.raw_rows()
    >>> list(project.predict(raw.head(2)).index) == list(raw.head(2).index)
    True
    """

    root: Path

    @property
    def contract(self) -> Contract:
        """contract.yaml: what each column means and which values it may hold."""
        return config.load(self.root)[0]

    @property
    def params(self) -> config.Params:
        """params.yaml: every number a person may tune."""
        return config.load(self.root)[1]

    def raw_rows(self) -> pd.DataFrame:
        """Return the raw rows as they are in the file: a CSV's values are texts."""
        contract = self.contract
        return validation.read(self.root / contract.source.path, contract)

    def rows(self) -> pd.DataFrame:
        """Return the raw rows as the contract says: numbers, dates and categories.

        Raises
        ------
        DataError
            If the data is missing, or disagrees with the contract; the message names columns and rows.
        """
        contract = self.contract
        return validation.load_data(self.root / contract.source.path, contract)

    def train_rows(self) -> pd.DataFrame:
        """Return the rows that the model learns from."""
        return pd.read_parquet(self._existing(TRAIN))

    def test_rows(self) -> pd.DataFrame:
        """Return the rows that the model is evaluated on."""
        return pd.read_parquet(self._existing(TEST))

    @property
    def model(self) -> Pipeline:
        """The fitted pipeline; it takes parsed rows, such as those of `test_rows`. For raw rows there is `predict`."""
        return load_model(self._existing(MODEL), self.root / TRUSTED)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return what the service answers for raw rows.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            Rows as in the raw file, such as `pd.read_csv(...)` gives them; columns that are no features are ignored.

        Returns
        -------
        DataFrame of shape (n_rows, 1 + n_classes)
            With the index of `frame`: `prediction`, and `probability_CLASS` for each class of a classification.

        Raises
        ------
        DataError
            If there is no model yet, columns are missing, or values break the contract.
        """
        for path in (MODEL, META, SERVING):
            self._existing(path)
        contract = self.contract
        predictor = Predictor.load(contract, self.root / MODEL.parent, self.root / TRUSTED)
        if (trained := predictor.about["meta"]["features"]) != contract.features:
            names = ", ".join(sorted(set(trained) ^ set(contract.features))) or "their order"
            raise DataError(f"the features have changed since the model was trained ({names}): `make train`")
        records = values(contract, _features(frame, contract))
        found = predictor.predict(records) if records else []
        answers = {"prediction": [answer.prediction for answer in found]}
        for label in predictor.labels:
            answers[PROBABILITY + label] = [(answer.probabilities or {})[label] for answer in found]
        return pd.DataFrame(answers, index=frame.index)

    @property
    def metrics(self) -> pd.DataFrame:
        """The metrics of the test rows: value, bounds of its interval, and what guessing reaches."""
        document = json.loads(self._existing(METRICS).read_text(encoding="utf-8"))
        return pd.DataFrame.from_dict(document, orient="index").rename_axis("metric")

    def journal(self) -> pd.DataFrame:
        """Return all runs, failed ones too, oldest first; nested values have names such as `params.model.max_iter`."""
        found = pd.json_normalize([asdict(run) for run in runs(self.root / EXPERIMENTS)])
        names = [field.name for field in fields(Run)]
        found = found if len(found) else pd.DataFrame(columns=names)
        return found.assign(when=pd.to_datetime(found["when"], utc=True, format="ISO8601")).set_index("fingerprint")

    def _existing(self, path: Path) -> Path:
        if not (self.root / path).exists():
            raise DataError(f"there is no {path.as_posix()} in {self.root}: {TRAINED}")
        return self.root / path


def _features(frame: Any, contract: Contract) -> pd.DataFrame:
    """Parse the features of raw rows, and refuse what the service refuses."""
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"predict takes a DataFrame, as `pd.read_csv(...)` gives; this is a {type(frame).__name__}")
    if missing := [name for name in contract.features if name not in frame]:
        raise DataError(f"the rows lack {_listed(missing)}; they have {_listed(list(map(str, frame.columns)))}")
    rows = frame[contract.features]
    if twice := list(rows.columns[rows.columns.duplicated()].unique()):
        raise DataError(f"more than one column is named {_listed(twice)}")
    rows = rows.set_axis(pd.RangeIndex(1, len(rows) + 1, name="row"), axis=0)
    parsed, violations = validation.parse(rows, contract, contract.features)
    if violations := violations + validation.validate(parsed, _lenient(contract)):
        lines = "\n".join(f"- {violation}" for violation in violations)
        raise DataError(f"the rows disagree with contract.yaml (they count from 1):\n{lines}")
    return parsed


def _lenient(contract: Contract) -> Contract:
    """Return a contract that admits what the service predicts from and flags: `outside: flag`."""
    open_ = (*NUMERIC, "category")
    columns = {
        name: replace(column, range=None, categories=None) if contract.flags(name) and column.type in open_ else column
        for name, column in contract.columns.items()
        if name in contract.features
    }
    return replace(contract, columns=columns)


def _listed(names: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
