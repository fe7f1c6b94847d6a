"""Build a Bento from the accepted model and its service."""

from argparse import ArgumentParser, Namespace

GROUP = "Ship"
EXAMPLE = "mlproduct package"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--force", default="", help="why a model that was not accepted is packaged all the same")


def run(options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.packaging import package

    package.main(options.force)
