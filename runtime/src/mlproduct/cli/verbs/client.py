"""Write the OpenAPI document and a typed client into clients/."""

from argparse import ArgumentParser, Namespace

GROUP = "Ship"
EXAMPLE = "mlproduct client"


def arguments(parser: ArgumentParser) -> None:
    """Declare no options."""


def run(_options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.packaging import client

    client.main()
