"""A repository as it is committed: its files come out of git's objects, and its work tree is never read.

So a filter, a hook, a link, a named pipe or a device in a work tree is nothing that could be opened. What was read of a
content is kept under its name in git: in a fleet most files are those of the standard, and are read and parsed once.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..checks.library import INSIDE
from ..checks.repository import LARGEST, MOST, Repository, forget
from ..checksums import Comparison
from ..errors import UserError
from ..git import GitError, Objects, objects, read

READ = 64_000_000  # bytes of text of one repository; the text of a generated one has 2 MB
_LONGEST = 4096  # letters of a path
KEPT = 32_000_000  # characters of text that are kept from one repository to the next


@dataclass(frozen=True, slots=True)
class Blob:
    """The name of a file's content in git, and whether it can be run."""

    name: str
    runs: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree: a folder, or a regular file; links and submodules are left out."""

    path: str
    name: str
    blob: Blob | None = None
    folder: bool = False


# By name of a content: its bytes, and what it says; of a tree, what is in it.
_sizes: dict[str, int] = {}
_texts: dict[str, str] = {}
_contents: dict[str, bytes] = {}
_trees: dict[str, tuple[Entry, ...]] = {}
Compare = Callable[["Committed"], Comparison | None]


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
    compare : callable, optional
        Compares the files that the template copies.
    """

    def __init__(
        self,
        folder: Path,
        commit: str,
        blobs: Mapping[str, Blob],
        large: Mapping[str, int],
        compare: Compare | None = None,
    ) -> None:
        super().__init__(folder, tuple(sorted(blobs)), in_git=True)
        self.folder = folder
        self.commit = commit
        self.blobs = blobs
        self.large = large
        self._compare = compare

    @cached_property
    def comparison(self) -> Comparison | None:
        """Compare the files that the template copies; the work tree is never read."""
        return self._compare(self) if self._compare else None

    def text(self, path: str) -> str:
        """Return what a file says; empty for what is not a text or too large."""
        if INSIDE in path:
            return self.library.get(path, "")
        blob = self.blobs.get(path)
        return _texts.get(blob.name, "") if blob else ""

    def size(self, path: str) -> int:
        """Return how many bytes a file has."""
        name = self.blobs[path].name
        return self.large[name] if name in self.large else _sizes[name]

    def fingerprint(self, path: str) -> tuple[str, bool] | None:
        """Return git's digest of a file and whether it can be run; None where there is none."""
        blob = self.blobs.get(path)
        return (blob.name, blob.runs) if blob else None

    def content(self, path: str) -> bytes | None:
        """Return the bytes of a file."""
        blob = self.blobs[path]
        if blob.name not in _contents:
            _contents[blob.name] = _verified(blob.name, read("cat-file", "blob", blob.name, cwd=self.folder))
        return _contents[blob.name]


def head(folder: Path) -> str:
    """Return the commit that a repository is at."""
    with opened(folder) as found:
        return head_of(found)


@contextmanager
def opened(folder: Path) -> Iterator[Objects]:
    """Open a repository, to read its objects."""
    if not folder.is_dir():
        raise UserError("is not there")
    found = None
    try:
        with objects(folder) as found:
            yield found
    except GitError as error:
        what = "cannot be read" if found and found.heard else "is not a git repository with a commit that can be read"
        raise UserError(f"{what} ({error})") from error


def head_of(found: Objects) -> str:
    """Return the commit that an open repository is at."""
    return found.ask("HEAD^{commit}")[0][0]


def committed(folder: Path, commit: str, compare: Compare | None = None) -> Committed:
    """Read a commit; parameters, result and errors are those of `read_commit`."""
    with opened(folder) as found:
        return read_commit(found, folder, commit, compare)


def read_commit(found: Objects, folder: Path, commit: str, compare: Compare | None = None) -> Committed:
    """Read a commit of an open repository.

    Parameters
    ----------
    found : Objects
        The repository's.
    folder : Path
        A folder of the repository; files are seen from there.
    commit : str
        Its name.
    compare : callable, optional
        Compares the files that the template copies.

    Returns
    -------
    Committed
        Its files, of which those are read that no repository had before.

    Raises
    ------
    UserError
        If it has too many files, too much text, or not all of its objects.
    """
    blobs = _files(found, f"{commit}{'^{tree}' if _is_root(folder) else ':./'}")
    return Committed(folder, commit, blobs, _fetch(found, folder, blobs.values()), compare)


