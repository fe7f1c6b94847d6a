"""`mlscaffold infer`."""

from pathlib import Path
from typing import Annotated

import typer

from .. import show
from .options import Debug, Id, Positive, Protected, Target, Task, Time

EXAMPLE = "Example: mlscaffold infer churn.csv --target churned > contract.yaml"


def infer(
    file: Annotated[Path, typer.Argument(help="CSV, CSV.gz, TSV or Parquet.")],
    *,
    target: Target = None,
    task: Task = None,
    protected: Protected = None,
    time: Time = None,
    id_: Id = None,
    positive: Positive = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Print the contract that a table implies.

    What each column is and may hold, as YAML; what is suspicious is said on standard error.
    """
    from ..contract import contract_yaml
    from ..dataset import infer_contract

    roles = {"target": target, "task": task, "protected": protected, "time": time, "id": id_}
    dataset = infer_contract(file, roles, positive)
    show.findings(dataset.findings)
    show.plain(contract_yaml(dataset.contract))
