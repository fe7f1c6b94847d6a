"""A work tree in which an update is computed; those of updates that were killed are removed."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..git import PLAIN, git
from ..project import Project


@contextmanager
def worktree(project: Project) -> Iterator[Path]:
    """Check out the last commit of a repository into a work tree of its own, and remove it at the end.

    Parameters
    ----------
    project : Project
        The repository.

    Yields
    ------
    Path
        The root of the work tree.
    """
    _sweep(project)
    with ExitStack() as undo:
        prefix = f"mlscaffold-update-{os.getpid()}-"
        scratch = undo.enter_context(TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True))
        tree = Path(scratch).resolve() / "tree"
        undo.callback(git, "worktree", "prune", cwd=project.root)
        undo.callback(shutil.rmtree, tree, ignore_errors=True)
        git("worktree", "add", "--quiet", "--detach", tree, "HEAD", cwd=project.root, config=PLAIN)
        yield tree


def _sweep(project: Project) -> None:
    """Remove the work trees of updates that were killed: git still lists them."""
    left = []
    for pointer in (project.common_dir / "worktrees").glob("*/gitdir"):
        tree = Path(pointer.read_text(encoding="utf-8").strip()).parent
        owner = re.fullmatch(r"mlscaffold-update-(\d+)-\w+", tree.parent.name)
        if owner and tree.name == "tree" and not _runs(int(owner[1])):
            shutil.rmtree(tree.parent, ignore_errors=True)
            left.append(tree)
    if left:
        git("worktree", "prune", cwd=project.root)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
