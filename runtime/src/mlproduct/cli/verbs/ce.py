"""Run the continuous evaluation as tests; further options go to pytest."""

from argparse import REMAINDER, ArgumentParser, Namespace

GROUP = "Evaluate"
EXAMPLE = "mlproduct ce -m bias"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("words", nargs=REMAINDER, help="options of pytest")


def run(options: Namespace) -> int:
    """Run the verb."""
    import pytest

    return int(pytest.main(["ce", *options.words]))
