"""Track the raw data with DVC and check it against contract.yaml."""

from argparse import ArgumentParser, Namespace

GROUP = "Every day"
EXAMPLE = "mlproduct data"


def arguments(parser: ArgumentParser) -> None:
    """Declare no options."""


def run(_options: Namespace) -> int:
    """Run the verb."""
    from mlproduct.data.track import track

    return track()
