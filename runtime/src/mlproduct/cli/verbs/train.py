"""Train what changed, evaluate it and compare it with the champion."""

from argparse import ArgumentParser, Namespace

GROUP = "Every day"
EXAMPLE = 'mlproduct train --why "deeper trees"'


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--why", default="", help="the hypothesis: what you expect, and why")
    parser.add_argument("--again", default="", help="why a known run is run again")
    parser.add_argument("--against", default="", help="compare with this revision instead of the last release")


def run(options: Namespace) -> int:
    """Run the verb."""
    from mlproduct.experiments import journal

    return journal.train(options.why, options.again, options.against or None)
