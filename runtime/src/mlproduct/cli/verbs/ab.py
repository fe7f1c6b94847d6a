"""Compare challenger and control on outcomes and on business value."""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

GROUP = "Operate"
EXAMPLE = "mlproduct ab"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--log", type=Path, default=None, help="folder of the prediction log (PREDICTION_LOG, or logs)")


def run(options: Namespace) -> int:
    """Run the verb."""
    from mlproduct.monitoring import ab

    return ab.main(options.log or Path(os.environ.get("PREDICTION_LOG") or "logs"))
