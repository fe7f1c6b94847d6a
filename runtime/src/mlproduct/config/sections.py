"""The sections of params.yaml: each value with its type, limits, default and what it does."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

LARGEST = 2**31
Pair = Annotated[list[str], Field(min_length=2, max_length=2)]


class Values(BaseModel):
    """Values that cannot change, of exactly the types and names that are declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @field_validator("*", mode="wrap")
    @classmethod
    def _keep_integers(cls, value: Any, validate: Any) -> Any:
        """Keep a 1 that is written for 1.0: fingerprints hash what the file says."""
        found = validate(value)
        return value if isinstance(value, int) else found

    def replace(self, **values: Any) -> Self:
        """Return a copy with some values replaced, checked as the file is."""
        return type(self).model_validate({**dict(self), **values})

    @classmethod
    def limits(cls, key: str) -> tuple[float, float]:
        """Return the lowest and the highest value that a number may have."""
        field = cls.model_json_schema()["properties"][key]
        return field["minimum"], field["maximum"]


def number(default: float, low: float, high: float, description: str) -> Any:
    """Declare a number."""
    return Field(default=default, ge=low, le=high, description=description)


def count(default: int, description: str) -> Any:
    """Declare a whole number from 1 on."""
    return Field(default=default, ge=1, le=LARGEST, description=description)


def seed(description: str) -> Any:
    """Declare a seed."""
    return Field(default=1, ge=0, le=2**32 - 1, description=description)


class Prepare(Values):
    """How rows are divided into train and test."""

    test_size: float = number(0.2, 0.01, 0.99, "Share of the rows kept for evaluation; the others train the model.")
    seed: int = seed("Seed of the split; without effect where there is a time column.")


class Model(Values):
    """What `model.build_model` receives."""

    kind: str = Field(default="gradient_boosting", description="Estimator of model.py: gradient_boosting or linear.")
    seed: int = seed("Seed of the model's own randomness.")
    learning_rate: float = number(0.1, 1e-6, 10, "Gradient boosting: a lower rate needs a higher max_iter.")
    max_iter: int = count(100, "Gradient boosting: number of trees. Linear: a tenth of the solver's steps.")
    max_leaf_nodes: int = Field(
        default=31, ge=2, le=LARGEST, description="Gradient boosting: leaves of a tree; more overfits sooner."
    )
    min_samples_leaf: int = count(20, "Gradient boosting: rows in a leaf; more is smoother.")
    regularization: float = number(1.0, 1e-9, 1e9, "Strength of the L2 penalty; higher restrains the model.")
    min_category_count: int = count(5, "Categories in fewer rows count as one, `infrequent`.")
    max_categories: int = count(50, "Categories kept of a column; the rarest others count as `infrequent`.")
    max_words: int = count(200, "Words kept of a text column, the most frequent ones.")


class Evaluate(Values):
    """How sure a metric has to be."""

    bootstrap: int = count(500, "Resamples behind each interval; more is steadier and slower.")
    confidence: float = number(0.95, 0.5, 0.999, "Confidence level of the intervals.")
    seed: int = seed("Seed of the resamples.")


class Compare(Values):
    """How much worse than the champion a candidate may be."""

    margin: float = number(0.02, 0, 10, "Largest accepted growth of the loss, in units of the loss of guessing.")
    headline_margin: float = number(0.02, 0, 10, "The same: roc_auc in points, rmse as a share of the champion's.")
    seeds: int = count(3, "Trainings behind the noise floor; smaller differences mean nothing.")


class Slices(Values):
    """Where the model may be weak."""

    gap: float = number(0.6, 0, 100, "How much more a slice may lose than all rows; 1 is the loss of guessing.")
    worse: float = number(0.1, 0, 10, "How much more a slice may lose than the champion lost there.")
    min_rows: int = count(200, "Smaller slices are shown and decide nothing.")
    min_class_rows: int = count(30, "Rows of each of two classes that a slice needs to decide.")
    bands: int = Field(default=4, ge=2, le=20, description="Bands of a number, each with as many rows.")
    most_groups: int = count(20, "Groups of a column; rarer categories are shown as one.")
    two_way: list[Pair] = Field(default=[], description="Pairs of columns to look at together: [[sex, plan]].")


