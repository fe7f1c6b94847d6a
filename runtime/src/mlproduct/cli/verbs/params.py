"""Show every parameter: value, default, limits and meaning."""

from argparse import ArgumentParser, Namespace

GROUP = "Every day"
EXAMPLE = "mlproduct params --explain"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    shown = parser.add_mutually_exclusive_group(required=True)
    shown.add_argument("--explain", action="store_true", help="value, default, limits and meaning of each")
    shown.add_argument("--schema", action="store_true", help="the JSON Schema of params.yaml, for editors")


def run(options: Namespace) -> None:
    """Run the verb."""
    import json

    from mlproduct.config import Params, explain, json_schema

    if options.schema:
        print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    else:
        print(explain(Params.load()))
