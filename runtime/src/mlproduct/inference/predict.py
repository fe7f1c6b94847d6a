"""Records -> answers, by the quickest form of the model that export.py has proved; the API and a batch ask the same."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mlproduct.artifacts import MODEL, SERVING, TRUSTED
from mlproduct.contract.columns import Contract
from mlproduct.inference.encode import encoder

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]
Records = list[dict[str, Any]]
DTYPES = {"datetime": "datetime64[us]", "category": "str", "text": "str"}


def graphed(content: bytes) -> Callable[[Array], Array]:
    """Return the function of an ONNX graph, with one thread: more cost more than a record is worth."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    output, run = [session.get_outputs()[-1].name], session.run

    def answer(rows: Array) -> Array:
        found: Array = run(output, {"X": rows})[0]
        return found if found.ndim == 2 else found.reshape(-1, 1)

    return answer


def estimated(estimator: Any) -> Callable[[Any], Array]:
    """Return the function of a fitted estimator."""

    def answer(rows: Any) -> Array:
        if hasattr(estimator, "predict_proba"):
            return np.asarray(estimator.predict_proba(rows), dtype="float64")
        return np.asarray(estimator.predict(rows), dtype="float64").reshape(-1, 1)

    return answer


def frame_of(records: Records, contract: Contract) -> "pd.DataFrame":
    """Return records as the data frame that a pipeline is fitted on."""
    import pandas as pd

    dtypes = {name: DTYPES.get(contract.columns[name].type, "float64") for name in contract.features}
    return pd.DataFrame({name: pd.Series([r[name] for r in records], dtype=t) for name, t in dtypes.items()})


def scorer(contract: Contract, folder: Path, trusted: Path, path: str) -> Callable[[Records], Array]:
    """Load what a path needs, and no more: the graph needs neither pandas nor scikit-learn.

    Parameters
    ----------
    folder : Path
        Holds model.skops, and `serving` beside it.
    path : str
        `onnx`, `columns` or `frame`, as export.py has found.
    """
    if path == "frame":
        from mlproduct.training.train import load_model

        ask = estimated(load_model(folder / MODEL.name, trusted))
        return lambda records: ask(frame_of(records, contract))
    serving = folder / SERVING.name
    encode = encoder(json.loads((serving / "encoding.json").read_text(encoding="utf-8")))
    if path == "onnx":
        estimate = graphed((serving / "model.onnx").read_bytes())
    else:
        from mlproduct.training.train import load_model

        estimate = estimated(load_model(folder / MODEL.name, trusted)[-1])
    return lambda records: estimate(encode(records))


class Prediction(NamedTuple):
    """An answer for one record; `probabilities` is None for a regression."""

    prediction: Any
    probabilities: dict[str, float] | None


@dataclass(frozen=True)
class Predictor:
    """A fitted model with the contract it was trained under.

    Attributes
    ----------
    score : function
        Takes records as `request.Reader.read` gives them, and gives an array of shape (n_records, n_classes) of
        probabilities, or (n_records, 1) of values.
    labels : list of str
        The classes, in the order of the columns; empty for a regression.
    about : dict
        What export.py found, and models/meta.json under `meta`.
    """

    score: Callable[[Records], Array]
    contract: Contract
    labels: list[str]
    version: str
    about: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(
        cls, contract: Contract, folder: Path = MODEL.parent, trusted: Path = TRUSTED, path: str = ""
    ) -> "Predictor":
        """Load a model from a folder, by the path that export.py chose or by the one that is asked for."""
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        found = folder / SERVING.name / "serving.json"
        about = json.loads(found.read_text(encoding="utf-8"))
        path = path or about["path"]
        return cls(
            scorer(contract, folder, trusted, path),
            contract,
            about["labels"],
            meta["version"],
            about | {"path": path, "meta": meta},
        )

    @cached_property
    def classes(self) -> list[Any]:
        """The classes as contract.yaml writes them, in the order of `labels`."""
        original = self.contract.columns[self.contract.target].labels
        return [original[label] for label in self.labels]

    def predict(self, records: Records) -> list[Prediction]:
        """Predict each record."""
        return self.to_predictions(self.score(records).tolist())

    def to_predictions(self, scores: list[list[float]]) -> list[Prediction]:
        """Say what scores mean in the words of the contract; of equal classes the first is taken."""
        if not self.labels:
            return [Prediction(row[0], None) for row in scores]
        labels, classes = self.labels, self.classes
        return [Prediction(classes[row.index(max(row))], dict(zip(labels, row, strict=True))) for row in scores]
