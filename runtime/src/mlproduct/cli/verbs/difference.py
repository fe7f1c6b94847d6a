"""Tell whether data or parameters made the difference from the champion."""

from argparse import ArgumentParser, Namespace

GROUP = "Evaluate"
EXAMPLE = "mlproduct difference"


def arguments(parser: ArgumentParser) -> None:
    """Declare no options."""


def run(_options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.experiments import difference

    difference.attribute()
