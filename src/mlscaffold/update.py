"""plan() predicts an update in a work tree of its own; apply() brings it into the real one."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from .errors import UserError
from .git import PLAIN, git
from .project import ANSWERS, Project, answers_of, dirty
from .render import merge, render
from .source import BUNDLE, Source, newest, refreshes, tags, template_source

Kind = Literal["added", "changed", "deleted"]


@dataclass(frozen=True)
class Change:
    """One file that an update touches, seen from the root of the git repository."""

    path: Path
    kind: Kind


@dataclass(frozen=True)
class Dropped:
    """A file with edits of the team's that the template no longer has.

    Attributes
    ----------
    path : Path
        The file; it stays.
    moved_to : Path, optional
        Where the template has it now, as far as can be told.
    """

    path: Path
    moved_to: Path | None


@dataclass(frozen=True)
class Plan:
    """What an update does.

    Attributes
    ----------
    project : Project
        The repository.
    version : str
        The version of the template it goes to.
    changes : tuple of Change
        Files that are written or deleted.
    conflicts : tuple of Path
        Those among them that hold conflict markers.
    kept : tuple of Path
        Local files, ignored by git, at places where the template has a file now: they stay as they are.
    dropped : tuple of Dropped
        Edited files that the template renamed or deleted: they stay too.
    notes : tuple of str
        What to tell the user.
    tree : Path, optional
        The root of the work tree that holds the result, while the plan is open.
    stages : bytes
        Of the conflicts, for git's index.
    """

    project: Project
    version: str
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    tree: Path | None = None
    stages: bytes = b""


@contextmanager
def plan(project: Project, to: str | None = None, bundle: Path = BUNDLE) -> Iterator[Plan]:
    """Predict an update, without touching the repository's files.

    Parameters
    ----------
    project : Project
        The repository.
    to : str, optional
        The version to go to; the newest if None.
    bundle : Path
        The bundle that came with this package.

    Yields
    ------
    Plan
        What will happen; it can be applied as long as the block is open.

    Raises
    ------
    UserError
        If the repository has changes that are not committed, or the template cannot be had.
    """
    changed = dirty(project)
    if changed:
        few = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
        raise UserError(f"there are changes that are not committed ({few}); commit or stash them first")
    source = _source(project, to, bundle)
    if source.ref == project.version:
        yield Plan(project, project.version, notes=source.notes)
        return
    with _worktree(project) as tree:
        yield _planned(project, source, tree)


def _source(project: Project, to: str | None, bundle: Path) -> Source:
    if not project.url.endswith(".bundle") or Path(project.url).is_absolute():
        return template_source(project.url, to, bundle)
    place = project.path / project.url
    if not place.is_file():
        raise UserError(
            f"{project.url} is missing, which holds the template; bring it back: git checkout -- {project.url}"
        )
    chosen, notes = _newer(place, bundle)
    known = tags(chosen)
    version = to or newest(list(known))
    if version is None or version not in known:
        raise UserError(f"there is no version {to or 'at all'} of the template; there are {', '.join(known) or 'none'}")
    return Source(project.url, version, chosen, notes)


def _newer(place: Path, bundle: Path) -> tuple[Path, tuple[str, ...]]:
    if refreshes(bundle, place):
        return bundle, ()
    known = newest(list(tags(bundle)))
    if known and tags(bundle).items() - tags(place).items():
        return place, (
            f"the template of this mlscaffold ({known}) is another one than the repository's own, which was used",
        )
    return place, ()


@contextmanager
def _worktree(project: Project) -> Iterator[Path]:
    with ExitStack() as undo:
        scratch = undo.enter_context(TemporaryDirectory(prefix="mlscaffold-update-", ignore_cleanup_errors=True))
        tree = Path(scratch).resolve() / "tree"
        undo.callback(git, "worktree", "prune", cwd=project.root)
        undo.callback(shutil.rmtree, tree, ignore_errors=True)
        git("worktree", "add", "--quiet", "--detach", tree, "HEAD", cwd=project.root, config=PLAIN)
        yield tree


def _planned(project: Project, source: Source, tree: Path) -> Plan:
    base = git("rev-parse", "HEAD", cwd=tree).strip()
    _refresh(source, tree / project.inside, tree)
    version, skips = merge(source, tree / project.inside)
    changes = _changes(tree, base)
    stages = git("ls-files", "--unmerged", "-z", cwd=tree, config=PLAIN)
    conflicts = sorted({Path(entry.partition("\t")[2]) for entry in stages.split("\0") if entry})
    kept = [each.path for each in changes if each.kind == "added" and _is_local(project.root / each.path)]
    dropped = _dropped(project, tree, base, changes)
    # The team's own, ignored by git, and not on this machine: a clone without its data must not get the example's.
    elsewhere = [path for path in _ignored(tree) if skips(path.relative_to(project.inside))]
    left = {*kept, *elsewhere, *(each.path for each in dropped)}
    said = [
        path
        for path in kept
        if not skips(path.relative_to(project.inside)) and not _same(project.root / path, tree / path)
    ]
    return Plan(
        project,
        version,
        tuple(each for each in changes if each.path not in left),
        tuple(conflicts),
        tuple(said),
        dropped,
        source.notes,
        tree,
        stages.encode(errors="surrogateescape"),
    )


def _refresh(source: Source, folder: Path, tree: Path) -> None:
    """Bring the newest bundle into the project first: the answers keep pointing at it."""
    place = folder / source.url
    if source.bundle is None or Path(source.url).is_absolute() or not place.is_file():
        return
    shutil.copyfile(source.bundle, place)
    who = {"user.name": "mlscaffold", "user.email": "mlscaffold@localhost"}
    words = ("commit", "--quiet", "--allow-empty", "--no-verify", "--no-gpg-sign", "--all", "--message", "template")
    git(*words, cwd=tree, config={**PLAIN, **who})


def _changes(tree: Path, base: str) -> list[Change]:
    fields = git("diff", "--name-status", "--no-renames", "-z", base, cwd=tree, config=PLAIN).split("\0")
    kinds: dict[str, Kind] = {"A": "added", "D": "deleted"}
    found = {
        Path(path): kinds.get(status, "changed")
        for status, path in zip(fields[::2], fields[1::2], strict=False)
        if path
    }
    untracked = git("ls-files", "--others", "-z", cwd=tree, config=PLAIN).split("\0")
    found |= {Path(path): "added" for path in untracked if path}
    return [Change(path, kind) for path, kind in sorted(found.items())]


def _ignored(tree: Path) -> list[Path]:
    words = ("ls-files", "--others", "--ignored", "--exclude-standard", "-z")
    return [Path(path) for path in git(*words, cwd=tree, config=PLAIN).split("\0") if path]


def _is_local(real: Path) -> bool:
    """Whether something that git does not know stands where the template adds a file."""
    if os.path.lexists(real):
        return True
    parent = next(folder for folder in real.parents if os.path.lexists(folder))
    return not parent.is_dir()


def _same(real: Path, new: Path) -> bool:
    return real.is_file() and not real.is_symlink() and real.read_bytes() == new.read_bytes()


def _dropped(project: Project, tree: Path, base: str, changes: list[Change]) -> tuple[Dropped, ...]:
    """Find deleted files whose content is not what the old version of the template rendered."""
    gone = [each.path for each in changes if each.kind == "deleted"]
    if not gone:
        return ()
    with TemporaryDirectory(prefix="mlscaffold-old-") as folder:
        old = Path(folder)
        _render_old(project, tree, old)
        edited = [path for path in gone if not _pristine(path, old / path.relative_to(project.inside), tree, base)]
    if not edited:
        return ()
    moves = _moves(tree, base)
    return tuple(Dropped(path, moves.get(path)) for path in edited)


def _render_old(project: Project, tree: Path, old: Path) -> None:
    place = tree / project.inside / project.url
    url = place.as_posix() if place.is_file() else project.url
    source = template_source(url, project.version)
    answers = answers_of(project.path / ANSWERS)
    render(replace(source, url=url), old, {name: each for name, each in answers.items() if not name.startswith("_")})


def _pristine(path: Path, rendered: Path, tree: Path, base: str) -> bool:
    committed = git("rev-parse", f"{base}:{path.as_posix()}", cwd=tree).strip()
    return rendered.is_file() and git("hash-object", "--no-filters", "--", rendered, cwd=tree).strip() == committed


def _moves(tree: Path, base: str) -> dict[Path, Path]:
    git("add", "--all", cwd=tree, config=PLAIN)
    words = ("diff", "--cached", "--find-renames", "--diff-filter=R", "--name-status", "-z", base)
    fields = git(*words, cwd=tree, config=PLAIN).split("\0")
    return {Path(old): Path(new) for old, new in zip(fields[1::3], fields[2::3], strict=False)}


def apply(planned: Plan) -> None:
    """Bring a planned update into the repository's files, uncommitted, with conflicts marked in git's index.

    Parameters
    ----------
    planned : Plan
        A plan that is still open.
    """
    if planned.tree is None:
        return
    root = planned.project.root
    with _uninterrupted():
        for change in planned.changes:
            if change.kind == "deleted":
                _delete(root / change.path, root)
            else:
                _bring(planned.tree / change.path, root / change.path)
        if planned.stages:
            zero = b"".join(b"0 %s\t%s\0" % (b"0" * 40, os.fsencode(path.as_posix())) for path in planned.conflicts)
            git("update-index", "-z", "--index-info", cwd=root, stdin=zero + planned.stages)


def _bring(new: Path, real: Path) -> None:
    real.parent.mkdir(parents=True, exist_ok=True)
    partial = real.with_name(f".{real.name}.mlscaffold")
    partial.unlink(missing_ok=True)
    shutil.copy(new, partial, follow_symlinks=False)
    partial.replace(real)


def _delete(path: Path, root: Path) -> None:
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == root or any(folder.iterdir()):
            return
        folder.rmdir()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait: half an update is worse than a whole one."""
    signals = (signal.SIGINT, signal.SIGTERM)
    mask: Callable[..., object] | None = getattr(signal, "pthread_sigmask", None)
    if mask is None:  # pragma: no cover - Windows
        yield
        return
    mask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        mask(signal.SIG_UNBLOCK, signals)
