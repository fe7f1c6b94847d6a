"""Find edits that plain `copier update` has deleted: the commit before it still has them."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..baseline import recorded_answers, render_old_standard
from ..errors import UserError
from ..git import PLAIN, asked, git
from ..platform_edits.patches import PIN, Edit, find_listed, is_module, make_edit, write
from ..platform_edits.renames import find_renames
from ..project import ANSWERS, Project, made_from
from ..source import recorded_source


@dataclass(frozen=True)
class LostEdit:
    """An edit of a module that an update has deleted.

    Attributes
    ----------
    edit : Edit
        The edit.
    commit : str
        The last commit that has it.
    """

    edit: Edit
    commit: str


@dataclass(frozen=True)
class _Before:
    """A commit after which the version of the template changed."""

    commit: str
    project: Project
    package: str


def find_lost(project: Project, current: Mapping[str, bytes]) -> tuple[LostEdit, ...]:
    """Find the edits of modules that are neither in the repository nor kept as patches, but in its history.

    Parameters
    ----------
    project : Project
        The repository.
    current : mapping
        What its version of the template renders.

    Returns
    -------
    tuple of LostEdit
        By path; of several updates the newest one counts.
    """
    decided = find_listed(project.path)
    found: dict[str, LostEdit] = {}
    with TemporaryDirectory(prefix="mlscaffold-history-", ignore_cleanup_errors=True) as scratch:
        for before in _updates(project, Path(scratch).resolve()):
            # A version that can no longer be had (another address, a tag that is gone) must not stop a comparison.
            with suppress(UserError):
                for edit in _edits(project, before, current):
                    if edit.path not in decided:
                        found.setdefault(edit.path, LostEdit(edit, before.commit))
    return tuple(each for _, each in sorted(found.items()))


def recover(project: Project, lost: tuple[LostEdit, ...]) -> None:
    """Write lost edits as patches, to be decided on."""
    for each in lost:
        write(project.path, each.edit)


def _updates(project: Project, scratch: Path) -> Iterator[_Before]:
    """Yield the state before each update, newest first; one that is not committed yet counts."""
    answers = (project.inside / ANSWERS).as_posix()
    commits = git("rev-list", "--first-parent", "HEAD", "--", answers, cwd=project.root, config=PLAIN).split()
    version = project.version
    for number, commit in enumerate(commits):
        # The answers that this commit wrote held until the next one; HEAD's until an update that is not committed.
        last = f"{commits[number - 1]}^1" if number else "HEAD"
        before = _state(project, f"{commit}:{answers}", last, scratch / str(number))
        if before is not None and before.project.version != version:
            version = before.project.version
            yield before


def _state(project: Project, answers: str, commit: str, folder: Path) -> _Before | None:
    text = asked("cat-file", "blob", answers, cwd=project.root)
    if text is None:  # the commit deleted it
        return None
    place = folder / (project.path.name or "project")
    place.mkdir(parents=True)
    (place / ANSWERS).write_text(f"{text}\n", encoding="utf-8", errors="surrogateescape")
    try:
        url, version = made_from(place / ANSWERS)
    except UserError:  # committed when it was broken
        return None
    state = replace(project, path=place, root=place, url=url, version=version)
    package = str(recorded_answers(place / ANSWERS).get("package") or "")
    return _Before(git("rev-parse", "--short", commit, cwd=project.root).strip(), state, package)


def _edits(project: Project, before: _Before, current: Mapping[str, bytes]) -> Iterator[Edit]:
    modules = _modules(project, before)
    removed = {
        path: blob for path, blob in modules.items() if path not in current and not (project.path / path).exists()
    }
    if not removed:
        return
    source = recorded_source(before.project.url, before.project.version, project.path)
    rendered = render_old_standard(before.project, source)
    moves = find_renames(_paths(rendered), _paths(current))
    for path in sorted(removed.keys() & rendered.keys()):
        if _digest(project, rendered[path]) == removed[path] or _carried(project, moves.get(Path(path)), current):
            continue
        ours = git("cat-file", "blob", removed[path], cwd=project.root, config=PLAIN)
        contents = rendered[path], ours.encode(errors="surrogateescape")
        yield make_edit(path, before.project.version, before.package, contents, library=PIN in current)


def _paths(files: Mapping[str, bytes]) -> dict[Path, bytes]:
    return {Path(path): content for path, content in files.items()}


def _carried(project: Project, new: Path | None, current: Mapping[str, bytes]) -> bool:
    """Whether a renamed file has edits at its new place: an update with mlscaffold carried them there."""
    file = project.path / new if new else None
    return (
        file is not None and file.is_file() and file.read_bytes() != current[file.relative_to(project.path).as_posix()]
    )


def _modules(project: Project, before: _Before) -> dict[str, str]:
    """Return the modules of the commit before an update, with git's digest of each."""
    words = ("ls-tree", "-r", "-z", "--full-tree", before.commit)
    listed = git(*words, cwd=project.root, config=PLAIN).split("\0")
    entries = (entry.split("\t", 1) for entry in listed if entry.startswith("100"))
    inside = f"{project.inside.as_posix()}/" if project.inside.parts else ""
    found = {path.removeprefix(inside): about.split()[2] for about, path in entries if path.startswith(inside)}
    return {path: blob for path, blob in found.items() if is_module(path, before.package)}


def _digest(project: Project, content: bytes) -> str:
    return git("hash-object", "--no-filters", "--stdin", cwd=project.root, stdin=content).strip()


def document(lost: tuple[LostEdit, ...]) -> list[dict[str, Any]]:
    """Return lost edits as what `--json` prints."""
    return [{"path": each.edit.path, "commit": each.commit, "patch": each.edit.patch} for each in lost]
