"""Run one stage of dvc.yaml; DVC calls this."""

from argparse import ArgumentParser, Namespace

GROUP = "Own"
EXAMPLE = "mlproduct stage train"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", help="of the stage, as in dvc.yaml")


def run(options: Namespace) -> None:
    """Run the verb."""
    from mlproduct import stages

    stages.run(options.name)
