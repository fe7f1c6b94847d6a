"""Find the team's changes to files that an update deletes or adds: such work must not be lost in silence."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ..git import PLAIN, git
from .preview import Change

Rendered = Callable[[Path], bytes | None]


def find_dropped(tree: Path, base: str, changes: Sequence[Change], rendered: Rendered) -> tuple[Path, ...]:
    """Find deleted files whose content is not what the old version of the template rendered.

    Parameters
    ----------
    tree : Path
        Root of the work tree that holds the result of the update.
    base : str
        The commit before it.
    changes : sequence of Change
        What the update did there.
    rendered : callable
        Returns a file's content in a fresh rendering of the old version, if it has one; called only when needed.

    Returns
    -------
    tuple of Path
        Files that the team has edited.
    """
    deleted = [each.path for each in changes if each.kind == "deleted"]
    return tuple(path for path in deleted if not _pristine(path, rendered(path), tree, base))


def find_removed(tree: Path, base: str, changes: Sequence[Change], rendered: Rendered) -> tuple[Path, ...]:
    """Find added files that the old version of the template had too: the team deleted them, and they would come back.

    Parameters and order are those of `dropped`.
    """
    added = [each.path for each in changes if each.kind == "added"]
    if not added:
        return ()
    words = ("log", "--diff-filter=D", "--no-renames", "--name-only", "--format=", "-z", base, "--")
    once = {Path(name) for name in git(*words, *added, cwd=tree, config=PLAIN).split("\0") if name}
    return tuple(path for path in added if path in once and rendered(path) is not None)


def _pristine(path: Path, rendered: bytes | None, tree: Path, base: str) -> bool:
    if rendered is None:
        return False
    committed = git("rev-parse", f"{base}:{path.as_posix()}", cwd=tree).strip()
    return git("hash-object", "--no-filters", "--stdin", cwd=tree, stdin=rendered).strip() == committed
