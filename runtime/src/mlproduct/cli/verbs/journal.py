"""List all runs, failed ones too, and write reports/journal.html."""

from argparse import ArgumentParser, Namespace

GROUP = "Every day"
EXAMPLE = "mlproduct journal --failed"


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--failed", action="store_true", help="only crashed and rejected runs")
    parser.add_argument("--sort", default="when", help="when, metric, status or who")


def run(options: Namespace) -> None:
    """Run the verb."""
    from mlproduct.experiments import journal
    from mlproduct.experiments.publish import write_page

    print(journal.table(failed=options.failed, by=options.sort))
    write_page()
