"""Raw data -> train and test: by time where there is a time column, no row and no entity on both sides."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from .contract import Contract, DataError, parse, read, run
from .params import Params, Prepare

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
        train, test = split_at_random(kept, kept[contract.target] if contract.labels else None, entity, params)
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


def split_at_random(
    frame: pd.DataFrame, target: pd.Series | None, entity: pd.Series, params: Prepare
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw whole entities for the test set; each class keeps its share where it has members enough."""
    from sklearn.model_selection import train_test_split

    first = entity.drop_duplicates()
    if len(first) < 2:
        raise DataError("all rows are of one entity: with `role: id` on that column, nothing is left to test on")
    strata = None
    if target is not None:
        strata = target.loc[first.index]
        rare = strata.map(strata.value_counts()) < 2
        strata = strata.mask(rare, strata.mode().iloc[0])
        size = round(params.test_size * len(first))
        if strata.nunique() > min(size, len(first) - size):
            strata = None
    test = train_test_split(first, test_size=params.test_size, random_state=params.seed, stratify=strata)[1]
    chosen = entity.isin(test)
    return frame[~chosen], frame[chosen]


def main() -> None:
    """Write data/prepared/train.parquet and test.parquet; the index `row` counts the rows of the raw file from 1."""
    contract = Contract.load()
    frame, _ = parse(read(Path(contract.source.path), contract), contract)
    train, test, notes = prepare(frame, contract, Params.load().prepare)
    TRAIN.parent.mkdir(parents=True, exist_ok=True)
    train.to_parquet(TRAIN)
    test.to_parquet(TEST)
    print("\n".join([*notes, f"{len(train)} rows to train, {len(test)} to test"]))


if __name__ == "__main__":
    run(main)
