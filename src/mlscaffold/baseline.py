"""Render the baseline of a repository: the version of its template that it has, with its answers."""

from pathlib import Path
from typing import Any

from .project import ANSWERS, Project, answers_of
from .render import opened
from .source import Source


def render_old_standard(project: Project, source: Source) -> dict[str, bytes]:
    """Render the version of the standard that a repository has.

    Parameters
    ----------
    project : Project
        The repository.
    source : Source
        The version of the template that it has.

    Returns
    -------
    dict
        The content of each file, by path.
    """
    with opened(source, project.path, recorded_answers(project.path / ANSWERS)) as standard:
        return {path: file.content for path, file in standard.files.items()}


def recorded_answers(answers: Path) -> dict[str, Any]:
    """Return the recorded answers to the questions of a template."""
    return {name: each for name, each in answers_of(answers).items() if not name.startswith("_")}
