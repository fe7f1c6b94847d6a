"""Find the files that a template has renamed from one version to another, as git does."""

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ..git import PLAIN, git

SIMILAR = 50  # percent of a file that both versions share, for it to be the same file: git's own measure


def find_renames(old: Mapping[Path, bytes], new: Mapping[Path, bytes], similar: int = SIMILAR) -> dict[Path, Path]:
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
    removed, added = old.keys() - new.keys(), new.keys() - old.keys()
    if not removed or not added:
        return {}
    with TemporaryDirectory(prefix="mlscaffold-renames-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        git("init", "--quiet", "--template=", cwd=scratch, config=PLAIN)
        trees = [
            _tree(scratch, {path: files[path] for path in paths}) for files, paths in ((old, removed), (new, added))
        ]
        words = ("diff-tree", "-r", "-z", f"--find-renames={similar}%", "--no-rename-empty", "-l0", "--diff-filter=R")
        fields = git(*words, "--name-status", *trees, cwd=scratch, config=PLAIN).split("\0")
    return {Path(was): Path(now) for was, now in zip(fields[1::3], fields[2::3], strict=False)}


def _tree(scratch: Path, files: Mapping[Path, bytes]) -> str:
    git("read-tree", "--empty", cwd=scratch, config=PLAIN)
    entries = []
    for path, content in files.items():
        blob = git("hash-object", "-w", "--no-filters", "--stdin", cwd=scratch, config=PLAIN, stdin=content).strip()
        entries.append(f"100644 {blob} 0\t".encode() + os.fsencode(path.as_posix()) + b"\0")
    git("update-index", "-z", "--index-info", cwd=scratch, config=PLAIN, stdin=b"".join(entries))
    return git("write-tree", cwd=scratch, config=PLAIN).strip()
