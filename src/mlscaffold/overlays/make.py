"""A new overlay: a small template in git, with an example of each thing that it can add."""

import re
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from ..errors import UserError
from ..git import first_commit, git
from ..staging import move, staging

_PLACEHOLDER = "@NAME@"
VERSION = "v0.1.0"


@dataclass(frozen=True)
class Made:
    """A new overlay.

    Attributes
    ----------
    path : Path
        Its folder.
    name : str
        Its name.
    version : str
        Its first version.
    """

    path: Path
    name: str
    version: str


def make(target: Path, name: str | None) -> Made:
    """Create an overlay, with its first commit and version.

    Parameters
    ----------
    target : Path
        The folder: new, or empty.
    name : str, optional
        Of the overlay; the folder's name without `-overlay` if None.

    Returns
    -------
    Made
        The overlay.

    Raises
    ------
    UserError
        If the name is not valid.
    """
    called = name or re.sub(r"[^a-z0-9-]+", "-", target.name.lower()).removesuffix("-overlay").strip("-")
    if not re.fullmatch(r"[a-z][a-z0-9-]*", called):
        raise UserError(
            f"{called!r} is not a valid overlay name: use lower-case letters, digits and '-'; give one with --name"
        )
    with staging(target) as staged:
        _write(called, staged)
        first_commit(staged, f"{called}: an overlay, made by mlscaffold")
        git("tag", VERSION, cwd=staged)
        move(staged, target)
    return Made(target, called, VERSION)


def _write(name: str, folder: Path) -> None:
    with as_file(files("mlscaffold.overlays") / "skeleton") as skeleton:
        for file in sorted(path for path in skeleton.rglob("*") if path.is_file()):
            place = folder / file.relative_to(skeleton).as_posix().replace(_PLACEHOLDER, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text(encoding="utf-8").replace(_PLACEHOLDER, name)
            place.write_text(text, encoding="utf-8", newline="\n")
