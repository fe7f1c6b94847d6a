"""The user's table: infer its contract, and write both into a repository."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .answers import columns
from .errors import UserError

if TYPE_CHECKING:
    from .contract import Contract
    from .inference.findings import Finding
    from .tables.table import Table

_CHUNK = 2**20


@dataclass(frozen=True)
class Dataset:
    """A table, and the contract inferred from it."""

    table: "Table"
    contract: "Contract"
    findings: "tuple[Finding, ...]"


def infer_contract(data: Path, values: Mapping[str, Any], positive: str | None = None) -> Dataset:
    """Open a table and infer its contract.

    Parameters
    ----------
    data : Path
        CSV, CSV.gz, TSV or Parquet.
    values : mapping
        Answers: target, task, protected, time, id.
    positive : str, optional
        The label that counts as positive.

    Returns
    -------
    Dataset
        Table, contract, findings.

    Raises
    ------
    UserError
        If there is no target, or the table does not fit what was said about it.
    """
    from .inference.infer import infer
    from .tables.table import header, open_table

    target = values.get("target")
    if not target:
        listed = ", ".join(header(data))
        raise UserError(f"which column of {data.name} is to be predicted? give --target; its columns are: {listed}")
    table = open_table(data)
    protected = values.get("protected")
    found = infer(
        table,
        target=str(target),
        task=values.get("task") or None,
        protected=(protected,) if protected in table.columns else columns(protected),
        time=values.get("time") or None,
        id=values.get("id") or None,
        positive=positive,
    )
    return Dataset(table, found.contract, found.findings)


def answers_from(contract: "Contract") -> dict[str, Any]:
    """Return the answers to the template's questions that a contract implies."""
    time, entity = contract.named("time"), contract.named("id")
    return {
        "table": "own",
        "task": contract.task,
        "target": contract.target,
        "protected": list(contract.named("protected")),
        "time": time[0] if time else "",
        "id": entity[0] if entity else "",
    }


def write_dataset(dataset: Dataset, project: Path) -> None:
    """Write a table into a repository: a copy, its pointer for DVC, and its contract."""
    from .contract import contract_yaml

    raw = project / dataset.contract.source.path
    raw.parent.mkdir(parents=True, exist_ok=True)
    (project / "contract.yaml").write_text(contract_yaml(dataset.contract), encoding="utf-8", newline="\n")
    digest, size = _copy(dataset.table.path, raw)
    raw.with_name(f"{raw.name}.dvc").write_text(pointer(raw.name, digest, size), encoding="utf-8", newline="\n")


def _copy(origin: Path, target: Path) -> tuple[str, int]:
    """Copy a file and return its MD5 and size, reading it once.

    It is copied, never linked: an edit of the original must not change versioned data.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with origin.open("rb") as reading, target.open("wb") as writing:
        while chunk := reading.read(_CHUNK):
            digest.update(chunk)
            writing.write(chunk)
        return digest.hexdigest(), writing.tell()


def pointer(name: str, digest: str, size: int) -> str:
    """Write what `dvc add` would write beside a file."""
    return f"outs:\n- md5: {digest}\n  size: {size}\n  hash: md5\n  path: {name}\n"
