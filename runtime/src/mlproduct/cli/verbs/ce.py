"""Run the continuous evaluation as tests; options go to pytest."""

from argparse import ArgumentParser, Namespace

GROUP = "Evaluate"
EXAMPLE = "mlproduct ce -m bias"
PASSED_ON = True  # all words, to pytest


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("words", nargs="*", metavar="OPTION", help="of pytest")


def run(options: Namespace) -> int:
    """Run the verb."""
    import pytest

    return int(pytest.main(["ce", *options.words]))
