"""Carry the team's edits of files that the template has renamed to their new places, by three-way merge."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..git import PLAIN, GitError, git
from .preview import Carried

SIMILAR = 50  # percent of a file that both versions share, for it to be the same file: git's own measure
_LABELS = ("-L", "before updating", "-L", "last update", "-L", "after updating")

Files = Mapping[Path, bytes]


def find_renames(old: Files, new: Files, similar: int = SIMILAR) -> dict[Path, Path]:
    """Find the files that a template has renamed between two of its renderings.

    Parameters
    ----------
    old, new : mapping
        The content of each file, by path, with the same answers.
    similar : int
        Percent of a file that both must share.

    Returns
    -------
    dict
        The new path, by the old one.
    """
    gone, added = old.keys() - new.keys(), new.keys() - old.keys()
    if not gone or not added:
        return {}
    with TemporaryDirectory(prefix="mlscaffold-renames-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        git("init", "--quiet", "--template=", cwd=scratch, config=PLAIN)
        trees = [_tree(scratch, {path: files[path] for path in paths}) for files, paths in ((old, gone), (new, added))]
        words = ("diff-tree", "-r", "-z", f"--find-renames={similar}%", "--no-rename-empty", "-l0", "--diff-filter=R")
        fields = git(*words, "--name-status", *trees, cwd=scratch, config=PLAIN).split("\0")
    return {Path(was): Path(now) for was, now in zip(fields[1::3], fields[2::3], strict=False)}


def _tree(scratch: Path, files: Files) -> str:
    git("read-tree", "--empty", cwd=scratch, config=PLAIN)
    entries = []
    for path, content in files.items():
        blob = git("hash-object", "-w", "--no-filters", "--stdin", cwd=scratch, config=PLAIN, stdin=content).strip()
        entries.append(f"100644 {blob} 0\t".encode() + os.fsencode(path.as_posix()) + b"\0")
    git("update-index", "-z", "--index-info", cwd=scratch, config=PLAIN, stdin=b"".join(entries))
    return git("write-tree", cwd=scratch, config=PLAIN).strip()


@dataclass(frozen=True)
class Renamed:
    """A file that the template has renamed and the team has edited.

    Attributes
    ----------
    old, new : Path
        Its two places, seen from the root of the git repository.
    base : bytes
        What the old version rendered.
    theirs : bytes
        What the new version renders.
    """

    old: Path
    new: Path
    base: bytes
    theirs: bytes


def carry(tree: Path, base: str, renamed: Iterable[Renamed]) -> tuple[tuple[Carried, ...], str]:
    """Merge the team's edits of renamed files into their new places.

    Parameters
    ----------
    tree : Path
        Root of the work tree that holds the result of the update.
    base : str
        The commit before it, which has the team's version of each file.
    renamed : iterable of Renamed
        The files; one that is not text is left out.

    Returns
    -------
    tuple of Carried, str
        What was carried, and the stages of its conflicts for git's index.
    """
    done: list[Carried] = []
    stages = ""
    for each in renamed:
        ours = git("cat-file", "blob", f"{base}:{each.old.as_posix()}", cwd=tree, config=PLAIN)
        # Where the team has a file of its own at the new place, that one was merged there; both edits are to be kept.
        place = tree / each.new
        if not place.is_file() or place.is_symlink() or place.read_bytes() != each.theirs:
            continue
        versions = (each.base, ours.encode(errors="surrogateescape"), each.theirs)
        merged = _merge(versions)
        if merged is None:
            continue
        content, conflict = merged
        place.write_bytes(content)
        done.append(Carried(each.old, each.new))
        if conflict:
            stages += _stages(tree, each.new, versions)
    return tuple(done), stages


def _merge(versions: tuple[bytes, bytes, bytes]) -> tuple[bytes, bool] | None:
    """Return the merged content, and whether it holds conflicts; None where git cannot merge it."""
    if any(b"\0" in version for version in versions):
        return None
    with TemporaryDirectory(prefix="mlscaffold-merge-", ignore_cleanup_errors=True) as folder:
        base, ours, theirs = (Path(folder) / name for name in ("base", "ours", "theirs"))
        for file, content in zip((base, ours, theirs), versions, strict=True):
            file.write_bytes(content)
        try:
            git("merge-file", "--quiet", *_LABELS, ours, base, theirs, cwd=Path(folder), config=PLAIN)
        except GitError:  # its exit code is the number of conflicts
            return ours.read_bytes(), True
        return ours.read_bytes(), False


def _stages(tree: Path, path: Path, versions: tuple[bytes, bytes, bytes]) -> str:
    words = ("hash-object", "-w", "--no-filters", "--stdin")
    blobs = [git(*words, cwd=tree, config=PLAIN, stdin=content).strip() for content in versions]
    return "".join(f"100644 {blob} {number}\t{path.as_posix()}\0" for number, blob in enumerate(blobs, 1))
