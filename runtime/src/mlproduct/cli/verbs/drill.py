"""Break a copy of the service, see the alert, run its runbook."""

from argparse import SUPPRESS, ArgumentParser, Namespace

GROUP = "Operate"
EXAMPLE = "mlproduct drill --only drift,errors"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--only", default="", help="some of the faults, comma-separated (default: all)")
    parser.add_argument("--here", action="store_true", help=SUPPRESS)  # this is the copy


def run(options: Namespace) -> int:
    """Run the verb."""
    from mlproduct.gameday import drill

    return drill.main(options.only, here=options.here)
