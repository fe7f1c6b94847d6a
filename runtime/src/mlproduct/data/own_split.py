"""The team's own split, checked: `split` of extensions.py decides which rows are test rows."""

from collections.abc import Callable

import pandas as pd

from mlproduct.config import Prepare
from mlproduct.contract.columns import Contract
from mlproduct.errors import DataError
from mlproduct.team import returned_wrong

Split = Callable[[pd.DataFrame, Contract, Prepare], pd.Series]


def divide(
    split: Split, frame: pd.DataFrame, entity: pd.Series, contract: Contract, params: Prepare
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide rows into train and test as the team's function says.

    Parameters
    ----------
    entity : Series of shape (n_rows,)
        The number of each row's entity; an entity may not stand on both sides.

    Raises
    ------
    DataError
        If it does not return True or False for each row, one side is empty, or an entity stands on both.
    """
    tested = split(frame.copy(), contract, params)
    expected = f"a Series of bool with the index of the {len(frame)} rows, True for a test row"
    if not isinstance(tested, pd.Series) or tested.dtype != bool:
        kind = f"a Series of {tested.dtype}" if isinstance(tested, pd.Series) else tested
        raise returned_wrong("split", kind, expected)
    if not tested.index.equals(frame.index):
        raise returned_wrong("split", f"a Series of {len(tested)} rows whose index is another one", expected)
    if tested.all() or not tested.any():
        raise returned_wrong("split", f"{bool(tested.iloc[0])} for all rows", "rows on both sides")
    sides = tested.groupby(entity).nunique()
    if (crossing := sides[sides > 1]).size:
        name = contract.id
        first = frame.loc[entity == crossing.index[0], str(name)].iloc[0]
        raise DataError(
            f"extensions.py: split() puts {len(crossing)} values of {name!r} on both sides, {first!r} among them: the "
            "model would be tested on entities that it has learnt; give all rows of an entity the same side"
        )
    return frame[~tested], frame[tested]
