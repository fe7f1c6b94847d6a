"""A version of a template, rendered in memory: nothing is written, and what it costs to open it is paid once."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copier.errors import CopierError
from jinja2 import TemplateError

from .worker import QuickWorker

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class File:
    """A rendered file.

    Attributes
    ----------
    content : bytes
        What it holds.
    executable : bool
        Whether it can be run.
    origin : str
        The template's file, as seen from the root of the template's repository.
    """

    content: bytes
    executable: bool
    origin: str


class Keeper(QuickWorker):
    """A worker that keeps what the others write."""

    def keep(self) -> dict[str, File]:
        """Render, and return the files by path."""
        self.__dict__["kept"] = {}
        self.run_copy()
        kept: dict[str, File] = self.__dict__["kept"]
        return kept

    def _render_file(self, src_relpath: Path, dst_relpath: Path, extra_context: Any = None) -> None:
        self.__dict__["origin"] = src_relpath.as_posix()
        super()._render_file(src_relpath, dst_relpath, extra_context)

    def _render_folder(self, dst_relpath: Path) -> None:
        pass

    def _render_allowed(
        self,
        dst_relpath: Path,
        is_dir: bool = False,
        is_symlink: bool = False,  # noqa: ARG002 - copier names it
        expected_contents: bytes | Path = b"",
        expected_mode: int | None = None,
    ) -> bool:
        if isinstance(expected_contents, bytes) and not is_dir:
            file = File(expected_contents, bool((expected_mode or 0) & 0o100), self.__dict__["origin"])
            self.__dict__["kept"][dst_relpath.as_posix()] = file
        return False

    def rendered(self, origin: str, content: bytes) -> bytes | None:
        """Render an older content of a file; None where these answers do not do for it."""
        if not origin.endswith(self.template.templates_suffix):
            return content
        try:
            return self._render_string(content.decode()).encode()
        except (TemplateError, UnicodeDecodeError):
            return None

    def place(self, origin: str) -> str | None:
        """Return where a file of the template is rendered to, also one that it no longer has."""
        inside = Path(origin)
        root = self.template_copy_root.relative_to(self.template.local_abspath)
        if not inside.is_relative_to(root):
            return None
        try:
            return next((path.as_posix() for path, _ in self._render_path(inside.relative_to(root))), None)
        except CopierError:  # a path that these answers do not do for
            return None


class Standard:
    """A version of a template.

    Parameters
    ----------
    worker : Keeper
        With the answers of one repository.
    """

    def __init__(self, worker: Keeper) -> None:
        self._worker = worker
        self.files: Mapping[str, File] = worker.keep()
        self.config: Mapping[str, Any] = {f"_{name}": each for name, each in worker.template.config_data.items()}

    @property
    def folder(self) -> Path:
        """The template's repository, as it was cloned: all its versions are in it."""
        return self._worker.template.local_abspath

    def skips(self, path: str) -> bool:
        """Whether a file belongs to the team from the first day."""
        return self._worker.match_skip(Path(path))

    def once(self, origin: str, content: bytes) -> bytes | None:
        """Render an older content of one of the template's files."""
        return self._worker.rendered(origin, content)

    def place(self, origin: str) -> str | None:
        """Return where a file of the template is rendered to, also one that it no longer has."""
        return self._worker.place(origin)
