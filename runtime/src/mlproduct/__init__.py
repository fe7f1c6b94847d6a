"""The platform of a machine-learning product: from a table and its contract to a model that is evaluated and served.

Examples
--------
In a notebook, anywhere below the root of a repository::

    import mlproduct

    project = mlproduct.open()
    project.predict(project.raw_rows().head())
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlproduct._version import __version__
    from mlproduct.errors import DataError
    from mlproduct.project import Project, open  # noqa: A004

__all__ = ["DataError", "Project", "__version__", "open"]
_PLACES = {  # imported when asked for: `mlproduct --help` needs none of them
    "__version__": "mlproduct._version",
    "DataError": "mlproduct.errors",
    "Project": "mlproduct.project",
    "open": "mlproduct.project",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
