"""Compare new rows with those that the model was made from."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

GROUP = "Evaluate"
EXAMPLE = "mlproduct drift --data new.csv"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--data", type=Path, default=None, help="a file of new rows, as contract.yaml describes them")


def run(options: Namespace) -> int | None:
    """Run the verb."""
    from mlproduct.evaluation.drift import detection

    if options.data is None:
        detection.main()
        return 0
    return detection.compare_with(options.data)
