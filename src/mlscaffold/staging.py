"""A folder is made whole, or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from .errors import UserError


def vacant(path: Path) -> Path:
    """Return the folder's full path if a repository can be made there."""
    target = path.expanduser().absolute()
    target = Path(os.path.normpath(target))
    if target.is_symlink() or target.exists():
        target = target.resolve()
    if not target.exists():
        if not os.access(_existing(target), os.W_OK):
            raise UserError(f"{_existing(target)} cannot be written to; choose another folder")
        return target
    if not target.is_dir():
        raise UserError(f"{path} is a file; choose another name for the folder")
    if any(target.iterdir()):
        raise UserError(f"{path} is not empty; choose a new folder, or an empty one")
    return target


def _existing(path: Path) -> Path:
    found = next(parent for parent in path.parents if parent.exists())
    if not found.is_dir():
        raise UserError(f"{found} is a file, so {path} cannot be made in it; choose another folder")
    return found


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """Give a folder beside the target (inside it, if it is there), and leave nothing behind if something fails."""
    with ExitStack() as undo:
        missing = [parent for parent in target.parents if not parent.exists()]
        undo.callback(_remove_empty, missing)
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(mkdtemp(prefix=f".{target.name}-", dir=target if target.exists() else target.parent))
        undo.callback(shutil.rmtree, scratch, ignore_errors=True)
        # mkdtemp's folder is for its owner only; the project's has the user's usual mode.
        staged = scratch / "project"
        staged.mkdir()
        yield staged


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def move(staged: Path, target: Path) -> None:
    """Bring what was made to its place: all of it, or nothing."""
    if not target.exists():
        staged.rename(target)
        return
    # An existing folder may be somebody's current one, or a mount: it stays, and is filled.
    moved: list[Path] = []
    try:
        for entry in sorted(staged.iterdir()):
            entry.rename(target / entry.name)
            moved.append(target / entry.name)
    except BaseException:
        for entry in moved:
            entry.rename(staged / entry.name)
        raise
