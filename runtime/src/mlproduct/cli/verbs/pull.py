"""Fetch data and models from the DVC storage."""

from argparse import ArgumentParser, Namespace

GROUP = "Every day"
EXAMPLE = "mlproduct pull"


def arguments(parser: ArgumentParser) -> None:
    """Declare no options."""


def run(options: Namespace) -> int:
    """Run the verb."""
    from mlproduct.data.storage import pull

    return pull()
