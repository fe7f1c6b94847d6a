"""Attribute a difference from the champion to data or parameters."""

from argparse import ArgumentParser, Namespace

GROUP = "Evaluate"
EXAMPLE = "mlproduct difference"


def arguments(parser: ArgumentParser) -> None:
    """Declare no options."""


def run(_options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.experiments import difference

    difference.attribute()
