"""What an update does to a repository, as values; document() returns them for --json."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ..overlays.update import Step
from ..platform_edits.imports import StaleImport
from ..platform_edits.patches import Edit
from ..project import Project

Kind = Literal["added", "changed", "deleted"]
_BEGIN, _END = "<<<<<<< ", ">>>>>>> "


@dataclass(frozen=True)
class Change:
    """One file that an update touches, seen from the root of the git repository."""

    path: Path
    kind: Kind


@dataclass(frozen=True)
class Dropped:
    """A file that the team has edited and the template no longer has.

    Attributes
    ----------
    path : Path
        The file; it stays.
    moved_to : Path, optional
        Where the template has it now, as far as is known.
    """

    path: Path
    moved_to: Path | None


@dataclass(frozen=True)
class Carried:
    """A file that the team has edited and the template has renamed: the edit was merged at its new place."""

    path: Path
    moved_to: Path


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
        Edited files that the template deleted, or that could not be merged at their new places: they stay too.
    carried : tuple of Carried
        Edited files that the template renamed.
    edits : tuple of Edit
        Edited modules that the template no longer has: each is kept as a patch.
    imports : tuple of StaleImport
        Lines of the team's code that import modules which are gone.
    removed : tuple of Path
        Files that the team deleted and the template would add again: they stay deleted.
    notes : tuple of str
        Messages for the user.
    tree : Path, optional
        The root of the work tree that holds the result, while the plan is open.
    stages : bytes
        Of the conflicts, for git's index.
    changelog : str
        What the template says of its versions; empty where it says nothing.
    branch : tuple of str, optional
        Name and commit of a branch that is made along with it.
    overlays : tuple of Step
        Overlays that come along.
    """

    project: Project
    version: str
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    carried: tuple[Carried, ...] = ()
    edits: tuple[Edit, ...] = ()
    imports: tuple[StaleImport, ...] = ()
    removed: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    tree: Path | None = None
    stages: bytes = b""
    changelog: str = ""
    branch: tuple[str, str] | None = None
    overlays: tuple[Step, ...] = ()

    @property
    def undecided(self) -> tuple[Edit, ...]:
        """Edits that a person has to decide on."""
        return tuple(each for each in self.edits if not each.accepted)

    @property
    def complete(self) -> bool:
        """Whether nothing is left for a person to resolve, decide or rewrite."""
        return not (self.conflicts or self.undecided or self.imports)

    @property
    def steps(self) -> str:
        """What goes from which version to which, in words."""
        was, now = self.project.version, self.version
        parts = [f"from {was} to {now}"] if now != was or not self.overlays else []
        parts += [
            f"overlay {each.name} from {each.was} to {each.now}" if each.was else f"overlay {each.name} at {each.now}"
            for each in self.overlays
        ]
        return ", ".join(parts)


def hunks(text: str) -> tuple[str, ...]:
    """Return the conflicts of a file, each from its first marker to its last.

    Parameters
    ----------
    text : str
        The file, as git's merge left it.

    Returns
    -------
    tuple of str
        In the order of the file.
    """
    found: list[str] = []
    inside: list[str] | None = None
    for line in text.splitlines():
        if line.startswith(_BEGIN):
            inside = []
        if inside is not None:
            inside.append(line)
            if line.startswith(_END):
                found.append("\n".join(inside))
                inside = None
    return tuple(found)


def conflict(planned: Plan, path: Path) -> tuple[str, ...]:
    """Return the hunks of one conflicting file, while the plan is open; none where it is not text."""
    if planned.tree is None:
        return ()
    file = planned.tree / path
    return hunks(file.read_text(encoding="utf-8", errors="replace")) if file.is_file() else ()


def document(planned: Plan) -> dict[str, Any]:
    """Return a plan as what `--json` prints.

    Parameters
    ----------
    planned : Plan
        A plan that is still open: the hunks are read from its work tree.

    Returns
    -------
    dict
        `from` and `to` are versions; `files` has one entry a file, whose `state` is clean, conflict, edited (dropped by
        the template, kept), local (ignored by git, kept) or removed (by the team, and not added again); `edits` are
        the patches, `carried` the renamed files, `imports` the lines to rewrite.
    """
    files: list[dict[str, Any]] = [
        {
            "path": each.path.as_posix(),
            "change": each.kind,
            "state": "conflict" if each.path in planned.conflicts else "clean",
            **({"hunks": list(conflict(planned, each.path))} if each.path in planned.conflicts else {}),
        }
        for each in planned.changes
    ]
    files += [{"path": path.as_posix(), "change": "none", "state": "local"} for path in planned.kept]
    files += [{"path": path.as_posix(), "change": "none", "state": "removed"} for path in planned.removed]
    files += [
        {
            "path": each.path.as_posix(),
            "change": "none",
            "state": "edited",
            "moved_to": each.moved_to.as_posix() if each.moved_to else None,
        }
        for each in planned.dropped
    ]
    return {
        "from": planned.project.version,
        "to": planned.version,
        "overlays": [{"name": each.name, "from": each.was or None, "to": each.now} for each in planned.overlays],
        "conflicts": len(planned.conflicts),
        "files": files,
        "carried": [{"path": each.path.as_posix(), "moved_to": each.moved_to.as_posix()} for each in planned.carried],
        "edits": [document_edit(each) for each in planned.edits],
        "imports": [asdict(each) for each in planned.imports],
        "notes": list(planned.notes),
    }


def document_edit(edit: Edit) -> dict[str, Any]:
    """Return an edit of a module as what `--json` prints."""
    return {
        "path": edit.path,
        "patch": edit.patch,
        "module": edit.place.module or None,
        "extension_point": edit.place.point or None,
        "accepted": edit.accepted,
        "diff": edit.diff,
    }
