"""Run the commands of the runbooks against a running service."""

from argparse import ArgumentParser, Namespace

GROUP = "Operate"
EXAMPLE = "mlproduct runbooks check ServiceDown"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "kind",
        choices=["check", "fix", "manual"],
        help="check: run all; fix: run those of the pages named; manual: list",
    )
    parser.add_argument("names", nargs="*", help="pages such as ServiceDown (default: all)")
    parser.add_argument("--url", default="", help="of the service (or URL, or deploy/on-call.env)")
    parser.add_argument("--prometheus", default="", help="of Prometheus (or PROMETHEUS, or deploy/on-call.env)")


def run(options: Namespace) -> int:
    """Run the verb."""
    from mlproduct.monitoring import runbooks

    return runbooks.main(options.kind, options.names, options.url, options.prometheus)
