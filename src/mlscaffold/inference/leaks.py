"""Columns that give the target away."""

from typing import TYPE_CHECKING

from ..contract import Task
from .columns import Kind, numbers

if TYPE_CHECKING:
    import polars as pl

ROWS = 50_000  # rows looked at: enough, and bounded
_FEW = 20  # rows, and wrong guesses of the majority, below which agreement may be chance
_LABELS = 50  # labels looked for in texts
_GROUP = 5  # rows that a value needs to say something
_SHARE = 0.01  # of the majority's errors may be left


def gives_away(cells: "pl.Series", kind: Kind, target: "pl.Series", task: Task, decimal: str) -> str:
    """Say how a column gives the target away; empty where it does not.

    Parameters
    ----------
    cells : polars.Series
        Texts of the column, null where there is no value.
    kind : Kind
        What they are parsed as.
    target : polars.Series
        Texts of the target, row by row.
    task : str
        Classification or regression.
    decimal : str
        Decimal sign.

    Returns
    -------
    str
        `same` where it is the target under another name, `tells` where it tells nearly every row, else empty.
    """
    import polars as pl

    frame = pl.DataFrame({"x": cells, "y": target}).drop_nulls("y")
    if frame["y"].n_unique() < 2 or frame.height < _FEW:
        return ""
    if task == "regression":
        return _of_number(frame, kind, decimal)
    if _one_to_one(frame):
        return "same"
    if _missing_tells(frame) or _groups_tell(frame):
        return "tells"
    if kind.name == "number":
        return "tells" if _thresholds_tell(frame, decimal) else ""
    return "tells" if kind.name == "text" and _words_tell(frame) else ""


def _of_number(frame: "pl.DataFrame", kind: Kind, decimal: str) -> str:
    import polars as pl

    if kind.name != "number":
        return ""
    pairs = frame.select(numbers(pl.col("x"), decimal), numbers(pl.col("y"), decimal)).drop_nulls()
    if pairs.height < _FEW or pairs["x"].n_unique() < _FEW:
        return ""
    if pairs.height == frame.height and (pairs["x"] == pairs["y"]).all():
        return "same"
    rank = pairs.select(pl.corr("x", "y", method="spearman")).item()
    return "tells" if rank is not None and abs(rank) >= 0.999 else ""


def _one_to_one(frame: "pl.DataFrame") -> bool:
    """Say whether each value stands for one label and each label for one value, often enough not to be chance."""
    import polars as pl

    labels = frame["y"].n_unique()
    if frame["x"].n_unique() != labels or frame["x"].null_count():
        return False
    pairs = frame.group_by("x", "y").agg(pl.len())
    return pairs.height == labels and int(pairs["len"].min() or 0) >= _GROUP  # type: ignore[arg-type]


def _majority_errors(frame: "pl.DataFrame") -> int:
    import polars as pl

    return frame.height - int(frame.group_by("y").agg(pl.len())["len"].max() or 0)  # type: ignore[arg-type]


def _missing_tells(frame: "pl.DataFrame") -> bool:
    """Say whether the target is told by whether a cell is empty (a date of leaving, of those who left)."""
    import polars as pl

    empty = frame.select(pl.col("x").is_null().cast(pl.String), "y")
    return frame["x"].null_count() > 0 and _groups_tell(empty)


def _groups_tell(frame: "pl.DataFrame") -> bool:
    """Say whether guessing the commonest label of each value is nearly always right; rare values count as wrong."""
    import polars as pl

    chance = _majority_errors(frame)
    groups = (
        frame.group_by("x", "y").agg(pl.len()).group_by("x").agg(pl.col("len").sum(), pl.col("len").max().alias("most"))
    )
    right = groups.filter(pl.col("len") >= _GROUP)["most"].sum()
    return chance >= _FEW and frame.height - right <= _SHARE * chance


def _words_tell(frame: "pl.DataFrame") -> bool:
    """Say whether the label stands in the text (`Zahir Shah.1946.Monarchy`): of those found there, the longest."""
    import polars as pl

    labels = sorted(frame["y"].unique(), key=len)
    chance = _majority_errors(frame)
    if chance < _FEW or len(labels) > _LABELS:
        return False
    found = pl.lit(None, pl.String)
    for label in labels:
        found = pl.when(pl.col("x").str.contains(label, literal=True)).then(pl.lit(label)).otherwise(found)
    return frame.filter(found.ne_missing(pl.col("y"))).height <= _SHARE * chance


def _thresholds_tell(frame: "pl.DataFrame", decimal: str) -> bool:
    """Say whether a few cuts through the numbers separate the labels: sorted by number, the label hardly changes."""
    import polars as pl

    chance = _majority_errors(frame)
    counts = frame.select(numbers(pl.col("x"), decimal), "y").drop_nulls().group_by("x", "y").agg(pl.len())
    ordered = (
        counts.sort("x", "len", "y")
        .group_by("x", maintain_order=True)
        .agg(pl.col("y").last(), (pl.col("len").sum() - pl.col("len").max()).alias("wrong"))
    )
    covered = int(counts["len"].sum())
    if chance < _FEW or covered < 0.8 * frame.height:
        return False
    changes = int((ordered["y"] != ordered["y"].shift()).sum() or 0)
    return changes - (frame["y"].n_unique() - 1) + int(ordered["wrong"].sum()) <= _SHARE * chance
