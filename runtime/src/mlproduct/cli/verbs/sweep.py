"""Train a grid of variants through DVC's queue."""

from argparse import ArgumentParser, Namespace

GROUP = "Every day"
EXAMPLE = 'mlproduct sweep --why "how deep?" --set "model.max_leaf_nodes=15,31,63"'


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--why", default="", help="the hypothesis: what you expect, and why")
    parser.add_argument("--again", default="", help="why a known run is run again")
    parser.add_argument("--set", default="", dest="settings", help="section.name=value,value ...")


def run(options: Namespace) -> int:
    """Run the verb."""
    from mlproduct.experiments import journal

    return journal.sweep(options.why, options.settings, options.again)
