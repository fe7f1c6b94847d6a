"""What a repository was when it was rendered: the old version of its template, with its answers, once more."""

from pathlib import Path
from typing import Any

from .project import ANSWERS, Project, answers_of
from .render import opened
from .source import recorded


def render_old_standard(project: Project, near: Path) -> dict[str, bytes]:
    """Render the standard as a repository has it.

    Parameters
    ----------
    project : Project
        The repository.
    near : Path
        The folder from which a relative address is seen.

    Returns
    -------
    dict
        The content of each file, by path.
    """
    source = recorded(project.url, project.version, near)
    with opened(source, project.path, recorded_answers(project.path / ANSWERS)) as standard:
        return {path: file.content for path, file in standard.files.items()}


def recorded_answers(answers: Path) -> dict[str, Any]:
    """Return what an answers file says to the questions of its template."""
    return {name: each for name, each in answers_of(answers).items() if not name.startswith("_")}
