"""Write what a run has taught into the journal."""

from argparse import ArgumentParser, Namespace

GROUP = "Every day"
EXAMPLE = 'mlproduct lesson "deeper trees overfit below 5,000 rows"'


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("text", help="the lesson")
    parser.add_argument(
        "--run", default="", dest="fingerprint", help="the start of its fingerprint (default: the newest run)"
    )


def run(options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.experiments import journal

    journal.learn(options.text, options.fingerprint)
