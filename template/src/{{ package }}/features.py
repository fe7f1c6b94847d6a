"""Columns that need a hand before a model can use them: dates become calendar parts, texts are made whole."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

PARTS = ("year", "month", "day", "day_of_week", "hour")


class CalendarParts(TransformerMixin, BaseEstimator):
    """Turn each date into year, month, day, weekday, hour and the days since the first date seen in training.

    Attributes
    ----------
    start_ : ndarray of shape (n_columns,)
        The first date of each column, in days since 1970.
    """

    def fit(self, dates: pd.DataFrame, y: Any = None) -> Self:
        """Learn where each column begins."""
        first = _days(dates).min()
        self.start_ = first.fillna(0.0).to_numpy()
        self.columns_ = [str(name) for name in dates.columns]
        return self

    def transform(self, dates: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return an array of shape (n_rows, 6 * n_columns); a missing date gives NaN."""
        since = _days(dates).to_numpy() - self.start_
        parts = [
            np.column_stack([getattr(dates[name].dt, part).to_numpy(dtype="float64") for part in PARTS])
            for name in dates.columns
        ]
        return np.column_stack([*parts, since])

    def get_feature_names_out(self, names: Any = None) -> npt.NDArray[np.object_]:
        """Name the columns of `transform`."""
        parts = [f"{name} {part}" for name in self.columns_ for part in PARTS]
        return np.array([*parts, *(f"{name} days" for name in self.columns_)], dtype=object)


def _days(dates: pd.DataFrame) -> pd.DataFrame:
    return dates.apply(lambda column: (column - pd.Timestamp(0)) / pd.Timedelta(days=1))


class WholeText(TransformerMixin, BaseEstimator):
    """Write `none` where a text is missing or holds no word, so that a bag of words always has one."""

    def fit(self, texts: pd.Series, y: Any = None) -> Self:
        """Learn nothing."""
        return self

    def transform(self, texts: pd.Series) -> pd.Series:
        """Return texts with at least one word each."""
        return texts.where(texts.astype("str").str.contains(r"\w", na=False), "none").astype("str")

    def __sklearn_is_fitted__(self) -> bool:
        """There is nothing to fit."""
        return True


class Categories(TransformerMixin, BaseEstimator):
    """Return categories as objects with NaN where one is missing, which is how the encoder knows a missing one."""

    def fit(self, labels: pd.DataFrame, y: Any = None) -> Self:
        """Learn nothing."""
        return self

    def transform(self, labels: pd.DataFrame) -> npt.NDArray[np.object_]:
        """Return an array of shape (n_rows, n_columns)."""
        return labels.astype(object).where(labels.notna(), np.nan).to_numpy(dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        """There is nothing to fit."""
        return True
