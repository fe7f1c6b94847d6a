"""Run the command line as `python -m mlproduct`."""

from mlproduct.cli.main import main

main()
