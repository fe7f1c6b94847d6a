"""A fleet beyond one machine: the shards for a CI matrix, and their results as one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .listing import shards
from .store import Store, opened


def matrix(count: int, name: str | None = None) -> dict[str, Any]:
    """Return the shards as GitHub's `strategy.matrix` takes them.

    Parameters
    ----------
    count : int
        How many.
    name : str, optional
        What the look is called, which all of them share; the moment if None.

    Returns
    -------
    dict
        `include`: a list of `shard` and `run`.
    """
    run = name or datetime.now(UTC).isoformat(timespec="seconds")
    return {"include": [{"shard": shard, "run": run} for shard in shards(count)]}


def merge(files: tuple[Path, ...], into: Store) -> None:
    """Merge other stores into one.

    Parameters
    ----------
    files : tuple of Path
        The stores of the shards.
    into : Store
        Where it all goes.
    """
    for file in files:
        with opened(file, new=False) as other:
            into.take(other)
