"""Release the accepted model as champion: tag, changelog, SBOM."""

from argparse import ArgumentParser, Namespace

GROUP = "Ship"
EXAMPLE = "mlproduct release --version v1.2.0"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--version", default="", help="such as v1.2.0 (default: the next minor version)")


def run(options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.release import release

    release.main(options.version)
