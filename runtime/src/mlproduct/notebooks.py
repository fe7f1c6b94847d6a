"""Keep notebooks free of outputs: rows of data, which belong to DVC, and changes that nobody reviews."""

import json
from pathlib import Path
from typing import Any

from mlproduct.errors import DataError


def strip(path: Path) -> bool:
    """Remove outputs and execution counts from a notebook; returns whether it held any.

    Raises
    ------
    DataError
        If the file is not a notebook.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text)
        with_output = [cell for cell in document["cells"] if cell["cell_type"] == "code" and _ran(cell)]
    except FileNotFoundError:
        raise DataError(f"there is no notebook {path}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is not a notebook: {error}; save it from Jupyter again") from None
    for cell in with_output:
        cell |= {"outputs": [], "execution_count": None}
    if with_output:
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    return bool(with_output)


def _ran(cell: dict[str, Any]) -> bool:
    return bool(cell.get("outputs")) or cell.get("execution_count") is not None
