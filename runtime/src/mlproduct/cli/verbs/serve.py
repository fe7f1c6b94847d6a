"""Serve the newest Bento in the foreground."""

from argparse import ArgumentParser, Namespace

GROUP = "Ship"
EXAMPLE = "mlproduct serve --port 3000"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--port", type=int, default=3000, help="port to listen on (3000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine only)")


def run(options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.packaging import serve

    serve.main(options.host, options.port)
