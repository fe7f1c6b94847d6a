"""Decide what becomes of the team's edits of files that the template no longer has: carried, a patch, or kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..git import PLAIN, git
from ..platform_edits.imports import Gone, StaleImport, find_stale
from ..platform_edits.names import Names, read_names
from ..platform_edits.patches import PIN, Edit, is_module, make_edit, write
from ..platform_edits.renames import find_renames
from .carry import Renamed, carry
from .preview import Carried, Dropped
from .renderings import Rendering


@dataclass(frozen=True)
class Before:
    """A repository before an update.

    Attributes
    ----------
    commit : str
        Its last commit.
    version : str
        The version of its template.
    package : str
        The team's package; empty where the template does not ask for one.
    rendered : dict
        What that version renders, by path from the root of the git repository.
    inside : Path
        Where its folder is, seen from there.
    """

    commit: str
    version: str
    package: str
    rendered: Rendering
    inside: Path

    def local(self, path: Path) -> str:
        """Return a path as seen from the repository's folder."""
        return path.relative_to(self.inside).as_posix()


@dataclass(frozen=True)
class Resolved:
    """What became of edited files that the template no longer has.

    Attributes
    ----------
    carried : tuple of Carried
        Those that were merged at their new places.
    stages : str
        Of the conflicts among them.
    edits : tuple of Edit
        Modules whose edits are patches now.
    dropped : tuple of Dropped
        The others, which stay.
    """

    carried: tuple[Carried, ...] = ()
    stages: str = ""
    edits: tuple[Edit, ...] = ()
    dropped: tuple[Dropped, ...] = ()


def resolve(tree: Path, edited: Sequence[Path], before: Before, new: Rendering, *, accepted: bool = False) -> Resolved:
    """Carry the edits of renamed files, and write those of modules as patches.

    Parameters
    ----------
    tree : Path
        Root of the work tree that holds the result of the update.
    edited : sequence of Path
        Edited files that are gone there.
    before : Before
        The repository before it.
    new : dict
        What the new version renders, by path.
    accepted : bool
        Whether the person has decided on the patches beforehand.
    """
    old = before.rendered
    moves = find_renames(old, new)
    renamed = [Renamed(path, moves[path], old[path], new[moves[path]]) for path in edited if path in moves]
    carried, stages = carry(tree, before.commit, renamed)
    not_carried = [path for path in edited if path not in {each.path for each in carried}]
    modules = [path for path in not_carried if path in old and is_module(before.local(path), before.package)]
    edits = tuple(replace(_edit(tree, path, before, new), accepted=accepted) for path in modules)
    for edit in edits:
        write(tree / before.inside, edit)
    dropped = tuple(Dropped(path, moves.get(path)) for path in not_carried if path not in modules)
    return Resolved(carried, stages, edits, dropped)


def _edit(tree: Path, path: Path, before: Before, new: Rendering) -> Edit:
    ours = git("cat-file", "blob", f"{before.commit}:{path.as_posix()}", cwd=tree, config=PLAIN)
    contents = before.rendered[path], ours.encode(errors="surrogateescape")
    return make_edit(before.local(path), before.version, before.package, contents, library=before.inside / PIN in new)


def find_stale_imports(tree: Path, before: Before, new: Rendering) -> tuple[StaleImport, ...]:
    """Find the lines of the team's code that import modules which the library has now.

    Parameters and order are those of `resolve`; a template without the library has none.
    """
    if before.inside / PIN not in new:
        return ()
    removed = {
        before.local(path)
        for path in before.rendered.keys() - new.keys()
        if path.suffix == ".py" and not (tree / path).exists()
    }
    folder = tree / before.inside
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=folder, config=PLAIN)
    files = {name for name in listed.split("\0") if name} - {before.local(path) for path in _same(tree, new)}
    return find_stale(folder, files, Gone(before.package, removed, _names(before, new)))


def _same(tree: Path, new: Rendering) -> set[Path]:
    """Return the files that are exactly what the template renders: nothing of the team's is in them."""
    return {path for path, text in new.items() if (tree / path).is_file() and (tree / path).read_bytes() == text}


def _names(before: Before, new: Rendering) -> Names:
    wheels = [text for path, text in new.items() if before.local(path).startswith("vendor/") and path.suffix == ".whl"]
    return read_names(wheels[0]) if len(wheels) == 1 else Names()
