"""Render the versions of a repository's templates before and after an update: overlays too, with its own answers."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from ..baseline import render_old_standard
from ..overlays.baseline import render_old_overlay
from ..overlays.discover import Overlay
from ..project import Project
from ..source import Source

Rendering = dict[Path, bytes]


@dataclass(frozen=True)
class Versions:
    """One version of each template of a repository.

    Attributes
    ----------
    project : Project
        A folder that holds the answers.
    source : Source
        That version of the standard.
    overlays : sequence of tuple
        Overlays, each with its version.
    inside : Path
        Where the repository's folder is, seen from the root of the git repository.
    """

    project: Project
    source: Source
    overlays: Sequence[tuple[Overlay, Source]]
    inside: Path

    @cached_property
    def files(self) -> Rendering:
        """The content of each file, by path from the root of the git repository; rendered on first use."""
        files = render_old_standard(self.project, self.source)
        for overlay, source in self.overlays:
            files |= render_old_overlay(overlay, source, self.project)
        return {self.inside / path: content for path, content in files.items()}

    def get(self, path: Path) -> bytes | None:
        """Return the content of a file, or None where there is no such file."""
        return self.files.get(path)


@contextmanager
def kept_answers(project: Project, folder: Path) -> Iterator[Project]:
    """Copy the answers of a repository aside, since an update changes them.

    Parameters
    ----------
    project : Project
        The repository.
    folder : Path
        Its folder in the work tree.

    Yields
    ------
    Project
        The same one, with a folder that holds only the answers.
    """
    with TemporaryDirectory(prefix="mlscaffold-answers-", ignore_cleanup_errors=True) as scratch:
        # A template may ask for the folder's name.
        aside = Path(scratch).resolve() / (project.path.name or "project")
        aside.mkdir()
        for file in folder.glob(".copier-answers*.yml"):
            shutil.copyfile(file, aside / file.name)
        yield replace(project, path=aside, root=aside)
