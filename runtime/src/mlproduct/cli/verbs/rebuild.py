"""Package and serve this work tree once; releases call this."""

from argparse import ArgumentParser, Namespace
from datetime import date

GROUP = "Own"
EXAMPLE = "mlproduct rebuild --on 2026-11-27"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--on", type=date.fromisoformat, required=True, help="the day of the release: waivers count as then"
    )


def run(options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.release import rebuild

    rebuild.main(options.on)
