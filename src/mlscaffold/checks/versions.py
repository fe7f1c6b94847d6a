"""The template: which version a repository was made from, and how far behind it is."""

from io import BytesIO
from pathlib import Path
from typing import Any

from .. import bundle as bundles
from ..address import is_carried
from ..errors import UserError
from ..project import ANSWERS
from .library import is_old
from .repository import Repository
from .sources import COPIER_UPDATE
from .standard import Finding, Findings, family

THIN = "v0.6.0"  # the first version whose repositories hold no copy of the platform
FAMILY = family("TM", "Template", "Do shared conventions still arrive?")


def _answers(repository: Repository) -> dict[str, Any] | None:
    if ANSWERS not in repository.known:
        return None
    found = repository.yaml(ANSWERS)
    return found if isinstance(found, dict) else {}


@FAMILY.rule(
    1, "medium",
    why="A repository that does not know its template can never be updated.",
    source=COPIER_UPDATE,
    fix="Restore .copier-answers.yml from git; it is not edited by hand.",
    needs=".copier-answers.yml",
)  # fmt: skip
def recorded(repository: Repository) -> Findings:
    """The answers say which version of which template."""
    answers = _answers(repository)
    if answers is None:
        return None
    return [Finding(f"has no {key}", ANSWERS) for key in ("_src_path", "_commit") if not answers.get(key)]


@FAMILY.rule(
    2, "medium",
    why="Every version that is left out makes the next update larger.",
    source=COPIER_UPDATE,
    fix="mlscaffold update",
    needs="a repository made by mlscaffold",
)  # fmt: skip
def newest(repository: Repository) -> Findings:
    """The repository is at the newest version of its template."""
    version = str((_answers(repository) or {}).get("_commit") or "")
    released = list(bundles.tags(bundles.BUNDLE))
    last = bundles.newest(released)
    if not version or last is None or bundles.newest([version]) is None:
        return None
    if bundles.newest([version, last]) == version:
        return []
    behind = len(released) - released.index(version) - 1 if version in released else 0
    by = f"{behind} version{'s' if behind > 1 else ''} behind {last}" if behind else f"older than {last}"
    return [Finding(f"{version} is {by}{_thin(repository, last)}", ANSWERS, repository.line(ANSWERS, "_commit"))]


def _thin(repository: Repository, last: str) -> str:
    """Say what an update does to a repository that holds a copy of the platform."""
    if not is_old(repository) or bundles.newest([THIN, last]) != last:
        return ""
    return (
        f"; since {THIN} the platform is a library: `mlscaffold update` takes its copy out of src/ and keeps your edits"
    )


@FAMILY.rule(
    3, "high",
    why="Without the bundle that it was made from, the repository is cut off from updates.",
    source=COPIER_UPDATE,
    fix="Restore the bundle: git checkout -- .mlscaffold/template.bundle, then mlscaffold update.",
    needs="a repository that carries its template",
)  # fmt: skip
def bundle(repository: Repository) -> Findings:
    """The template that the repository carries holds its version."""
    answers = _answers(repository) or {}
    place, version = str(answers.get("_src_path") or ""), str(answers.get("_commit") or "")
    if not is_carried(place) or ".." in Path(place).parts:
        return None
    if place not in repository.known:
        return [Finding(f"{place} is missing", ANSWERS)]
    content = repository.content(place)
    if content is None:
        return None
    return [] if version in bundles.tags_in(BytesIO(content)) else [Finding(f"lacks version {version}", place)]


@FAMILY.rule(
    4, "medium",
    why="What an update could not merge lies beside the file, and the standard is not in it.",
    source=COPIER_UPDATE,
    fix="Merge each FILE.rej into FILE by hand, and delete it.",
    needs="a repository made by mlscaffold",
)  # fmt: skip
def rejected(repository: Repository) -> Findings:
    """No update has left rejected parts."""
    if _answers(repository) is None:
        return None
    return [Finding("was not merged", path) for path in repository.matching("*.rej", "*.orig")]


@FAMILY.rule(
    5, "low",
    why="Where files of the standard were changed, its next version conflicts, and its fixes do not arrive.",
    source=COPIER_UPDATE,
    fix="`mlscaffold diff --patch` shows it, `git apply -R` takes it back; what is meant to differ gets a reason in "
    "[tool.mlscaffold.diff] yours.",
    needs="a repository whose template travels with it, or with this mlscaffold",
)  # fmt: skip
def drift(repository: Repository) -> Findings:
    """Files of the standard are as the template has them."""
    try:
        # Files that are copied as they are, nine in ten: to render the others takes longer than all checks together.
        found = repository.comparison
    except UserError as error:
        return [Finding(str(error), "pyproject.toml")]
    if found is None:
        return None
    changed = [Finding("was changed", path) for path in found.changed]
    return changed + [Finding(f"{path} was deleted") for path in found.deleted]
