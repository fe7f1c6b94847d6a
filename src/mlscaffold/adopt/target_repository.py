"""The repository to adopt: in git, with at least one commit, and no uncommitted changes."""

from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..git import PLAIN, asked, git
from ..project import ANSWERS

_SUBMODULE = "160000"


@dataclass(frozen=True)
class TargetRepository:
    """A folder in git.

    Attributes
    ----------
    path : Path
        The folder.
    root : Path
        Root of the git repository: the same folder, or one above.
    git_dir : Path
        git's own folder for this work tree.
    tracked : frozenset of Path
        What git knows, seen from the root.
    submodules : frozenset of Path
        Other repositories inside.
    """

    path: Path
    root: Path
    git_dir: Path
    tracked: frozenset[Path]
    submodules: frozenset[Path]

    @property
    def inside(self) -> Path:
        """The folder, as seen from the root of the git repository."""
        return self.path.relative_to(self.root)

    def ignored_data(self) -> tuple[str, ...]:
        """Return the files in data/ that git ignores, relative to the folder."""
        words = ("ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", "data")
        return tuple(name for name in git(*words, cwd=self.path, config=PLAIN).split("\0") if name)


def load(path: Path) -> TargetRepository:
    """Load a folder for adoption, and check that it can be adopted.

    Parameters
    ----------
    path : Path
        The folder.

    Returns
    -------
    TargetRepository
        Where it is in git.

    Raises
    ------
    UserError
        If it cannot be adopted as it is; the message says what to do first.
    """
    folder = path.expanduser().resolve()
    if not folder.is_dir():
        raise UserError(f"there is no folder {path}; name the root of a repository")
    root, own = _repository(path, folder)
    _settled(path, folder)
    answers = folder / ANSWERS
    if answers.exists():
        raise UserError(
            f"{path} has a {ANSWERS} already: if mlscaffold made it, `mlscaffold update` is what you want; if another "
            f"template did, first: git mv {ANSWERS} .copier-answers-other.yml (and for it, copier update -a that name)"
        )
    listed = git("ls-files", "--stage", "-z", cwd=root, config=PLAIN).split("\0")
    entries = [(line.partition(" ")[0], Path(line.partition("\t")[2])) for line in listed if line]
    links = frozenset(name for mode, name in entries if mode == _SUBMODULE)
    return TargetRepository(folder, root, own, frozenset(name for _, name in entries), links)


def _repository(path: Path, folder: Path) -> tuple[Path, Path]:
    if asked("rev-parse", "--is-bare-repository", cwd=folder) == "true":
        raise UserError(f"{path} is a bare repository, which has no files; clone it, and adopt the clone")
    found = asked("rev-parse", "--show-toplevel", "--absolute-git-dir", cwd=folder)
    if found is None:
        raise UserError(
            f"{path} is not in git, so nothing could be undone; put it under git first: "
            f"git init && git add -A && git commit -m 'as it is'"
        )
    root, own = found.splitlines()
    return Path(root).resolve(), Path(own)


def _settled(path: Path, folder: Path) -> None:
    if asked("rev-parse", "--verify", "--quiet", "HEAD", cwd=folder) is None:
        raise UserError(f"{path} has no commit yet; commit what is there first: git add -A && git commit -m 'as it is'")
    if asked("symbolic-ref", "--quiet", "HEAD", cwd=folder) is None:
        raise UserError(f"{path} is on no branch (detached HEAD), a commit would be lost; first: git switch -c adopt")
