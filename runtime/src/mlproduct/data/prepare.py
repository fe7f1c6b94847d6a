"""Raw data -> train and test: by time where there is a time column, no entity and no copy on both sides."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlproduct import team
from mlproduct.config import Params, Prepare
from mlproduct.contract.columns import Contract
from mlproduct.contract.validation import parse, read
from mlproduct.data.own_split import Split, divide
from mlproduct.errors import DataError

TRAIN = Path("data/prepared/train.parquet")
TEST = Path("data/prepared/test.parquet")
FEWEST = 10  # rows: with fewer, neither a model nor its evaluation says anything
# What tells copies from rows that are equal by chance:
EXCESS = 4  # copies are more than this many times the estimate, which is too low (by half, in a table of 2 x 2 cells)
MANY = 5  # rows of a kind, on average, are no copies: kept together, 3 make the test loss wrong by 0.01, 6 by 0.03
LARGEST = 0.05  # of the rows are no copies: kept together, they would be a quarter of a usual test set, or none of it
STEP = np.uint64(0x9E3779B97F4A7C15)  # between the hashes of equal rows, as in splitmix64: no seed draws another's lots


def prepare(
    frame: pd.DataFrame, contract: Contract, params: Prepare, split: Split | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Divide parsed rows into train and test.

    Parameters
    ----------
    split : function, optional
        The team's own split, in place of that by time or at random.

    Returns
    -------
    train, test : DataFrame
    notes : list of str
        What a person should know: rows that were left out, and why.

    Raises
    ------
    DataError
        If there are too few rows, or one class only.
    """
    kept = frame[frame[contract.target].notna()]
    without = len(frame) - len(kept)
    notes = [f"{without} rows without {contract.target!r} are left out"] if without else []
    if len(kept) < FEWEST:
        raise DataError(f"{len(kept)} rows with a value of {contract.target!r}: at least {FEWEST} are needed")
    by_time = contract.time is not None and kept[contract.time].nunique() > 1  # noqa: PD101  # a missing time is no other
    if contract.time is not None and not by_time and split is None:
        notes.append(f"{contract.time!r} holds one value: the split is at random, not by time")
    if split is not None:
        train, test = divide(split, kept, pd.Series(clusters(kept, contract), kept.index), contract, params)
        notes.append("the split is that of extensions.py")
    elif by_time:
        entity = pd.Series(clusters(kept, contract), kept.index)  # equal rows have equal times: no cut divides them
        train, test = split_by_time(kept, kept[contract.time], entity, params, notes)
    else:
        train, test = split_at_random(kept, entities(kept, contract, notes), contract, params)
    if train.empty or test.empty:
        raise DataError(f"the split leaves {len(train)} rows to train, {len(test)} to test: see params.yaml, prepare")
    if contract.labels and train[contract.target].nunique() < 2:
        only = train[contract.target].iloc[0]
        raise DataError(f"all {len(train)} rows to train on have {contract.target!r} = {only!r}: nothing can be learnt")
    return train, test, notes


def entities(frame: pd.DataFrame, contract: Contract, notes: list[str]) -> pd.Series:
    """Return the number of each row's unit, which the split does not divide: its entity, its copies, or itself.

    The target has no say in it. If equal rows stayed together label by label, train and test would hold opposite labels
    for the same features.
    """
    if contract.id is not None:  # copies are of one entity anyway
        return pd.Series(clusters(frame, contract), frame.index)
    row = pd.Series(np.arange(len(frame)), frame.index)
    columns = hash_columns(frame, contract)
    content = columns.sum(axis=0, dtype="uint64")
    copied = find_copies(columns)
    if by_chance := int((pd.Series(content).duplicated(keep=False) & ~copied).sum()):
        notes.append(f"{by_chance} rows are alike by chance: equal rows may stand on both sides of the split")
    return row.groupby(content).transform("first").where(copied, row)


def hash_columns(frame: pd.DataFrame, contract: Contract) -> npt.NDArray[np.uint64]:
    """Return hashes of shape (n_columns, n_rows), whose sum over some columns is a hash of these columns' values.

    Left out are the target and the columns with `role: ignore`: a running number makes no row another one.
    """
    names = [name for name in frame.columns if name not in (*contract.named("ignore"), contract.target)]
    hashes = np.zeros((len(names), len(frame)), dtype="uint64")
    for i, name in enumerate(names):
        values = pd.util.hash_pandas_object(frame[name], index=False).to_numpy()
        hashes[i] = pd.util.hash_array(values ^ pd.util.hash_array(np.array([name], dtype=object)))
    return hashes


