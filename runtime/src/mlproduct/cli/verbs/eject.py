"""Make the library source of this repository, in runtime/."""

from argparse import ArgumentParser, Namespace

GROUP = "Own"
EXAMPLE = "mlproduct eject"


def arguments(parser: ArgumentParser) -> None:
    """Declare no options."""


def run(options: Namespace) -> None:
    """Run the verb."""
    from pathlib import Path

    from mlproduct import eject

    planned = eject.plan(Path())
    eject.apply(planned, Path())
    print(eject.summary(planned, Path()))
