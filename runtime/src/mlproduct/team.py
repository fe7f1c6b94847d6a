"""The team's own package: which one it is, and its modules and functions, which the library loads by name."""

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from mlproduct.errors import DataError
from mlproduct.extension_source import ExtensionSource

EXTENSIONS = "extensions"
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


def extension(point: str, own: Mapping[str, Any], name: str = "") -> Callable[..., Any] | None:
    """Return a function of the team's extensions.py, or None where it does not define it.

    The stage `imports` reads the literal names of such calls, so that a change of that function runs its stages again.
    Neither the module nor its package is loaded for a function that its source does not define.

    Parameters
    ----------
    point : str
        One of `extension_source.POINTS`.
    own : mapping
        `own:` of params.yaml, for a function with a parameter of that name.
    name : str
        The team's package; by default that of this repository.

    Raises
    ------
    DataError
        If extensions.py cannot be read, or defines something else by that name.
    """
    own_package = name or package()
    spec = find_spec(own_package)
    path = Path(spec.origin).with_name(f"{EXTENSIONS}.py") if spec and spec.origin else None
    if path is None or not path.is_file() or point not in ExtensionSource.read(path).points:
        return None
    found = getattr(import_module(f"{own_package}.{EXTENSIONS}"), point, None)
    if not callable(found):
        raise DataError(f"extensions.py: {point} is {brief(found)}; expected a function")
    return with_own(found, own)


def with_own(function: Callable[..., Any], own: Mapping[str, Any]) -> Callable[..., Any]:
    """Hand `own:` of params.yaml to a function that has a parameter `own`.

    Examples
    --------
    >>> with_own(lambda depth, own: depth * own["factor"], {"factor": 3})(2)
    6
    >>> with_own(lambda depth: depth, {"factor": 3})(2)
    2
    """
    return partial(function, own=own) if "own" in inspect.signature(function).parameters else function


def returned_wrong(point: str, value: Any, expected: str) -> DataError:
    """Return the error that names the function, what it returned and what is expected."""
    return DataError(f"extensions.py: {point}() returned {brief(value)}; expected {expected}")


def brief(value: Any) -> str:
    """Return a value with its type, in at most about a hundred letters."""
    text = " ".join(repr(value).split())
    return f"{text if len(text) <= 80 else text[:77] + '...'} ({type(value).__name__})"


def use_sources(root: Path) -> None:
    """Put the repository's src/ first on the path, before any installed version of the team's package."""
    folder = str((root / SOURCES).absolute())
    if folder in sys.path:
        sys.path.remove(folder)
    sys.path.insert(0, folder)
