"""A generated repository as a value."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UserError
from .git import GitError, git

ANSWERS = ".copier-answers.yml"


@dataclass(frozen=True)
class Project:
    """A repository that was made from a template.

    Attributes
    ----------
    path : Path
        Its folder.
    root : Path
        Root of the git repository: the same folder, or one above.
    url : str
        Where its template comes from.
    version : str
        Which version of it.
    git_dir : Path
        git's own folder for this work tree.
    """

    path: Path
    root: Path
    url: str
    version: str
    git_dir: Path

    @property
    def inside(self) -> Path:
        """The folder, as seen from the root of the git repository."""
        return self.path.relative_to(self.root)

    @property
    def common_dir(self) -> Path:
        """Git's own folder for all work trees of the repository."""
        pointer = self.git_dir / "commondir"
        return (self.git_dir / pointer.read_text(encoding="utf-8").strip()) if pointer.is_file() else self.git_dir


def load(path: Path) -> Project:
    """Read what a repository was made from.

    Parameters
    ----------
    path : Path
        Its folder.

    Returns
    -------
    Project
        The repository.

    Raises
    ------
    UserError
        If it is not a repository, or was not made from a template in git.
    """
    folder = path.expanduser().resolve()
    file = folder / ANSWERS
    if not file.is_file():
        raise UserError(f"{path} was not made by mlscaffold: there is no {ANSWERS}; name the root of such a repository")
    url, version = made_from(file)
    try:
        root, own = git("rev-parse", "--show-toplevel", "--absolute-git-dir", cwd=folder).splitlines()
        git("rev-parse", "--verify", "HEAD", cwd=folder)
    except GitError as error:
        raise UserError(
            f"{path} is not a git repository with a commit ({error}); `git init` and commit it first"
        ) from error
    return Project(folder, Path(root).resolve(), url, version, Path(own))


def answers_of(file: Path) -> dict[str, Any]:
    """Read a file of answers as copier wrote it."""
    import yaml

    try:
        answers = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{file.name} cannot be read ({' '.join(str(error).split())}); restore it from git") from error
    return answers if isinstance(answers, dict) else {}


def made_from(file: Path) -> tuple[str, str]:
    """Return the address of a template, and its version, as an answers file has them."""
    found = answers_of(file)
    url, version = found.get("_src_path"), found.get("_commit")
    if not url or not version:
        raise UserError(
            f"{file.name} does not say which version of which template (_src_path, _commit); restore it from git"
        )
    return str(url), str(version)


def refuse_dirty(root: Path) -> None:
    """Refuse a repository with changes that are not committed: an update could not be distinguished from them."""
    changed = _changed(root)
    if changed:
        few = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
        raise UserError(f"there are uncommitted changes ({few}); commit or stash them first")


def dirty(project: Project) -> tuple[str, ...]:
    """Return the files with changes that are not committed, untracked ones too."""
    return _changed(project.root)


def _changed(root: Path) -> tuple[str, ...]:
    listed = git("status", "--porcelain=v1", "-z", "--untracked-files=all", cwd=root)
    return tuple(entry[3:] for entry in listed.split("\0") if len(entry) > 3 and entry[2] == " ")
