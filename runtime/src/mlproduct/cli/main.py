"""Find the verb, read its arguments, run it in the root of the repository; errors of the user end with 2."""

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

VERBS = Path(__file__).parent / "verbs"
GROUPS = ("Every day", "Evaluate", "Ship", "Operate", "Own")


def names() -> list[str]:
    """Return the verbs: the names of the files in verbs/."""
    return sorted(path.stem.rstrip("_").replace("_", "-") for path in VERBS.glob("[a-z]*.py"))


def load(name: str) -> ModuleType:
    """Return the module of a verb."""
    plain = name.replace("-", "_")
    stem = plain if (VERBS / f"{plain}.py").exists() else f"{plain}_"
    return import_module(f"mlproduct.cli.verbs.{stem}")


def overview() -> str:
    """Return the help of the command line: the verbs by group, within 80 columns."""
    verbs = {name: load(name) for name in names()}
    lines = ["usage: mlproduct VERB [OPTIONS]", "", "`mlproduct VERB --help` shows options and an example."]
    for group in GROUPS:
        lines += ["", f"{group}:"]
        for name, verb in verbs.items():
            if verb.GROUP == group:
                lines.append(f"  {name:14} {(verb.__doc__ or '').splitlines()[0].rstrip('.')}")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; exit codes: 0 done, 1 found something, 2 the user can fix it, 130 interrupted."""
    words = sys.argv[1:] if words is None else list(words)
    if not words or words[0] in ("-h", "--help"):
        print(overview())
        sys.exit(0)
    if words[0] == "--version":
        from mlproduct._version import __version__

        print(f"mlproduct {__version__}")
        sys.exit(0)
    if words[0] not in (known := names()):
        close = get_close_matches(words[0], known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "`mlproduct --help` lists them"
        sys.stderr.write(f"error: there is no verb {words[0]!r}; {hint}\n")
        sys.exit(2)
    sys.exit(_run(words[0], words[1:]))


def _run(name: str, words: Sequence[str]) -> int:
    import argparse

    from mlproduct.errors import DataError

    verb = load(name)
    parser = argparse.ArgumentParser(
        prog=f"mlproduct {name}",
        description=verb.__doc__,
        epilog=f"example:\n  {verb.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.arguments(parser)
    if not all(word.strip() for word in words):
        parser.error("an empty argument is no value: write one, or leave its option out")
    options = parser.parse_args(words)
    for key, value in vars(options).items():
        if isinstance(value, Path):
            setattr(options, key, value.absolute())  # the verb runs in the root of the repository
    try:
        _enter()
        return int(verb.run(options) or 0)
    except DataError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"interrupted: `mlproduct {name}` was stopped\n")
        return 130


def _enter() -> None:
    """Go to the root of the repository, put its code first on the path, and check the library that runs."""
    from mlproduct import pinned, repository, team

    root = repository.find()
    os.chdir(root)
    team.use_sources(root)
    pinned.check()