def find_copies(columns: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Find the rows that have more equal rows than chance gives, from the hashes of their columns.

    What chance gives is estimated from the rows that differ in one column alone: their number, times the odds of the
    row's value in that column, among the rows that are not equal to it. With few discrete columns there are many such
    rows, and they explain the equal ones; a value of a continuous column is found in copies only, and its odds are 0.
    The largest estimate of all columns counts: a column that follows from another one is never the only difference.
    (The product of the shares of a row's values would be simpler, but it takes the columns to be independent, and so
    finds copies in most discrete tables.)

    No column can tell where one determines all the others: a code and its name, or a single column. There, rows count
    as copies unless each kind has `MANY` rows on average (a table written twice has 2, one with classes made equal in
    size fewer than it has classes).
    """
    n = columns.shape[1]
    content = columns.sum(axis=0, dtype="uint64")
    found = pd.Series(content).duplicated(keep=False).to_numpy()
    equal = count(content, found)  # with the row itself; like all numbers below, of the rows that were found
    chance = np.zeros(len(equal))
    for column in columns:
        same_value = count(column, found) - equal
        if same_value.any():
            near = count(content - column, found) - equal
            chance = np.maximum(chance, near * same_value / np.maximum(n - equal - same_value, 1))
    more = equal - 1 > EXCESS * chance
    alone = n - len(equal)
    many = alone + more.sum() >= MANY * (alone + (more / equal).sum())
    copied = np.zeros(n, dtype=bool)
    copied[found] = more & (equal <= max(10, LARGEST * n)) & (not many)
    return copied


def count(values: npt.NDArray[np.uint64], chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return for each of the chosen values how often it occurs among all."""
    different = pd.Index(pd.unique(values[chosen]))
    places = different.get_indexer(values)
    return np.bincount(places[places >= 0], minlength=len(different))[places[chosen]]


def clusters(frame: pd.DataFrame, contract: Contract) -> npt.NDArray[np.int64]:
    """Return the number of each row's entity, from 0; a row without one stands alone."""
    if contract.id is None:
        return np.arange(len(frame))
    entity = frame[contract.id].astype("str")
    return pd.factorize(
        entity.where(frame[contract.id].notna(), pd.Series(frame.index.map("row {}".format), frame.index))
    )[0]


def split_by_time(
    frame: pd.DataFrame, time: pd.Series, entity: pd.Series, params: Prepare, notes: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Let the newest rows be the test set; the cut falls between two times, nearest to `test_size`.

    An entity with rows on both sides of the cut is given to one of them by lot, and its rows on the other side are
    left out.
    """
    counts = time.value_counts().sort_index()
    share = counts[::-1].cumsum()[::-1] / len(time)  # of the rows at this time or later
    cut = (share.iloc[1:] - params.test_size).abs().idxmin()
    late = time.ge(cut)  # rows without a time are old ones
    straddling = late.groupby(entity).transform("nunique") > 1
    lot = np.random.default_rng(params.seed).random(len(frame)) < params.test_size
    to_test = pd.Series(lot, index=frame.index).groupby(entity).transform("first")
    left_out = straddling & (late != to_test)
    if left_out.any():
        notes.append(f"{int(left_out.sum())} rows are left out: their entity stands on the other side of {cut}")
    return frame[~late & ~left_out], frame[late & ~left_out]


def lots(frame: pd.DataFrame, contract: Contract, seed: int) -> pd.Series:
    """Draw a number from 0 to 1 for each unit, by a hash of its entity, or of its features and its place among equals.

    The place is that in the file. The target has no part in it: a row has the same lot when its label is corrected, and
    when rows are added, so that a later test set is nearly the one before, and models can be compared on it. A hash of
    the features alone would put all rows of a cell on one side, and the test rows would have cells of their own.
    """
    features = frame.drop(columns=[*contract.named("ignore"), contract.target])
    content = pd.util.hash_pandas_object(features, index=False).to_numpy()
    if contract.id is not None:
        entity = pd.util.hash_pandas_object(frame[contract.id].astype("str"), index=False).to_numpy()
        content = np.where(frame[contract.id].notna(), entity, content)
    twin = pd.Series(content).groupby(content).cumcount().to_numpy("uint64")  # a new row comes last, others stay
    mixed = pd.util.hash_array((content + twin * STEP) ^ pd.util.hash_array(np.array([seed], dtype="uint64")))
    return pd.Series(mixed / 2.0**64, index=frame.index)


def split_at_random(
    frame: pd.DataFrame, entity: pd.Series, contract: Contract, params: Prepare
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw whole entities for the test set, those with the smallest lots; each class keeps its share."""
    first = entity.drop_duplicates()
    if len(first) < 2:
        raise DataError("all rows are of one entity: with `role: id` on that column, nothing is left to test on")
    lot = lots(frame.loc[first.index], contract, params.seed)
    strata = frame.loc[first.index, contract.target] if contract.labels else pd.Series("", index=first.index)
    place = lot.groupby(strata).rank(method="first")
    sizes = (strata.map(strata.value_counts()) * params.test_size).round()
    chosen = place <= sizes
    if not chosen.any() or chosen.all():  # classes with a member or two each
        chosen = lot.rank(method="first") <= max(1, min(len(first) - 1, round(params.test_size * len(first))))
    tested = entity.isin(first[chosen])
    return frame[~tested], frame[tested]


def main() -> None:
    """Write data/prepared/train.parquet and test.parquet; the index `row` counts the rows of the raw file from 1."""
    contract = Contract.load()
    frame, _ = parse(read(Path(contract.source.path), contract), contract)
    params = Params.load()
    train, test, notes = prepare(frame, contract, params.prepare, team.extension("split", params.own))
    TRAIN.parent.mkdir(parents=True, exist_ok=True)
    train.to_parquet(TRAIN)
    test.to_parquet(TEST)
    print("\n".join([*notes, f"{len(train)} rows to train, {len(test)} to test"]))