class Bias(Values):
    """How differently groups of protected columns may be treated."""

    allow: list[str] = Field(default=[], description="Protected columns that may be features all the same.")
    parity: float = number(0.2, 0, 1, "Largest difference between groups in the share predicted positive.")
    odds: float = number(0.2, 0, 1, "Largest difference between groups in the share of hits or of false alarms.")
    worst_group: float = number(0.6, 0, 100, "How much more the worst group may lose than all rows.")
    calibration: float = number(0.1, 0, 10, "Largest gap in a group between predicted and observed share.")
    base_rate: float = number(0.35, 0, 1, "Largest difference between groups in the target itself.")
    worse: float = number(0.05, 0, 10, "How much any of these may grow from the champion.")


class Drift(Values):
    """When data has moved."""

    windows: int = Field(default=10, ge=2, le=100, description="Parts of the reference that show what is usual.")
    factor: float = number(1.5, 1, 100, "Alarms above this many times the largest usual difference.")
    floor: float = number(0.08, 0.001, 10, "Smaller differences are no drift, whatever is usual.")
    concept: float = number(0.1, 0, 10, "How much more the test rows may lose; 1 is the loss of guessing.")


class Fragility(Values):
    """How the model has to answer broken data."""

    rows: int = count(50, "Test rows that are broken in each way.")
    tolerance: float = number(0.02, 0, 1, "Share of the rows that may answer against an expectation.")
    expectations: dict[str, str] = Field(
        default={}, description="What must follow from a change, all else equal: {income: down, age: up}."
    )


class Service(Values):
    """What the API accepts, and how it answers."""

    max_records: int = count(1000, "Records in one request; a larger request gets 413.")
    timeout_seconds: float = number(10, 0.1, 3600, "Time for one request; a slower one gets 504.")
    max_concurrency: int = count(64, "Requests at work in one process; more get 503.")
    tolerance: float = number(0.000001, 0, 1, "Largest difference between the ONNX and the scikit-learn answer.")
    explain_draws: int = count(60, "Permutations behind /explain; more is steadier and slower.")
    max_body_bytes: int = count(2000000, "Bytes in one request; a larger request gets 413.")


class Log(Values):
    """How much of the prediction log is kept."""

    rotate_megabytes: int = count(64, "Size of one file.")
    keep_files: int = count(50, "Files kept of each kind; the oldest are removed.")


class Rollout(Values):
    """How champion and challenger share the work."""

    mode: Literal["alone", "split", "shadow"] = Field(
        default="alone", description="split: some entities meet the challenger; shadow: it answers, nobody sees."
    )
    entity: str = Field(default="", description="Column that decides who meets whom; empty: chance, each time anew.")
    share: float = number(0.1, 0, 1, "Share of the entities that meet the challenger.")


class Objectives(Values):
    """What is promised of the service; alerts measure against it."""

    availability: float = number(0.999, 0.5, 0.99999, "Share of the requests answered without a fault (5xx).")
    latency: float = number(0.99, 0.5, 0.99999, "Share of the requests answered within latency_seconds.")
    latency_seconds: float = number(0.25, 0.001, 600, "Time within which that share is answered.")
    requests_per_second: float = number(50, 0.01, 1e6, "Load of one replica; Kubernetes adds replicas above it.")
    model_age_days: float = number(90, 0, 1e5, "An older model alarms; 0 never does.")
    label_delay_hours: float = number(168, 0, 1e6, "Outcomes are back after so long; 0 where none are expected.")
    null_ratio: float = number(0.05, 0, 1, "How many more values of a feature may be missing than in the reference.")
    live_loss: float = number(0.1, 0, 100, "How much more may be lost live than on the test rows.")
    variant_worse: float = number(0.02, 0, 100, "How much more the challenger may lose than the control.")
    quiet_minutes: float = number(30, 0, 1e6, "Minutes without a request that alarm; 0 never does.")
