"""Go back to an earlier release, rebuilt and asked over HTTP."""

from argparse import ArgumentParser, Namespace

GROUP = "Ship"
EXAMPLE = 'mlproduct rollback --why "loss rose"'


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--version", default="", help="such as v1.0.0 (default: the release before the champion)")
    parser.add_argument("--why", default="", help="the reason, kept in the tag")


def run(options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.release import rollback

    rollback.main(options.version, options.why)
