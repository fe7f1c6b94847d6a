"""Compare the rendered standard with the repository's files: new, equal, or colliding."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import UserError
from .target_repository import TargetRepository

State = Literal["added", "same", "collides", "local"]


@dataclass(frozen=True)
class File:
    """One file of the standard, seen from the root of the git repository.

    Attributes
    ----------
    path : Path
        The file.
    state : str
        added: the repository has none; same: it has the very same; collides: it has another one, which stays;
        local: it has one that git ignores, which stays and goes nowhere.
    """

    path: Path
    state: State


def compare(tree: Path, target: TargetRepository) -> tuple[File, ...]:
    """Compare each rendered file with the repository's.

    Parameters
    ----------
    tree : Path
        Mirrors the root of the git repository and holds the rendered files alone.
    target : TargetRepository
        The repository.

    Returns
    -------
    tuple of File
        In the order of their paths.

    Raises
    ------
    UserError
        If a file cannot be at its place: something else is on the way.
    """
    links = [file.relative_to(tree).as_posix() for file in tree.rglob("*") if file.is_symlink()]
    if links:
        raise UserError(
            f"the template contains links ({', '.join(sorted(links))}), which could lead anywhere; use another"
        )
    paths = sorted(file.relative_to(tree) for file in tree.rglob("*") if file.is_file())
    blocked = sorted({reason for path in paths if (reason := _blocked(path, target))})
    if blocked:
        raise UserError(
            f"paths of the standard are blocked: {'; '.join(blocked)}; move it (git mv), commit, and try again"
        )
    return tuple(File(path, _state(tree / path, path, target)) for path in paths)


def _blocked(path: Path, target: TargetRepository) -> str:
    """Return what blocks a path: nothing is written through a link or into another repository."""
    for folder in _folders(path):
        real = target.root / folder
        if real.is_symlink():
            return f"{folder.as_posix()} is a link"
        if folder in target.submodules:
            return f"{folder.as_posix()} is a submodule"
        if real.exists() and not real.is_dir():
            return f"{folder.as_posix()} is a file where the standard has a folder"
    real = target.root / path
    return f"{path.as_posix()} is a folder where the standard has a file" if real.is_dir() else ""


def _folders(path: Path) -> Iterator[Path]:
    return (folder for folder in reversed(path.parents) if folder != Path())


def _state(rendered: Path, path: Path, target: TargetRepository) -> State:
    real = target.root / path
    if not (real.exists() or real.is_symlink()):
        return "added"
    if not real.is_symlink() and real.read_bytes() == rendered.read_bytes():
        return "same"
    return "collides" if path in target.tracked else "local"
