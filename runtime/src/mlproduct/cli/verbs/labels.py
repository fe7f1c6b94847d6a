"""Join outcomes with predictions and report live performance."""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

GROUP = "Operate"
EXAMPLE = "mlproduct labels"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--log", type=Path, default=None, help="folder of the prediction log (PREDICTION_LOG, or logs)")


def run(options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.monitoring import labels

    labels.main(options.log or Path(os.environ.get("PREDICTION_LOG") or "logs"))
