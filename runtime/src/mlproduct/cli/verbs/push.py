"""Send data and models to the DVC storage."""

from argparse import ArgumentParser, Namespace

GROUP = "Every day"
EXAMPLE = "mlproduct push"


def arguments(parser: ArgumentParser) -> None:
    """Declare no options."""


def run(options: Namespace) -> int:
    """Run the verb."""
    from mlproduct.data.storage import push

    return push()
