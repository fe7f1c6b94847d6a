"""What a team's `src/PACKAGE/extensions.py` may define: plain functions, each called at one point, each optional.

The protocols below document their signatures. A function that has one more parameter, `own`, receives `own:` of
params.yaml in it. A function depends on what it is given: what it reads elsewhere (files, the environment, the clock)
starts no stage when it changes. docs/how-to/extend.md of mlscaffold shows an example of each.

Examples
--------
>>> def metrics(truth, prediction, probabilities, own):
...     missed = (truth == "yes") & (prediction == "no")
...     return {"cost": float(own["cost_of_a_miss"] * missed.mean())}
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from mlproduct.config import Prepare
from mlproduct.contract.columns import Contract
from mlproduct.evaluation.gates import (
    FAIL,
    INCONCLUSIVE,
    PASS,
    REPORTED,
    Bounds,
    Gate,
    decided,
    mean_bounds,
    resampled,
)
from mlproduct.evaluation.metrics import Array, Score
from mlproduct.reports.drawing import Table
from mlproduct.serving.auth import ForbiddenError, UnauthorizedError

if TYPE_CHECKING:  # the service needs no frame
    import pandas as pd

    from mlproduct.evaluation.own import Evaluated
    from mlproduct.reports.sections import Section

__all__ = [
    "FAIL",
    "INCONCLUSIVE",
    "PASS",
    "REPORTED",
    "Array",
    "Authenticate",
    "Bounds",
    "Contract",
    "Evaluated",
    "ForbiddenError",
    "Gate",
    "Gates",
    "Headers",
    "Metrics",
    "Prepare",
    "Report",
    "Respond",
    "Score",
    "Section",
    "Split",
    "Table",
    "UnauthorizedError",
    "decided",
    "mean_bounds",
    "resampled",
]


def __getattr__(name: str) -> Any:
    """Load what needs pandas or markupsafe when it is asked for: the service has no need of it."""
    if name == "Evaluated":
        from mlproduct.evaluation.own import Evaluated

        return Evaluated
    if name == "Section":
        from mlproduct.reports.sections import Section

        return Section
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Split(Protocol):
    """Which rows are the test set; in place of the split by time or at random. Called by the stage `prepare`."""

    def __call__(self, frame: "pd.DataFrame", contract: Contract, params: Prepare, /) -> "pd.Series":
        """Return True for each test row.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_columns)
            The parsed rows that have a value of the target.
        contract : Contract
        params : Prepare
            `prepare:` of params.yaml: `test_size` and `seed`.

        Returns
        -------
        Series of bool of shape (n_rows,)
            With the index of the frame. Both sides have rows; no entity (`role: id`) has rows on both.
        """


class Metrics(Protocol):
    """Metrics beside the standard's, each with its interval and that of the dummy. Called by the stage `evaluate`.

    Called for the test rows, and for each resample (`evaluate.bootstrap`): a millisecond here is half a second there.
    """

    def __call__(self, truth: Array, prediction: Array, probabilities: dict[str, Array], /) -> dict[str, float]:
        """Return figures by name, NaN where one cannot be computed.

        Parameters
        ----------
        truth, prediction : ndarray of shape (n_rows,)
            Labels as texts, or values.
        probabilities : dict of str to ndarray of shape (n_rows,)
            By label; empty for a regression.
        """


class Gates(Protocol):
    """Decisions beside the standard's: a gate that fails rejects the model. Called by the stage `evaluate`."""

    def __call__(self, found: "Evaluated", /) -> list[Gate]:
        """Return gates; `own.` is put before their names, and a waiver names them so.

        `decided` compares bounds with a threshold; `mean_bounds` bounds a mean, `resampled` any figure.

        Examples
        --------
        >>> bounds = Bounds(0.2, low=0.15, high=0.25)
        >>> decided("recall", bounds, threshold=0.3, n=400, said="20 % are missed", advice="more rows").verdict
        'PASS'
        """


class Report(Protocol):
    """Sections of reports/ce.html and of the model card. Called by the stage `report`."""

    def __call__(self, found: "Evaluated", /) -> "list[Section]":
        """Return sections: a title with Markdown, a table, or both.

        Examples
        --------
        >>> from mlproduct.extensions import Section, Table
        >>> Section("Prices", "By **plan**.", Table(["plan", "rows"], [("basic", 70)])).title
        'Prices'
        """


class Respond(Protocol):
    """Fields in each answer of /predict. Called by the service, in a thread."""

    def __call__(self, answer: dict[str, Any], record: dict[str, Any], /) -> Mapping[str, Any]:
        """Return what is added to an answer; declared as a TypedDict (typing_extensions), it stands in OpenAPI.

        Parameters
        ----------
        answer : dict
            `prediction`, `probabilities`, `prediction_id`, `variant`, perhaps `flags`.
        record : dict
            The features as the model sees them: a boolean is 0.0 or 1.0, a date a datetime.
        """


class Headers(Protocol):
    """Headers of an answer of /predict. Called by the service, in a thread, after `respond`."""

    def __call__(self, body: dict[str, Any], /) -> Mapping[str, str]:
        """Return headers by name, ASCII texts; declared as a TypedDict, they stand in OpenAPI."""


class Authenticate(Protocol):
    """Who may ask, in place of SERVICE_TOKEN. Called by the service, in a thread, for all but probes and /metrics."""

    def __call__(self, headers: Mapping[str, str], /) -> str | None:
        """Return the caller's name, or None for 401; `UnauthorizedError` and `ForbiddenError` say why.

        Parameters
        ----------
        headers : mapping of str to str
            Of the request, by names in small letters.
        """
