"""Finish a merge of two trained branches: resolve generated files and train."""

from argparse import ArgumentParser, Namespace

GROUP = "Every day"
EXAMPLE = "git merge colleague ; mlproduct merge"


def arguments(parser: ArgumentParser) -> None:
    """Declare no options."""


def run(options: Namespace) -> int:
    """Run the verb."""
    from mlproduct.experiments.merge import merge

    return merge()
