"""Run the command line, as `mlscaffold` and as `python -m mlscaffold`."""

import gc


def main() -> None:
    """Run it."""
    # A command lives for a second; looking for garbage 700 objects at a time while it imports takes a tenth of that.
    gc.set_threshold(50_000)
    from .cli import main as run

    run()


if __name__ == "__main__":
    main()
