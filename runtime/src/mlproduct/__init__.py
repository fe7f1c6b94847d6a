"""The platform of a machine-learning product: from a table and its contract to a model that is evaluated and served."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlproduct._version import __version__ as __version__

_PLACES = {"__version__": "mlproduct._version"}  # imported when asked for: `mlproduct --help` needs none of them


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
