"""Suggest answers to the template's questions from what a repository holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..answers import names
from ..errors import UserError
from .detect import Found

_OF_THE_FORGE = "the forge reads CI at the root of the repository alone, so none is added here; -d ci=... adds it"


def suggest(
    folder: Path, values: Mapping[str, Any], found: Found, *, at_root: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Infer answers from the repository, where the user gave none.

    Parameters
    ----------
    folder : Path
        Of the repository.
    values : mapping
        Answers so far.
    found : Found
        What the repository has.
    at_root : bool
        Whether the folder is the root of the git repository.

    Returns
    -------
    dict
        `name`, `package`, and where they follow from what was found, `ci` and `license`.
    tuple of str
        What was decided, for the user.

    Raises
    ------
    UserError
        If the package that the user chose is there already.
    """
    suggested, notes = _names(folder, values, found)
    ci, about_ci = _ci(found, at_root=at_root)
    if ci and "ci" not in values:
        suggested["ci"] = ci
        notes += about_ci
    if found.licensed and "license" not in values:
        suggested["license"] = "none"
    return suggested, notes


def _names(folder: Path, values: Mapping[str, Any], found: Found) -> tuple[dict[str, Any], tuple[str, ...]]:
    named, notes = names(folder, values)
    package = named["package"]
    if package not in found.packages:
        return dict(named), notes
    if "package" in values:
        raise UserError(f"the repository has a package {package} already, which stays; choose another: -d package=NAME")
    free = (f"{package}_{ending}" for ending in ("product", *(f"product{number}" for number in range(2, 100))))
    named["package"] = next(name for name in free if name not in found.packages)
    return dict(named), (*notes, f"the package is called {named['package']}: your own is called {package}, and stays")


def _ci(found: Found, *, at_root: bool) -> tuple[str, tuple[str, ...]]:
    if not at_root:
        return "none", (_OF_THE_FORGE,)
    if found.forges:
        return ("both" if len(found.forges) > 1 else found.forges[0]), ()
    if found.other_ci:
        kinds = ", ".join(found.other_ci)
        return "none", (f"CI is by {kinds}, so no other is added: let it run `make lint test train ce`",)
    return "", ()


def pick_table(folder: Path, data: Path | None, values: Mapping[str, Any], found: Found) -> Path | None:
    """Return the table to learn from: the user's, or the only one in the repository.

    Parameters
    ----------
    folder : Path
        Of the repository.
    data : Path, optional
        What the user chose.
    values : mapping
        Answers so far.
    found : Found
        What the repository has.

    Returns
    -------
    Path, optional
        None for the example.

    Raises
    ------
    UserError
        If there are several.
    """
    if data or not found.tables or values.get("table") == "example":
        return data
    if len(found.tables) > 1:
        few = ", ".join(found.tables[:5]) + (f" and {len(found.tables) - 5} more" if len(found.tables) > 5 else "")
        raise UserError(f"which table holds the training data? give --data; there are {few} (or take -d table=example)")
    return folder / found.tables[0]
