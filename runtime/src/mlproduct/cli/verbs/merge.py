"""Finish a git merge: resolve generated files, and train again."""

from argparse import ArgumentParser, Namespace

GROUP = "Every day"
EXAMPLE = "mlproduct merge"


def arguments(parser: ArgumentParser) -> None:
    """Declare no options."""


def run(options: Namespace) -> int:
    """Run the verb."""
    from mlproduct.experiments.merge import merge

    return merge()
