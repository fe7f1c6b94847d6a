"""Find the verb, read its arguments, run it in the root of the repository; errors of the user end with 2."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

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
            if group == verb.GROUP:
                lines.append(f"  {name:12} {(verb.__doc__ or '').splitlines()[0].rstrip('.')}")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; exit codes: 0 done, 1 found something, 2 the user can fix it, 130 interrupted."""
    words = sys.argv[1:] if words is None else list(words)
    try:
        code = _start(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        if "DVC_STAGE" not in os.environ:  # else the verb that runs the pipeline says it
            sys.stderr.write(f"interrupted: `mlproduct {words[0] if words else ''}` was stopped\n")
        code = 130
    except BrokenPipeError:  # `mlproduct ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _start(words: Sequence[str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        print(overview())
        return 0
    if words[0] == "--version":
        from mlproduct._version import __version__

        print(f"mlproduct {__version__}")
        return 0
    if words[0] not in (verbs := names()):
        from difflib import get_close_matches

        close = get_close_matches(words[0], verbs, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "`mlproduct --help` lists them"
        sys.stderr.write(f"error: there is no verb {words[0]!r}; {hint}\n")
        return 2
    return _run(words[0], words[1:])


def _run(name: str, words: Sequence[str]) -> int:
    from mlproduct.errors import DataError

    verb = load(name)
    options = _parsed(verb, name, words)
    try:
        if (library := _enter()) is not None:
            return _again(name, words, library)
        return int(verb.run(options) or 0)
    except DataError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2


def _parsed(verb: ModuleType, name: str, words: Sequence[str]) -> Any:
    """Read the words of a verb; one with PASSED_ON hands them to another tool as they are."""
    import argparse

    parser = argparse.ArgumentParser(
        prog=f"mlproduct {name}",
        description=verb.__doc__,
        epilog=f"example:\n  {verb.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.arguments(parser)
    if not all(word.strip() for word in words):
        parser.error("an empty argument is not a value: write one, or leave its option out")
    if getattr(verb, "PASSED_ON", False) and not {"-h", "--help"} & set(words):
        return argparse.Namespace(words=list(words))
    options = parser.parse_args(words)
    for key, value in vars(options).items():
        if isinstance(value, Path):
            setattr(options, key, value.absolute())  # the verb runs in the root of the repository
    return options


def _enter() -> Path | None:
    """Go to the root of the repository, put its code first on the path, and check the library that runs.

    Returns
    -------
    Path or None
        Where the ejected library of this work tree is, if that of another one runs.
    """
    from mlproduct import pinned, repository, team

    root = repository.find()
    if (library := pinned.elsewhere(root)) is not None:
        return library
    os.chdir(root)
    team.use_sources(root)
    pinned.check()
    return None


def _again(name: str, words: Sequence[str], library: Path) -> int:
    """Run the verb with the library of another folder."""
    import subprocess

    path = os.pathsep.join([str(library), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "mlproduct", name, *words]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=False).returncode
