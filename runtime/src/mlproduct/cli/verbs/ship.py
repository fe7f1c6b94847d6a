"""Go from data to a packaged service that has answered over HTTP."""

from argparse import ArgumentParser, Namespace

GROUP = "Ship"
EXAMPLE = "mlproduct ship"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--force", default="", help="why a model that was not accepted is shipped all the same")
    parser.add_argument(
        "--commit", default="", dest="message", help="commit after training, before packaging, with this message"
    )
    parser.add_argument("--setup", type=float, default=0.0, help="seconds that the set-up took, for the summary")


def run(options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.packaging import ship

    ship.main(options.setup, options.force, options.message)
