"""Find the module of `mlproduct`, and the extension point, that an old module of a repository corresponds to."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

LIBRARY = "mlproduct"
TABLE = Path(__file__).with_name("library.yaml")


@dataclass(frozen=True)
class Place:
    """Where the work of an old module is done now.

    Attributes
    ----------
    module : str
        The module of the library, `mlproduct.evaluation.gates`; empty where there is none.
    point : str
        The extension point that holds a team's change, in words.
    """

    module: str
    point: str


def find_place(path: str, package: str) -> Place:
    """Return where the work of an old module is done now.

    Parameters
    ----------
    path : str
        The old file, seen from the repository's folder: `src/churn/judging/gate.py`, `tests/test_gate.py`.
    package : str
        The team's package.

    Returns
    -------
    Place
        The module of the library and the extension point.

    Examples
    --------
    >>> find_place("src/churn/judging/gate.py", "churn").module
    'mlproduct.evaluation.gates'
    >>> find_place("src/churn/judging/gate.py", "churn").point
    'a gate of your own: src/churn/extensions.py; its thresholds: params.yaml'
    """
    old = PurePosixPath(path)
    module = _modules().get(old.stem.removeprefix("test_"), "")
    words = _table()[old.parts[0]] if old.parts[0] in ("tests", "ce") else _point(module)
    folder = f"src/{package}"
    point = words.replace("EXTENSIONS", f"{folder}/extensions.py").replace("PACKAGE", folder)
    return Place(f"{LIBRARY}.{module}" if module else "", point)


def _point(module: str) -> str:
    points: dict[str, str] = _table()["points"]
    fitting = [name for name in points if module == name or module.startswith(f"{name}.")]
    return points[max(fitting, key=len)] if fitting else str(_table()["otherwise"])


@cache
def _modules() -> dict[str, str]:
    """Return the modules of the library, by the name that they had without folder."""
    table = _table()
    kept = {name: f"{package}.{name}".lstrip(".") for package, names in table["kept"].items() for name in names}
    return {**kept, **table["renamed"]}


@cache
def _table() -> dict[str, Any]:
    import yaml

    loaded: dict[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return loaded
