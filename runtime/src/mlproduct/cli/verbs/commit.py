"""Commit what training wrote, with your changes of tracked files."""

from argparse import ArgumentParser, Namespace

GROUP = "Every day"
EXAMPLE = 'mlproduct commit -m "deeper trees"'


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-m", "--message", default="", help="what the commit is for")


def run(options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.experiments.commits import commit

    print(f"committed {commit(options.message)}")
