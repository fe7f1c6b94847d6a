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
    """The name of a file's content in git, and whether it can be run."""

    name: str
    runs: bool = False


# By name of a content: its bytes, and what it says.
_sizes: dict[str, int] = {}
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
    large : mapping of str to int
        Bytes of the contents that are not read, as this repository says.
    """

    def __init__(self, folder: Path, commit: str, blobs: Mapping[str, Blob], large: Mapping[str, int]) -> None:
        super().__init__(folder, tuple(sorted(blobs)), in_git=True)
        self.folder = folder
        self.commit = commit
        self.blobs = blobs
        self.large = large

    def text(self, path: str) -> str:
        """Return what a file says; empty for what is no text or too large."""
        blob = self.blobs.get(path)
        return _texts.get(blob.name, "") if blob else ""

    def size(self, path: str) -> int:
        """Return how many bytes a file has."""
        name = self.blobs[path].name
        return self.large[name] if name in self.large else _sizes[name]

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
        large = _fetch(folder, blobs.values())
    except GitError as error:
        raise UserError(f"cannot be read ({error})") from error
    return Committed(folder, commit, blobs, large)


def files(folder: Path, commit: str) -> dict[str, Blob]:
    """Return the regular files of a commit."""
    listed = read("ls-tree", "-r", "-z", commit, cwd=folder).split(b"\0")
    if len(listed) > MOST:
        raise UserError(f"has {len(listed)} files; up to {MOST} are looked at")
    found = {}
    for entry in filter(None, listed):
        about, _, path = entry.partition(b"\t")
        mode, _, name = about.decode().split()
        if mode.startswith("100"):
            found[path.decode(errors="surrogateescape")] = Blob(name, mode == "100755")
    return found


def _fetch(folder: Path, blobs: Iterable[Blob]) -> dict[str, int]:
    """Read what no repository had before; return the sizes of what is too large to be read, and so to be verified."""
    names = {blob.name for blob in blobs}
    if sum(map(len, _texts.values())) > KEPT and not names <= _sizes.keys():
        _forget()
    new = sorted(names - _sizes.keys())
    if not new:
        return {}
    # `ls-tree -l` would ask for the size of every file, nine in ten of which are known; each is a file to be opened.
    sizes = _measured(read("cat-file", "--batch-check", cwd=folder, stdin=_asking(new)).decode())
    wanted = [name for name, size in sizes.items() if size <= LARGEST]
    large = {name: size for name, size in sizes.items() if size > LARGEST}
    whole = sum(sizes[name] for name in wanted)
    if whole > READ:
        raise UserError(f"holds {whole // 10**6} MB of text; up to {READ // 10**6} MB are read")
    _take(read("cat-file", "--batch", cwd=folder, stdin=_asking(wanted), most=2 * READ))
    return large


def _asking(names: list[str]) -> bytes:
    return "\n".join([*names, ""]).encode()


def _measured(said: str) -> dict[str, int]:
    found = {}
    for line in said.splitlines():
        name, kind, *size = line.split()
        if kind != "blob":
            raise UserError(f"lacks the object {name}: it is a partial clone, or broken")
        found[name] = int(size[0])
    return found


def _take(said: bytes) -> None:
    at = 0
    while at < len(said):
        end = said.index(b"\n", at)
        ((name, size),) = _measured(said[at:end].decode()).items()
        begin, at = end + 1, end + 1 + size
        content = _verified(name, said[begin:at])
        _sizes[name] = size
        _texts[name] = "" if b"\0" in content[:8192] else content.decode(errors="replace")
        at += 1


def _verified(name: str, content: bytes) -> bytes:
    """Refuse what is not what its name says: it would be taken for another repository's file of that name."""
    kind = hashlib.sha1 if len(name) == 40 else hashlib.sha256
    if kind(b"blob %d\0" % len(content) + content).hexdigest() != name:
        raise UserError(f"holds an object that is not what its name says ({name})")
    return content


def _forget() -> None:
    _sizes.clear()
    _texts.clear()
    _contents.clear()
    forget()
