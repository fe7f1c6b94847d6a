"""Run the command line as `python -m mlscaffold`."""

from .cli import main

if __name__ == "__main__":
    main()
