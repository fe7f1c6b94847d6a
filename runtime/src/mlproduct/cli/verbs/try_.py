"""Train one variant beside the workspace, which stays as it is."""

from argparse import ArgumentParser, Namespace

GROUP = "Every day"
EXAMPLE = 'mlproduct try --why "slower learning" --set "model.learning_rate=0.05"'


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--why", default="", help="the hypothesis: what you expect, and why")
    parser.add_argument("--again", default="", help="why a known run is run again")
    parser.add_argument("--set", default="", dest="settings", help="section.name=value ...")


def run(options: Namespace) -> int:
    """Run the verb."""
    from mlproduct.experiments import journal

    return journal.try_one(options.why, options.settings, options.again)
