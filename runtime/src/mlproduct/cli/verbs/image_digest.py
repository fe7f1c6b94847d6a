"""Write which image a stage of deploy/kubernetes runs."""

from argparse import ArgumentParser, Namespace

GROUP = "Ship"
EXAMPLE = "mlproduct image-digest --stage staging --digest sha256:..."


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--stage", required=True, help="staging, production, canary or kserve")
    parser.add_argument("--digest", required=True, help="sha256:... as `docker push` prints it")


def run(options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.release import image_digest

    image_digest.main(options.stage, options.digest)
