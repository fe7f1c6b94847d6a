"""Find the team's package: as the answers name it, or where the team has moved it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import UserError
from .project import ANSWERS

MODEL = "model.py"


def find_package(folder: Path, answers: Mapping[str, Any]) -> str:
    """Return the name of the team's package in a repository.

    Parameters
    ----------
    folder : Path
        The repository's folder.
    answers : mapping
        Its answers; `package` is what it was made with.

    Returns
    -------
    str
        That answer; where src/ has no such package and exactly one that holds a model.py, the name of that one.

    Raises
    ------
    UserError
        If several packages could be it.
    """
    named = str(answers.get("package") or "")
    if not named or not (folder / "src").is_dir() or (folder / "src" / named).is_dir():
        return named
    found = sorted(file.parent.name for file in (folder / "src").glob(f"*/{MODEL}") if file.is_file())
    if len(found) > 1:
        raise UserError(
            f"{ANSWERS} names the package {named}, but there is no src/{named}, and several packages hold a {MODEL} "
            f"({', '.join(found)}); write the team's one there (package: NAME) and commit it"
        )
    return found[0] if found else named
