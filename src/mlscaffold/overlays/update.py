"""Update overlays to their newest versions, on top of a standard that was just merged."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..git import PLAIN, commit_all, git
from ..project import Project
from ..render import Merged, merge
from ..source import Source, template_source
from .discover import Overlay, find_overlays
from .gates import Values
from .render import PARAMS, apply_gates, describe, gates_of


@dataclass(frozen=True)
class Step:
    """An overlay that goes from one version to another; `was` is empty where it is new."""

    name: str
    was: str
    now: str


@dataclass(frozen=True)
class OutdatedOverlay:
    """An overlay that has a newer version."""

    overlay: Overlay
    source: Source


@dataclass(frozen=True)
class UpdatedOverlay:
    """An overlay that was updated to its newest version.

    Attributes
    ----------
    step : Step
        From which version to which.
    merged : Merged
        The result of the merge.
    stages : str
        Of its conflicts, for git's index.
    notes : tuple of str
        Messages for the user.
    """

    step: Step
    merged: Merged
    stages: str
    notes: tuple[str, ...]


def find_outdated(project: Project) -> tuple[OutdatedOverlay, ...]:
    """Return the overlays of a repository that have a newer version, in the order in which they are updated."""
    found = []
    for overlay in find_overlays(project.path):
        try:
            source = template_source(overlay.url)
        except UserError as error:
            raise UserError(f"overlay {overlay.name} ({overlay.answers}): {error}") from error
        if source.ref != overlay.version:
            found.append(OutdatedOverlay(overlay, source))
    return tuple(found)


def read_unmerged(tree: Path) -> str:
    """Return the conflicts of a work tree, as git's index lists them."""
    return git("ls-files", "--unmerged", "-z", cwd=tree, config=PLAIN)


def update_overlay(
    late: OutdatedOverlay, project: Project, tree: Path, default: Callable[[], Values]
) -> UpdatedOverlay:
    """Update one overlay to its newest version, in a work tree.

    Parameters
    ----------
    late : OutdatedOverlay
        The overlay.
    project : Project
        The repository.
    tree : Path
        Root of the work tree; what was done there before is committed first, which copier wants.
    default : callable
        Returns the standard's values of params.yaml.

    Returns
    -------
    UpdatedOverlay
        What came of it.
    """
    overlay, folder = late.overlay, tree / project.inside
    commit_all(tree, "before an overlay")
    merged = merge(late.source, folder, overlay.answers)
    stages = read_unmerged(tree)
    step = Step(overlay.name, overlay.version, merged.version)
    return UpdatedOverlay(
        step, merged, stages, (*late.source.notes, *_gates(overlay.name, project, folder, stages, default))
    )


def _gates(name: str, project: Project, folder: Path, stages: str, default: Callable[[], Values]) -> tuple[str, ...]:
    before, now = project.path / gates_of(name), (project.inside / gates_of(name)).as_posix()
    if f"\t{now}\0" in stages:
        return (f"overlay {name}: {now} conflicts, so params.yaml is left as it is",)
    text = before.read_text(encoding="utf-8") if before.is_file() else ""
    if _in_conflict(folder / PARAMS):
        return (f"overlay {name}: params.yaml conflicts, so its values are left to you: {gates_of(name).as_posix()}",)
    done = apply_gates(name, folder, folder, text, default)
    if done.changed:
        (folder / PARAMS).write_text(done.text, encoding="utf-8", newline="\n")
    return describe(name, done)


def _in_conflict(file: Path) -> bool:
    return file.is_file() and "\n<<<<<<< " in f"\n{file.read_text(encoding='utf-8', errors='replace')}"
