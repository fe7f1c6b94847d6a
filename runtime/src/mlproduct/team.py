"""The team's own package: which one it is, and its modules, which the library loads by name."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from mlproduct.errors import DataError

SOURCES = Path("src")


def package(root: Path = Path()) -> str:
    """Return the name of the team's package: the folder of src/ that holds model.py.

    Raises
    ------
    DataError
        If there is none, or more than one.
    """
    found = sorted(path.parent.name for path in (root / SOURCES).glob("*/model.py"))
    if len(found) != 1:
        names = ", ".join(found) or "none"
        raise DataError(f"{root / SOURCES} needs exactly one package with a model.py; found: {names}")
    return found[0]


def module(name: str) -> ModuleType:
    """Return a module of the team's package, such as `model`.

    The stage `imports` reads the literal names of such calls, so that a change of that module runs its stages again.

    Raises
    ------
    DataError
        If the package has no such module.
    """
    full = f"{package()}.{name}"
    try:
        return import_module(full)
    except ModuleNotFoundError as error:
        if error.name not in (full, full.partition(".")[0]):
            raise
        raise DataError(f"{SOURCES / full.replace('.', '/')}.py is missing; restore it with `git checkout`") from None


def use_sources(root: Path) -> None:
    """Put the repository's src/ first on the path, before any installed version of the team's package."""
    folder = str((root / SOURCES).absolute())
    if folder in sys.path:
        sys.path.remove(folder)
    sys.path.insert(0, folder)