def _is_root(folder: Path) -> bool:
    """Whether a repository begins here, with a work tree or without."""
    return os.path.lexists(folder / ".git") or all((folder / each).exists() for each in ("HEAD", "objects", "refs"))


def _files(found: Objects, root: str) -> dict[str, Blob]:
    """Return the regular files of a tree; of the trees inside, those are read that no repository had before."""
    files: dict[str, Blob] = {}
    ((name, kind, content),) = found.ask(root)
    folders, count = [("", _keep_tree(name, kind, content))], 0
    while folders:
        inside = [(f"{above}{each.path}/", each.name) for above, entries in folders for each in entries if each.folder]
        files |= {
            f"{above}{each.path}": each.blob for above, entries in folders for each in entries if each.blob is not None
        }
        count += sum(len(entries) for _, entries in folders)
        if count > MOST or any(len(path) > _LONGEST for path, _ in inside):
            raise UserError(f"has more than {MOST} files and folders, or a path of more than {_LONGEST} letters")
        new = sorted({name for _, name in inside} - _trees.keys())
        for answer in found.ask(*new):
            _keep_tree(*answer)
        folders = [(path, _trees[name]) for path, name in inside]
    return files


def _keep_tree(name: str, kind: str, content: bytes) -> tuple[Entry, ...]:
    if kind != "tree":
        raise UserError(f"holds a {kind} in place of a tree ({name})")
    if name not in _trees:
        try:
            _trees[name] = tuple(_entries(_verified(name, content, b"tree"), len(name) // 2))
        except ValueError as error:
            raise UserError(f"holds a tree that cannot be read ({name})") from error
    return _trees[name]


def _entries(content: bytes, length: int) -> Iterator[Entry]:
    at = 0
    while at < len(content):
        end = content.index(b"\0", at)
        mode, _, path = content[at:end].partition(b" ")
        at = end + 1 + length
        name, plain = content[end + 1 : at].hex(), path.decode(errors="surrogateescape")
        if mode in (b"40000", b"040000"):
            yield Entry(plain, name, folder=True)
        elif mode.startswith(b"100"):
            yield Entry(plain, name, Blob(name, mode == b"100755"))


def _fetch(found: Objects, folder: Path, blobs: Iterable[Blob]) -> dict[str, int]:
    """Read what no repository had before; return the sizes of what is too large to be read, and so to be verified."""
    names = {blob.name for blob in blobs}
    if sum(map(len, _texts.values())) > KEPT and not names <= _sizes.keys():
        _forget()
    new = sorted(names - _sizes.keys())
    if not new:
        return {}
    # A large one is not to be read, so its size is asked for before; by another process, as this one gives contents.
    asking = "\n".join([*new, ""]).encode()
    sizes = _measured(read("cat-file", "--batch-check", cwd=folder, stdin=asking).decode())
    small = [name for name, size in sizes.items() if size <= LARGEST]
    whole = sum(sizes[name] for name in small)
    if whole > READ:
        raise UserError(f"holds {whole // 10**6} MB of text; up to {READ // 10**6} MB are read")
    for name, kind, content in found.ask(*small):
        _verified(name, content, kind.encode())
        _sizes[name] = len(content)
        _texts[name] = "" if b"\0" in content[:8192] else content.decode(errors="replace")
    return {name: size for name, size in sizes.items() if size > LARGEST}


def _measured(output: str) -> dict[str, int]:
    found = {}
    for line in output.splitlines():
        name, kind, *size = line.split()
        if kind != "blob":
            raise UserError(f"lacks the object {name}: it is a partial clone, or broken")
        found[name] = int(size[0])
    return found


def _verified(name: str, content: bytes, kind: bytes = b"blob") -> bytes:
    """Refuse what is not what its name says: it would be taken for another repository's object of that name."""
    algorithm = hashlib.sha1 if len(name) == 40 else hashlib.sha256
    if algorithm(b"%s %d\0" % (kind, len(content)) + content).hexdigest() != name:
        raise UserError(f"holds an object that is not what its name says ({name})")
    return content


def _forget() -> None:
    _sizes.clear()
    _texts.clear()
    _contents.clear()
    _trees.clear()
    forget()
