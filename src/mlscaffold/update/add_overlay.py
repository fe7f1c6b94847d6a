"""Add an overlay to a repository: planned and applied as an update is."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..answers import Answers
from ..overlays.baseline import load_standard_params
from ..overlays.gates import Values
from ..overlays.render import PARAMS, apply_gates, describe, render_overlay
from ..overlays.update import Step
from ..project import Project, refuse_dirty
from ..source import Source, recorded_source
from .preview import Change, Plan


@contextmanager
def plan(project: Project, source: Source, answers: Answers) -> Iterator[Plan]:
    """Plan what an overlay adds, without touching the repository.

    Parameters
    ----------
    project : Project
        The repository.
    source : Source
        The overlay.
    answers : Answers
        To the overlay's questions.

    Yields
    ------
    Plan
        It can be applied while the block is open.

    Raises
    ------
    UserError
        If the repository has uncommitted changes, or the overlay would replace a file.
    """
    refuse_dirty(project.root)
    with TemporaryDirectory(prefix="mlscaffold-overlay-", ignore_cleanup_errors=True) as scratch:
        tree = Path(scratch).resolve() / "tree"
        folder = tree / project.inside
        folder.mkdir(parents=True)
        rendered = render_overlay(source, project.path, folder, answers.values, named=answers.named)
        changes = [Change(project.inside / path, "added") for path in rendered.files]
        done = apply_gates(rendered.overlay.name, project.path, folder, "", lambda: _standard_params(project))
        if done.changed:
            shutil.copy(project.path / PARAMS, folder / PARAMS)
            (folder / PARAMS).write_text(done.text, encoding="utf-8", newline="\n")
            changes.append(Change(project.inside / PARAMS, "changed"))
        yield Plan(
            project,
            project.version,
            tuple(changes),
            notes=(*source.notes, *describe(rendered.overlay.name, done)),
            tree=tree,
            overlays=(Step(rendered.overlay.name, "", rendered.overlay.version),),
        )


def _standard_params(project: Project) -> Values:
    return load_standard_params(project, recorded_source(project.url, project.version, project.path))
