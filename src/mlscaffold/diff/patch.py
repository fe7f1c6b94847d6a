"""Write the differences from the template as a patch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..git import PLAIN, git
from .template_diff import DifferentFile, TemplateDiff

# No program of the user's, no colours: what is printed goes into `git apply -R`.
_PLAIN_DIFF = ("diff-files", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")


def patch(found: TemplateDiff, files: Sequence[DifferentFile]) -> str:
    """Return the differences of some files as a patch; `git apply -R` restores what the template renders.

    Parameters
    ----------
    found : TemplateDiff
        The differences.
    files : sequence of DifferentFile
        Some of its files.

    Returns
    -------
    str
        With paths as seen from the root of the git repository; empty where nothing differs.
    """
    return _diff(found, files, "--patch", "--binary", "--full-index")


def stat(found: TemplateDiff, files: Sequence[DifferentFile]) -> str:
    """Return how many lines of some files were added and removed, as `git diff --stat` does."""
    return _diff(found, files, "--stat")


def _diff(found: TemplateDiff, files: Sequence[DifferentFile], *words: str) -> str:
    if not files:
        return ""
    with _compared(found, files) as scratch:
        return _git(scratch, found.project.root, *_PLAIN_DIFF, *words)


@contextmanager
def _compared(found: TemplateDiff, files: Sequence[DifferentFile]) -> Iterator[Path]:
    """Create a separate git folder whose index holds the rendered files: no setting of the repository applies."""
    with TemporaryDirectory(prefix="mlscaffold-diff-", ignore_cleanup_errors=True) as folder:
        scratch, work_tree = Path(folder) / "git", Path(folder) / "made"
        git("init", "--quiet", "--bare", "--template=", scratch, config=PLAIN)
        for each in files:
            file = work_tree / found.project.inside / each.path
            file.parent.mkdir(parents=True, exist_ok=True)
            if each.wanted is not None:
                file.write_bytes(each.wanted.content)
                file.chmod(0o755 if each.wanted.executable else 0o644)
        _git(scratch, work_tree, "add", "--all", "--force")
        dropped = [str(found.project.inside / each.path) for each in files if each.wanted is None]
        if dropped:
            _git(scratch, found.project.root, "add", "--intent-to-add", "--force", "--", *dropped)
        yield scratch


def _git(scratch: Path, tree: Path, *words: str) -> str:
    return git(f"--git-dir={scratch}", f"--work-tree={tree}", *words, cwd=tree, config=PLAIN)
