"""Render what the standard and an overlay made of a repository, before anybody changed it."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from ..baseline import recorded_answers, render_old_standard
from ..project import ANSWERS, Project
from ..render import render
from ..source import Source
from .discover import Overlay
from .gates import Values, read_params
from .render import PARAMS


def load_standard_params(project: Project, source: Source) -> Values:
    """Return what the standard set in a repository's params.yaml."""
    params = render_old_standard(project, source).get(PARAMS)
    return read_params(params.decode("utf-8")) if params else {}


def render_old_overlay(overlay: Overlay, source: Source, project: Project) -> dict[str, bytes]:
    """Render an overlay as a repository has it, beside the standard's answers file, from which it may take answers.

    Parameters
    ----------
    overlay : Overlay
        The overlay, with its version.
    source : Source
        That version of it.
    project : Project
        The repository.

    Returns
    -------
    dict
        The content of each file, by path.
    """
    with TemporaryDirectory(prefix="mlscaffold-old-") as folder:
        into = Path(folder)
        shutil.copyfile(project.path / ANSWERS, into / ANSWERS)
        render(source, into, recorded_answers(project.path / overlay.answers))
        files = (file for file in into.rglob("*") if file.is_file())
        return {file.relative_to(into).as_posix(): file.read_bytes() for file in files}
