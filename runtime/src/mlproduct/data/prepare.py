"""Raw data -> train and test: by time where there is a time column, no row and no entity on both sides."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlproduct.config import Params, Prepare
from mlproduct.contract.columns import Contract
from mlproduct.contract.validation import parse, read
from mlproduct.errors import DataError

TRAIN = Path("data/prepared/train.parquet")
TEST = Path("data/prepared/test.parquet")
FEWEST = 10  # rows: with fewer, neither a model nor its evaluation says anything


def prepare(frame: pd.DataFrame, contract: Contract, params: Prepare) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Divide parsed rows into train and test.

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
    entity = entities(kept, contract, notes)
    by_time = contract.time is not None and kept[contract.time].nunique() > 1
    if contract.time is not None and not by_time:
        notes.append(f"{contract.time!r} holds one value: the split is at random, not by time")
    if by_time:
        train, test = split_by_time(kept, kept[contract.time], entity, params, notes)
    else:
        train, test = split_at_random(kept, entity, contract, params)
    if train.empty or test.empty:
        raise DataError(f"the split leaves {len(train)} rows to train, {len(test)} to test: see params.yaml, prepare")
    if contract.labels and train[contract.target].nunique() < 2:
        only = train[contract.target].iloc[0]
        raise DataError(f"all {len(train)} rows to train on have {contract.target!r} = {only!r}: nothing can be learnt")
    return train, test, notes


def entities(frame: pd.DataFrame, contract: Contract, notes: list[str]) -> pd.Series:
    """Give each row the number of its group: rows of one entity, and identical rows, belong together.

    Where a few columns with few values make rows alike by chance (a group above 5 % of the rows), likeness alone says
    nothing, and only the entity counts.
    """
    row: pd.Series = pd.Series(np.arange(len(frame)), index=frame.index)
    if contract.id is not None:  # identical rows are of one entity anyway
        entity = frame[contract.id]
        return row.groupby(entity.astype("str").to_numpy()).transform("first").where(entity.notna(), row)
    told = frame.drop(columns=contract.named("ignore"))  # a running number makes no row another one
    alike = row.groupby(pd.util.hash_pandas_object(told, index=False).to_numpy()).transform("first")
    if alike.value_counts().iloc[0] > max(10, 0.05 * len(frame)):
        notes.append("many rows are alike by chance: identical rows may stand on both sides of the split")
        return row
    return alike


def clusters(frame: pd.DataFrame, contract: Contract) -> npt.NDArray[np.int64]:
    """Give each row the number of its entity, from 0; a row without one stands alone."""
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
    """Draw a number from 0 to 1 for each row by a hash of its entity, or of its content without the target.

    The same row has the same lot when others come or go and when its label is mended, so that a later test set is
    nearly the one before, and models can be compared on it.
    """
    told = frame.drop(columns=[*contract.named("ignore"), contract.target])
    content = pd.util.hash_pandas_object(told, index=False).to_numpy()
    if contract.id is not None:
        entity = pd.util.hash_pandas_object(frame[contract.id].astype("str"), index=False).to_numpy()
        content = np.where(frame[contract.id].notna(), entity, content)
    twin = (
        pd.Series(content).groupby(content).cumcount().to_numpy("uint64")
    )  # rows alike by chance have lots of their own
    mixed = pd.util.hash_array(
        content ^ pd.util.hash_array(twin) ^ pd.util.hash_array(np.array([seed], dtype="uint64"))
    )
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
    wanted = (strata.map(strata.value_counts()) * params.test_size).round()
    chosen = place <= wanted
    if not chosen.any() or chosen.all():  # classes with a member or two each
        chosen = lot.rank(method="first") <= max(1, min(len(first) - 1, round(params.test_size * len(first))))
    tested = entity.isin(first[chosen])
    return frame[~tested], frame[tested]


def main() -> None:
    """Write data/prepared/train.parquet and test.parquet; the index `row` counts the rows of the raw file from 1."""
    contract = Contract.load()
    frame, _ = parse(read(Path(contract.source.path), contract), contract)
    train, test, notes = prepare(frame, contract, Params.load().prepare)
    TRAIN.parent.mkdir(parents=True, exist_ok=True)
    train.to_parquet(TRAIN)
    test.to_parquet(TEST)
    print("\n".join([*notes, f"{len(train)} rows to train, {len(test)} to test"]))
