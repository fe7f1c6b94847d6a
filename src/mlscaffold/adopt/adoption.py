"""What an adoption does to a repository, as values; document() returns them for --json."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .compare import File, State
from .detect import Found
from .target_repository import TargetRepository

if TYPE_CHECKING:
    from ..check.run import Report

BRANCH = "mlscaffold/adopt"
# Without the standard's version of these, the verbs of the Makefile do not work.
_NEEDED = ("Makefile", "pyproject.toml", "requirements.lock", "dvc.yaml", "params.yaml", "contract.yaml", ".dvc/config")


@dataclass(frozen=True)
class Adoption:
    """What an adoption does.

    Attributes
    ----------
    target : TargetRepository
        The repository.
    url : str
        Where updates will come from.
    version : str
        Of the template.
    found : Found
        What the repository is made of.
    files : tuple of File
        Each file of the standard.
    hidden : tuple of Path
        Files that are written and that git is not to take (the data).
    masked : mapping of Path to Path
        Files that git is to take and that a .gitignore of the team's hides: that .gitignore, of each.
    before, after : Report
        What `check` says of the repository as it is, and with what is added.
    notes : tuple of str
        Messages for the user.
    tree : Path
        Mirrors the root of the git repository and holds the rendered files, while the plan is open.
    """

    target: TargetRepository
    url: str
    version: str
    found: Found
    files: tuple[File, ...]
    hidden: tuple[Path, ...]
    masked: Mapping[Path, Path]
    before: "Report"
    after: "Report"
    notes: tuple[str, ...]
    tree: Path

    def having(self, state: State) -> tuple[Path, ...]:
        """Return the files of one state."""
        return tuple(file.path for file in self.files if file.state == state)

    @property
    def in_the_way(self) -> tuple[Path, ...]:
        """Return the colliding files that must be merged before the verbs of the Makefile work."""
        needed = {self.target.inside / name for name in _NEEDED} | set(self.masked.values())
        return tuple(path for path in self.having("collides") if path in needed)


def document(adoption: Adoption) -> dict[str, Any]:
    """Return an adoption as what `--json` prints."""
    found, after = adoption.found, adoption.after
    return {
        "to": adoption.version,
        "found": {
            "layout": found.layout,
            "packages": list(found.packages),
            "tables": list(found.tables),
            "notebooks": found.notebooks,
            "frameworks": list(found.frameworks),
            "ci": [*found.forges, *found.other_ci],
            "environment": list(found.environment),
        },
        "files": [{"path": file.path.as_posix(), "state": file.state} for file in adoption.files],
        "masked": {path.as_posix(): source.as_posix() for path, source in adoption.masked.items()},
        "collisions": len(adoption.having("collides")),
        "branch": BRANCH if adoption.having("collides") else None,
        "score": {"before": adoption.before.score, "after": after.score},
        "asked": [
            {"id": each.check.id, "severity": each.check.severity, "title": each.check.title, "fix": each.check.fix}
            for each in after.failing
        ],
        "notes": list(adoption.notes),
    }
