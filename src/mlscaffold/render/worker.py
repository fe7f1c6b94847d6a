"""copier's Worker without what it does again for each file and for each rendering."""

import sys
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from copier._jinja_ext import SandboxedEnvironment
from copier._main import Worker
from copier._settings import SettingsModel
from jinja2 import Template

_COMPILED: dict[
    tuple[object, ...], Any
] = {}  # code of Jinja, by text: an update renders three times, a fleet a thousand


class QuickWorker(Worker):
    """copier's Worker, quicker.

    copier 9.19 (`_main.py`) asks git for `core.fileMode` whenever it has written a file, compiles the same few texts
    (folders of paths, messages) anew for each, and makes the context of rendering anew for each text.
    Can go when copier does so once.
    """

    def _sync_git_index_executable_bit(self, dst_relpath: Any, src_mode: int) -> None:
        if sys.platform == "win32":  # pragma: no cover - elsewhere git sees the bit on the disk
            super()._sync_git_index_executable_bit(dst_relpath, src_mode)

    @cached_property
    def jinja_env(self) -> SandboxedEnvironment:
        """Copier's environment, which compiles each text once."""
        env = super().jinja_env
        templates: dict[str, Template] = {}
        compiles, makes = env.compile, env.from_string
        setting = (repr(sorted(self.template.envops.items())), *map(str, self.template.jinja_extensions))

        def compile_once(source: Any, name: Any = None, filename: Any = None, *rest: Any, **more: Any) -> Any:
            if rest or more or not isinstance(source, str):
                return compiles(source, name, filename, *rest, **more)
            key = (source, name, *setting)
            if key not in _COMPILED:
                _COMPILED[key] = compiles(source, name, filename)
            # What compiling does beside: copier's extension forgets the loop of the path before.
            env.preprocess("")
            return _COMPILED[key]

        def from_string(source: str, *rest: Any) -> Template:
            if source in templates:
                env.preprocess("")
                return templates[source]
            template = makes(source, *rest)
            return templates.setdefault(source, template) if not rest else template

        env.compile = compile_once  # type: ignore[method-assign]
        env.from_string = from_string  # type: ignore[method-assign, assignment]
        return env

    def _render_template(self) -> None:
        # The questions are answered, so both stay as they are. Asking for the first changes the context it is given.
        values = {"answers_place": super().answers_relpath, "context": super()._render_context()}
        self.__dict__.update(values)
        try:
            super()._render_template()
        finally:
            for name in values:
                del self.__dict__[name]

    def _render_context(self) -> Any:
        return self.__dict__.get("context") or super()._render_context()

    @property
    def answers_relpath(self) -> Path:
        """Where the answers are written."""
        return self.__dict__.get("answers_place") or super().answers_relpath

    @cached_property
    def _usual_signs(self) -> bool:
        return self.template.envops.keys() <= {"keep_trailing_newline"}

    def _render_string(self, string: str, extra_context: Any = None) -> str:
        if isinstance(string, str) and "{" not in string and "\n" not in string and self._usual_signs:
            self.jinja_env.preprocess("")
            return string
        return super()._render_string(string, extra_context)


def maker(kind: type[QuickWorker], *, unsafe: bool) -> Any:
    """Give what makes workers that are alike for everybody; `unsafe` ones run the code that a template brings."""
    # `settings`: a user's own copier settings could trust a template, or change what it renders to.
    return partial(kind, overwrite=True, quiet=True, settings=SettingsModel(), unsafe=unsafe)
