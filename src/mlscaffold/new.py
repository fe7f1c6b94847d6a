"""Answers become a repository, whole or not at all."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from .answers import Answers, columns, names
from .errors import UserError
from .git import asked, first_commit
from .own import OwnTable, answers_of, bring_table
from .render import render
from .source import Source, vendor


@dataclass(frozen=True)
class Created:
    """What was made.

    Attributes
    ----------
    path : Path
        The repository.
    version : str
        Of the template.
    identity : tuple of str, optional
        Name and address of the first commit's author, where git had none.
    notes : tuple of str
        What to tell the user.
    """

    path: Path
    version: str
    identity: tuple[str, str] | None
    notes: tuple[str, ...]


def create(path: Path, answers: Answers, source: Source, own: OwnTable | None = None, *, ask: bool = False) -> Created:
    """Make a repository.

    Parameters
    ----------
    path : Path
        The folder: new, or empty.
    answers : Answers
        To the template's questions; the rest have defaults.
    source : Source
        The template.
    own : OwnTable, optional
        The table it starts with; the template's example if None.
    ask : bool
        Whether to ask for answers that are not given.

    Returns
    -------
    Created
        The repository, with its first commit.

    Raises
    ------
    UserError
        If the folder is taken, or an answer is wrong; nothing is left behind then.
    """
    target = vacant(path)
    data, notes = answered(target, answers, own)
    with _staging(target) as staged:
        version = fill(staged, data, source, own, named=answers.named, ask=ask)
        identity = first_commit(staged, f"{data['name']}: made by mlscaffold from template {version}")
        _move(staged, target)
    return Created(target, version, identity, (*source.notes, *notes, *_nested(target)))


def answered(folder: Path, answers: Answers, own: OwnTable | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Put together all answers that are known: the user's, the names that the folder gives, the roles of the table.

    Parameters
    ----------
    folder : Path
        Of the repository.
    answers : Answers
        The user's.
    own : OwnTable, optional
        The table it starts with.

    Returns
    -------
    dict
        By question.
    tuple of str
        What to tell the user.
    """
    named, notes = names(folder, answers.values)
    data = {"table": "example", **answers.values, **named, **(answers_of(own.contract) if own else {})}
    if "protected" in data:
        data["protected"] = list(columns(data["protected"]))
    if own is None and data.get("table") == "own":
        raise UserError("a table of your own comes with --data FILE")
    return data, notes


def fill(
    folder: Path,
    data: Mapping[str, Any],
    source: Source,
    own: OwnTable | None,
    *,
    named: Sequence[str] = (),
    ask: bool = False,
) -> str:
    """Render the template into an empty folder, with its bundle and the table, and return the version."""
    vendor(source, folder)
    version = render(source, folder, data, named=named, ask=ask)
    if own:
        bring_table(own, folder)
    return version


def _nested(target: Path) -> tuple[str, ...]:
    outer = asked("rev-parse", "--show-toplevel", cwd=target.parent)
    return (f"it is a git repository of its own inside another one, {outer}",) if outer else ()


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
def _staging(target: Path) -> Iterator[Path]:
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


def _move(staged: Path, target: Path) -> None:
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


def ship(project: Path) -> int:
    """Run `make ship` in a repository, its output going where ours goes, and return its exit code."""
    if not shutil.which("make"):
        raise UserError(
            f"make is not installed, so {project} is made but not shipped; `mlscaffold doctor` says how to get it"
        )
    # The project has an environment of its own; ours must not stand in for it.
    environ = {name: text for name, text in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return subprocess.run(["make", "ship"], cwd=project, env=environ, check=False).returncode
