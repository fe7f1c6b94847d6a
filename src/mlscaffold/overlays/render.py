"""Render an overlay next to a repository: it adds files, and replaces none."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..errors import UserError
from ..project import ANSWERS
from ..render import render
from ..source import Source
from .discover import HOME, Overlay, overlay_name
from .gates import GateChanges, Values, read_gates, read_params, set_values

PARAMS = "params.yaml"
_NO_NAME = "the overlay's copier.yml must say `_answers_file: .copier-answers.NAME.yml`, so that the standard's stays"


@dataclass(frozen=True)
class RenderedOverlay:
    """An overlay, rendered.

    Attributes
    ----------
    overlay : Overlay
        Its name, version and address.
    files : tuple of Path
        What it adds, seen from the repository's folder.
    """

    overlay: Overlay
    files: tuple[Path, ...]


def render_overlay(
    source: Source, project: Path, into: Path, data: Mapping[str, Any], *, named: Sequence[str] = ()
) -> RenderedOverlay:
    """Render an overlay for a repository into another folder.

    Parameters
    ----------
    source : Source
        The overlay.
    project : Path
        The repository's folder.
    into : Path
        An empty folder.
    data : mapping
        Answers; the overlay's copier.yml may take the standard's by `_external_data`.
    named : sequence of str
        Answers that the user named.

    Returns
    -------
    RenderedOverlay
        The overlay, and its files.

    Raises
    ------
    UserError
        If it would replace a file, has no answers file of its own, or is there already.
    """
    shutil.copyfile(project / ANSWERS, into / ANSWERS)
    version = render(source, into, data, named=named)
    if (into / ANSWERS).read_bytes() != (project / ANSWERS).read_bytes():
        raise UserError(_NO_NAME)
    (into / ANSWERS).unlink()
    links = [path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_symlink()]
    if links:
        raise UserError(
            f"the overlay contains links ({', '.join(sorted(links))}), which could lead anywhere; copy the files"
        )
    files = tuple(sorted(file.relative_to(into) for file in into.rglob("*") if file.is_file()))
    answers = next((path.name for path in files if overlay_name(path.as_posix())), None)
    if answers is None:
        raise UserError(_NO_NAME)
    overlay = Overlay(overlay_name(answers), answers, source.url, version)
    if (project / answers).exists():
        raise UserError(f"the overlay {overlay.name} is there already; `mlscaffold update` updates it")
    taken = [path.as_posix() for path in files if _taken(project, path)]
    if taken:
        raise UserError(
            f"an overlay adds files and replaces none, but {', '.join(taken)} exists in the repository already; "
            f"choose other names in the overlay"
        )
    return RenderedOverlay(overlay, files)


def _taken(project: Path, path: Path) -> bool:
    """Whether something exists at a path, or on the way to it."""
    folders = [project / folder for folder in path.parents]
    return os.path.lexists(project / path) or any(
        folder.is_symlink() or (folder.exists() and not folder.is_dir()) for folder in folders[:-1]
    )


def apply_gates(name: str, project: Path, after: Path, before: str, default: Callable[[], Values]) -> GateChanges:
    """Apply an overlay's gates.yaml to the text of a repository's params.yaml.

    Parameters
    ----------
    name : str
        Of the overlay.
    project : Path
        The folder whose params.yaml it is.
    after : Path
        The folder that holds the overlay's files.
    before : str
        What gates.yaml said at the version before; empty where there was none.
    default : callable
        Returns the standard's values.

    Returns
    -------
    GateChanges
        The file, and what was done; nothing where the overlay has no gates.yaml.
    """
    file, params = after / gates_of(name), project / PARAMS
    if not file.is_file() or not params.is_file():
        return GateChanges("")
    place = gates_of(name).as_posix()
    values = read_gates(file.read_text(encoding="utf-8"), place)
    return set_values(params.read_text(encoding="utf-8"), values, read_gates(before, place), default)


def gates_of(name: str) -> Path:
    """Return where an overlay's values for params.yaml are in a repository."""
    return Path(HOME) / name / "gates.yaml"


def describe(name: str, done: GateChanges) -> tuple[str, ...]:
    """Return messages on the values that an overlay set or left."""
    lines = [f"overlay {name} sets in params.yaml: {', '.join(done.changed)}"] if done.changed else []
    return (*lines, *(f"overlay {name} leaves params.yaml, {each}" for each in done.kept))


def add_overlays(sources: Sequence[Source], project: Path, data: Mapping[str, Any]) -> tuple[str, ...]:
    """Add overlays to a repository that was just rendered, and return messages for the user."""
    notes: list[str] = []
    standard = read_params((project / PARAMS).read_text(encoding="utf-8")) if (project / PARAMS).is_file() else {}
    for source in sources:
        with TemporaryDirectory(prefix="mlscaffold-overlay-", ignore_cleanup_errors=True) as scratch:
            rendered = render_overlay(source, project, Path(scratch).resolve(), data)
            for path in rendered.files:
                (project / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(Path(scratch) / path, project / path)
        done = apply_gates(rendered.overlay.name, project, project, "", lambda: standard)
        if done.changed:
            (project / PARAMS).write_text(done.text, encoding="utf-8", newline="\n")
        notes += [*source.notes, *describe(rendered.overlay.name, done)]
    return tuple(notes)
