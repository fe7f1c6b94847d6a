"""Train with several seeds to measure how far equal models differ."""

from argparse import ArgumentParser, Namespace

GROUP = "Evaluate"
EXAMPLE = "mlproduct noise"


def arguments(parser: ArgumentParser) -> None:
    """Declare no options."""


def run(_options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.experiments import difference

    difference.measure_noise()
