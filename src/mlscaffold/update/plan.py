"""Plan an update in a separate work tree, without touching the real one."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..baseline import recorded_answers
from ..bundle import BUNDLE, carried
from ..git import PLAIN, commit_all, git
from ..overlays.baseline import load_standard_params
from ..overlays.discover import Overlay
from ..overlays.update import OutdatedOverlay, UpdatedOverlay, find_outdated, read_unmerged, update_overlay
from ..platform_edits.imports import StaleImport
from ..platform_edits.patches import find_open
from ..project import ANSWERS, Project, answers_of, refuse_dirty
from ..render import Merged, merge
from ..source import Source, update_source
from ..team_package import find_package
from .local_changes import find_dropped, find_removed
from .preview import Change, Kind, Plan
from .renderings import Versions, kept_answers
from .resolve import Before, Resolved, find_stale_imports, resolve
from .worktree import worktree


@contextmanager
def plan(
    project: Project, to: str | None = None, bundle: Path = BUNDLE, *, accept_edits: bool = False
) -> Iterator[Plan]:
    """Plan an update, without touching the repository's files.

    Parameters
    ----------
    project : Project
        The repository.
    to : str, optional
        The version to go to; the newest if None.
    bundle : Path
        The bundle that came with this package.
    accept_edits : bool
        Whether edits of modules that the template no longer has are kept as patches without a further decision.

    Yields
    ------
    Plan
        The plan; it can be applied while the block is open. Where an earlier update left edits to decide on, nothing
        else is planned.

    Raises
    ------
    UserError
        If the repository has uncommitted changes, or the template is not available.
    """
    if undecided := find_open(project.path):
        yield Plan(project, project.version, edits=undecided)
        return
    refuse_dirty(project.root)
    source = update_source(project.url, project.path, to, bundle)
    late = find_outdated(project)
    if source.ref == project.version and not late:
        yield Plan(project, project.version, notes=source.notes)
        return
    with worktree(project) as tree:
        notes = _follow_package(project, tree)
        with kept_answers(project, tree / project.inside) as before:
            planned = _planned(project, source, late, (tree, before), accept_edits=accept_edits)
            yield replace(planned, notes=(*notes, *planned.notes))


def _follow_package(project: Project, tree: Path) -> tuple[str, ...]:
    """Write the name of a package that the team has moved into the answers, and commit them in the work tree."""
    folder = tree / project.inside
    named = str(recorded_answers(folder / ANSWERS).get("package") or "")
    package = find_package(folder, {"package": named})
    if package == named:
        return ()
    file = folder / ANSWERS
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text(
        "".join(f"package: {package}\n" if line.startswith("package:") else line for line in lines), encoding="utf-8"
    )
    commit_all(tree, "package")
    return (f"src/{named} is src/{package} in this repository: the update goes there",)


def _planned(
    project: Project,
    source: Source,
    late: tuple[OutdatedOverlay, ...],
    places: tuple[Path, Project],
    *,
    accept_edits: bool,
) -> Plan:
    tree, aside = places
    base = git("rev-parse", "HEAD", cwd=project.root).strip()
    team = git("rev-parse", "HEAD", cwd=tree).strip()
    _refresh(source, tree / project.inside, tree)
    merged = merge(source, tree / project.inside)
    stages = read_unmerged(tree)
    old = Versions(
        aside, source.at(project.version, tree / project.inside), _overlays_before(late, tree, project), project.inside
    )
    updated = [update_overlay(each, project, tree, lambda: load_standard_params(aside, old.source)) for each in late]
    stages += "".join(each.stages for each in updated)
    resolved, imports = _resolved(tree, team, old, _after(source, merged.version, late, tree, project), accept_edits)
    stages += resolved.stages
    changes = _changes(tree, base)
    conflicts = sorted({Path(entry.partition("\t")[2]) for entry in stages.split("\0") if entry})
    kept = [each.path for each in changes if each.kind == "added" and _is_local(project.root / each.path, project.root)]
    skips = _any_skips(merged, updated)
    deleted = find_removed(tree, base, changes, old.get)
    # The team's own, ignored by git, and not on this machine: a clone without its data must not get the example's.
    elsewhere = [path for path in _ignored(tree) if skips(path.relative_to(project.inside))]
    left = {*kept, *elsewhere, *deleted, *(each.path for each in resolved.dropped)}
    added = [
        path
        for path in kept
        if not skips(path.relative_to(project.inside)) and not _same(project.root / path, tree / path)
    ]
    return Plan(
        project,
        merged.version,
        tuple(each for each in changes if each.path not in left),
        tuple(conflicts),
        tuple(added),
        resolved.dropped,
        resolved.carried,
        resolved.edits,
        imports,
        tuple(path for path in deleted if path not in {*kept, *elsewhere}),
        (
            *source.notes,
            *(note for each in updated for note in each.notes),
            *_ejected(project),
            *_hidden(tree, project),
        ),
        tree,
        stages.encode(errors="surrogateescape"),
        merged.changelog,
        overlays=tuple(each.step for each in updated),
    )


def _overlays_before(
    late: tuple[OutdatedOverlay, ...], tree: Path, project: Project
) -> tuple[tuple[Overlay, Source], ...]:
    near = tree / project.inside
    return tuple((each.overlay, each.source.at(each.overlay.version, near)) for each in late)


def _after(source: Source, version: str, late: tuple[OutdatedOverlay, ...], tree: Path, project: Project) -> Versions:
    near = tree / project.inside
    overlays = tuple((each.overlay, each.source) for each in late)
    return Versions(replace(project, path=near, root=tree), source.at(version, near), overlays, project.inside)


def _resolved(
    tree: Path, commit: str, old: Versions, new: Versions, accepted: bool
) -> tuple[Resolved, tuple[StaleImport, ...]]:
    """Find what the update has deleted, and decide what becomes of the edits in it."""
    changes = _changes(tree, commit)
    edited = find_dropped(tree, commit, changes, old.get)
    if not any(each.kind == "deleted" for each in changes):
        return Resolved(), ()
    before = Before(commit, old.project.version, _package(old.project), old.files, old.inside)
    resolved = resolve(tree, edited, before, new.files, accepted=accepted)
    return resolved, find_stale_imports(tree, before, new.files)


def _package(project: Project) -> str:
    return str(recorded_answers(project.path / ANSWERS).get("package") or "")


def _ejected(project: Project) -> list[str]:
    """Say that an update leaves a library alone that was ejected into the repository."""
    if answers_of(project.path / ANSWERS).get("runtime") != "ejected":
        return []
    note = "The library is ejected: this update leaves runtime/ as it is. Its fixes do not reach it: see the CHANGELOG"
    return [note]


def _any_skips(merged: Merged, updated: list[UpdatedOverlay]) -> Callable[[Path], bool]:
    return lambda path: any(each.skips(path) for each in (merged, *(one.merged for one in updated)))


def _refresh(source: Source, folder: Path, tree: Path) -> None:
    """Copy the newest bundle into the project first: the answers keep pointing at it."""
    place = carried(source.url, folder)
    if source.bundle is None or place is None:
        return
    shutil.copyfile(source.bundle, place)
    commit_all(tree, "template")


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


def _hidden(tree: Path, project: Project) -> tuple[str, ...]:
    """Say which files of vendor/ git ignores: `git add --all` leaves them out, and a clone would lack them."""
    vendor = project.inside / "vendor"
    names = [path.as_posix() for path in _ignored(tree) if path.is_relative_to(vendor)]
    return (f"git ignores {', '.join(names)}; commit them: git add --force {vendor.as_posix()}",) if names else ()


def _is_local(real: Path, root: Path) -> bool:
    """Whether something unknown to git exists where the template adds a file."""
    if os.path.lexists(real):
        return True
    parent = next(folder for folder in real.parents if os.path.lexists(folder))
    # A link may lead to a folder outside of the repository.
    return not parent.is_dir() or any((root / above).is_symlink() for above in real.relative_to(root).parents)


def _same(real: Path, new: Path) -> bool:
    return real.is_file() and not real.is_symlink() and real.read_bytes() == new.read_bytes()
