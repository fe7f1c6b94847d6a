"""The model. This is the file you change; `build_model` returns a scikit-learn estimator."""

from typing import Any

from mlproduct.config import Model
from mlproduct.contract.columns import Contract
from mlproduct.errors import DataError
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .features import CalendarParts, Categories, WholeText


def build_model(params: Model, contract: Contract) -> Pipeline:
    """Build an untrained pipeline for the features of the contract.

    Raises
    ------
    DataError
        If no column is a feature, or `params.kind` is unknown.
    """
    estimators = {"gradient_boosting": gradient_boosting, "linear": linear}
    if params.kind not in estimators:
        raise DataError(f"params.yaml, model.kind: {params.kind!r} is none of {', '.join(estimators)}")
    if not contract.features:
        raise DataError("no column of contract.yaml has `role: feature`: there is nothing to predict from")
    estimator = estimators[params.kind](params, contract.task)
    return Pipeline([("columns", preprocessing(params, contract)), ("estimator", estimator)])


def gradient_boosting(params: Model, task: str) -> Any:
    """Boost trees on binned features; they cope with missing values, outliers and interactions by themselves."""
    kind = HistGradientBoostingClassifier if task == "classification" else HistGradientBoostingRegressor
    return kind(
        learning_rate=params.learning_rate,
        max_iter=params.max_iter,
        max_leaf_nodes=params.max_leaf_nodes,
        min_samples_leaf=params.min_samples_leaf,
        l2_regularization=params.regularization,
        random_state=params.seed,
    )


def linear(params: Model, task: str) -> Any:
    """Fit a logistic or a ridge regression."""
    if task == "classification":
        return LogisticRegression(C=1 / params.regularization, max_iter=10 * params.max_iter, random_state=params.seed)
    return Ridge(alpha=params.regularization, random_state=params.seed)


def preprocessing(params: Model, contract: Contract) -> ColumnTransformer:
    """Choose by the contract's type what is done to a column."""

    def of(*types: str) -> list[str]:
        return [name for name in contract.features if contract.columns[name].type in types]

    numbers = "passthrough"
    if params.kind == "linear":
        imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        numbers = make_pipeline(imputer, StandardScaler())
    calendar = make_pipeline(CalendarParts(), numbers) if params.kind == "linear" else CalendarParts()
    one_hot = OneHotEncoder(
        min_frequency=params.min_category_count,
        max_categories=params.max_categories,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    )
    steps: list[tuple[str, Any, Any]] = [
        ("number", numbers, of("number", "integer", "boolean")),
        ("category", make_pipeline(Categories(), one_hot), of("category")),
        ("calendar", calendar, of("datetime")),
    ]
    for i, name in enumerate(of("text")):
        words = TfidfVectorizer(max_features=params.max_words, token_pattern=r"(?u)\b\w+\b", sublinear_tf=True)  # noqa: S106
        steps.append((f"text_{i}", make_pipeline(WholeText(), words), name))
    return ColumnTransformer([step for step in steps if step[2]], sparse_threshold=0, verbose_feature_names_out=False)
