"""The values of params.yaml as the standard sets them."""

from pathlib import Path
from tempfile import TemporaryDirectory

from ..origin import render_old
from ..project import ANSWERS, Project
from .gates import Values, read_params


def standard_params(project: Project) -> Values:
    """Return what the standard set in a repository's params.yaml, before anybody changed it."""
    with TemporaryDirectory(prefix="mlscaffold-old-") as folder:
        old = Path(folder)
        render_old(project.url, project.version, project.path / ANSWERS, project.path, old)
        file = old / "params.yaml"
        return read_params(file.read_text(encoding="utf-8")) if file.is_file() else {}
