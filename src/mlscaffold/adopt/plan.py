"""Plan an adoption: render the standard next to a repository and compare; the repository is not touched."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..answers import Answers
from ..check.run import judge
from ..checks.repository import Repository, ml_repository
from ..git import PLAIN, git
from ..new import answered, fill
from ..project import refuse_dirty
from ..source import Source
from .adoption import Adoption
from .compare import compare
from .detect import Found, detect
from .ignored import masked
from .target_repository import TargetRepository

if TYPE_CHECKING:
    from ..dataset import Dataset

_RAW = ("raw.csv", "raw.csv.gz", "raw.tsv", "raw.parquet")  # where the standard keeps the table, under DVC


def look(target: TargetRepository) -> Found:
    """Tell what a repository is made of."""
    return detect(ml_repository(target.path), target.ignored_data())


@contextmanager
def plan(
    target: TargetRepository, answers: Answers, source: Source, found: Found, dataset: "Dataset | None"
) -> Iterator[Adoption]:
    """Render the standard next to a repository, and plan its adoption.

    Parameters
    ----------
    target : TargetRepository
        The repository.
    answers : Answers
        To the template's questions.
    source : Source
        The template.
    found : Found
        What the repository is made of.
    dataset : Dataset, optional
        The table to learn from; the template's example if None.

    Yields
    ------
    Adoption
        The plan; it can be applied while the block is open.

    Raises
    ------
    UserError
        If the repository has uncommitted changes, an answer is wrong, or the path of a file is blocked.
    """
    refuse_dirty(target.root)
    data, notes = answered(target.path, answers, dataset)
    with TemporaryDirectory(prefix="mlscaffold-adopt-", ignore_cleanup_errors=True) as scratch:
        tree = Path(scratch).resolve() / "tree"
        folder = tree / target.inside
        folder.mkdir(parents=True)
        version = fill(folder, data, source, dataset, named=answers.named)
        yield _adoption(target, source, found, tree, version, (*source.notes, *notes, *_remarks(target, found, data)))


def _adoption(
    target: TargetRepository, source: Source, found: Found, tree: Path, version: str, notes: tuple[str, ...]
) -> Adoption:
    files = compare(tree, target)
    hidden = tuple(file.path for file in files if file.state == "added" and file.path not in _to_track(tree, target))
    staged = [file.path for file in files if file.state == "added" and file.path not in hidden]
    repository = ml_repository(target.path)
    before = judge(repository, target.path.name)
    after = judge(_with_additions(repository, staged, target, tree), target.path.name)
    return Adoption(
        target, source.url, version, found, files, hidden, masked(staged, target.root), before, after, notes, tree
    )


def _to_track(tree: Path, target: TargetRepository) -> frozenset[Path]:
    """Return what git is to take: all that the standard's own .gitignore files leave, whatever the team's say."""
    words = (f"--git-dir={target.git_dir}", f"--work-tree={tree}", "ls-files", "--others", "-z")
    listed = git(*words, "--exclude-per-directory=.gitignore", cwd=tree, config=PLAIN)
    return frozenset(Path(name) for name in listed.split("\0") if name)


class _WithAdditions(Repository):
    """A repository to which files of another folder are added."""

    def __init__(self, repository: Repository, root: Path, added: Path, names: frozenset[str]) -> None:
        super().__init__(root, tuple(sorted({*repository.files, *names})), in_git=True)
        self._places, self._names = (root, added), names

    def where(self, path: str) -> Path:
        """Return the folder in which a file stands."""
        return self._places[path in self._names]


def _with_additions(repository: Repository, paths: list[Path], target: TargetRepository, tree: Path) -> Repository:
    names = frozenset(path.relative_to(target.inside).as_posix() for path in paths)
    return _WithAdditions(repository, target.path, tree / target.inside, names)


def _remarks(target: TargetRepository, found: Found, data: Mapping[str, Any]) -> Iterator[str]:
    if data["table"] == "example" and not found.tables:
        yield "no table was found or given: it starts with the example; replace contract.yaml and data/"
    if {"setup.py", "setup.cfg"} & set(found.environment) and "pyproject.toml" not in found.environment:
        yield "pip reads pyproject.toml before setup.py: `pip install -e .` installs the standard's package from now on"
    raw = [path for path in target.tracked if path.parent == target.inside / "data" and path.name in _RAW]
    for path in sorted(raw):
        yield f"git tracks {path.as_posix()}, and DVC is to: git rm --cached {path.as_posix()}, then commit"
