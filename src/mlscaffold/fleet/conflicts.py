"""Predict the conflicts of an update by trying it in a separate repository."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UserError
from ..git import GitError, plain_environment
from ..project import load
from ..update.plan import plan
from ..update.preview import Plan
from .clones import borrowed
from .record import clean
from .standard import Standard


@contextmanager
def tried(folder: Path, commit: str, standard: Standard) -> Iterator[tuple[Path, Plan]]:
    """Plan the update of a repository in a separate one, which its own configuration does not affect.

    Parameters
    ----------
    folder : Path
        The repository.
    commit : str
        What the update begins with.
    standard : Standard
        It goes to the newest version.

    Yields
    ------
    Path, Plan
        The separate repository, and what the update does there.
    """
    with (
        plain_environment({}),
        borrowed(folder, commit) as beside,
        plan(load(beside), standard.newest, standard.bundle) as planned,
    ):
        yield beside, planned


def predicted(folder: Path, commit: str, standard: Standard) -> list[str]:
    """Return the files that an update to the newest version would leave to a person: conflicts and patches of edits.

    Parameters
    ----------
    folder : Path
        The repository.
    commit : str
        What the update would begin with.
    standard : Standard
        Where it would go.

    Returns
    -------
    list of str
        Empty for an update that is clean.

    Raises
    ------
    UserError
        If it cannot be tried.
    """
    try:
        with tried(folder, commit, standard) as (_, planned):
            edits = [planned.project.inside / each.patch for each in planned.undecided]
            return [clean(path.as_posix()) for path in (*planned.conflicts, *edits)]
    except GitError as error:
        raise UserError(f"the update cannot be tried ({error})") from error
