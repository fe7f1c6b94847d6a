"""A repository as it is committed: its files come out of git's objects, and its work tree is never looked at.

So a filter, a hook, a link, a named pipe or a device in a work tree is nothing that could be opened. What was read of a
content is kept under its name in git: in a fleet most files are those of the standard, and are read and parsed once.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..checks.repository import LARGEST, MOST, Repository, forget
from ..errors import UserError
from ..git import GitError, read

READ = 64_000_000  # bytes of text of one repository; the text of a generated one has 2 MB
KEPT = 32_000_000  # characters of text that are kept from one repository to the next


@dataclass(frozen=True)
class Blob:
    """The name of a file's content in git, its bytes, and whether it can be run."""

    name: str
    size: int
    runs: bool = False


_texts: dict[str, str] = {}
_contents: dict[str, bytes] = {}


class Committed(Repository):
    """The files of a commit.

    Parameters
    ----------
    folder : Path
        A folder of the repository, which files are seen from.
    commit : str
        Its name.
    blobs : mapping of str to Blob
        Its regular files; links and submodules are left out.
    """

    def __init__(self, folder: Path, commit: str, blobs: Mapping[str, Blob]) -> None:
        super().__init__(folder, tuple(sorted(blobs)), in_git=True)
        self.folder = folder
        self.commit = commit
        self.blobs = blobs

    def text(self, path: str) -> str:
        """Return what a file says; empty for what is no text or too large."""
        blob = self.blobs.get(path)
        return _texts.get(blob.name, "") if blob else ""

    def size(self, path: str) -> int:
        """Return how many bytes a file has."""
        return self.blobs[path].size

    def content(self, path: str) -> bytes | None:
        """Return the bytes of a file."""
        blob = self.blobs[path]
        if blob.name not in _contents:
            _contents[blob.name] = _verified(blob.name, read("cat-file", "blob", blob.name, cwd=self.folder))
        return _contents[blob.name]


def head(folder: Path) -> str:
    """Return the commit that a repository is at."""
    if not folder.is_dir():
        raise UserError("is not there")
    try:
        return read("rev-parse", "--verify", "HEAD^{commit}", cwd=folder).decode().strip()
    except GitError as error:
        raise UserError(f"is no git repository with a commit that can be read ({error})") from error


def committed(folder: Path, commit: str) -> Committed:
    """Read a commit.

    Parameters
    ----------
    folder : Path
        A folder of the repository; files are seen from there.
    commit : str
        Its name.

    Returns
    -------
    Committed
        Its files, of which those are read that no repository had before.

    Raises
    ------
    UserError
        If it has too many files, too much text, or not all of its objects.
    """
    try:
        blobs = files(folder, commit)
        _fetch(folder, blobs.values())
    except GitError as error:
        raise UserError(f"cannot be read ({error})") from error
    return Committed(folder, commit, blobs)


def files(folder: Path, commit: str) -> dict[str, Blob]:
    """Return the regular files of a commit."""
    listed = read("ls-tree", "-r", "-l", "-z", commit, cwd=folder).split(b"\0")
    if len(listed) > MOST:
        raise UserError(f"has {len(listed)} files; up to {MOST} are looked at")
    found = {}
    for entry in filter(None, listed):
        about, _, path = entry.partition(b"\t")
        mode, _, name, size = about.decode().split()
        if mode.startswith("100"):
            if not size.isdecimal():
                raise UserError(f"lacks the object {name}: it is a partial clone, or broken")
            found[path.decode(errors="surrogateescape")] = Blob(name, int(size), mode == "100755")
    return found


def _fetch(folder: Path, blobs: Iterable[Blob]) -> None:
    wanted = {blob.name: blob.size for blob in blobs if blob.size <= LARGEST and blob.name not in _texts}
    if sum(wanted.values()) > READ:
        raise UserError(f"holds {sum(wanted.values()) // 10**6} MB of text; up to {READ // 10**6} MB are read")
    if not wanted:
        return
    if sum(map(len, _texts.values())) > KEPT:
        # What is still needed of it is read again.
        wanted = {blob.name: blob.size for blob in blobs if blob.size <= LARGEST}
        _forget()
    said = read("cat-file", "--batch", cwd=folder, stdin="\n".join([*wanted, ""]).encode(), most=2 * READ)
    _take(said)


def _take(said: bytes) -> None:
    at = 0
    while at < len(said):
        end = said.index(b"\n", at)
        name, kind, *size = said[at:end].decode().split()
        if kind != "blob":
            raise UserError(f"lacks the object {name}: it is a partial clone, or broken")
        begin, at = end + 1, end + 1 + int(size[0])
        content = _verified(name, said[begin:at])
        _texts[name] = "" if b"\0" in content[:8192] else content.decode(errors="replace")
        at += 1


def _verified(name: str, content: bytes) -> bytes:
    """Refuse what is not what its name says: it would be taken for another repository's file of that name."""
    kind = hashlib.sha1 if len(name) == 40 else hashlib.sha256
    if kind(b"blob %d\0" % len(content) + content).hexdigest() != name:
        raise UserError(f"holds an object that is not what its name says ({name})")
    return content


def _forget() -> None:
    _texts.clear()
    _contents.clear()
    forget()
