"""What each stage imports, as one hash a stage: a stage runs again when one of its modules changed, and not else.

The closure of a stage is its module with everything that it imports, at once or later, from the library and from the
folders of src/: parents' `__init__.py`, the team's modules that are loaded by name, and the data files of a package
(templates, style sheets). Imports for type checkers alone do not count, nor do other files, such as an editor's backup.
Of the team's extensions.py, the parts of those functions count that a stage calls (see extension_source.py).
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from mlproduct import team
from mlproduct.errors import DataError
from mlproduct.extension_source import ExtensionSource
from mlproduct.stages import STAGES

OUTPUT = Path("imports.yaml")
HEAD = "# Written by the stage `imports`: what each stage imports, hashed. A stage whose hash changed runs again.\n"
LIBRARY = "mlproduct"
FOLDERS_OF_CODE = ("__pycache__", "_tests")


class Sources:
    """The modules of the library and of src/, and how they import one another.

    Parameters
    ----------
    root : Path
        The repository.
    """

    def __init__(self, root: Path = Path()) -> None:
        self._folder = root / team.SOURCES
        self._package = team.package(root)
        self._calls: dict[str, dict[str, set[str]]] = {}

    @cached_property
    def _graph(self) -> Any:
        import grimp

        own = sorted(path.parent.name for path in self._folder.glob("*/__init__.py"))
        try:
            return grimp.build_graph(LIBRARY, *own, exclude_type_checking_imports=True, cache_dir=None)
        except grimp.exceptions.SourceSyntaxError as error:
            raise DataError(f"{error.filename}, line {error.lineno}: not valid Python: {error.text}") from None

    @cached_property
    def _extensions(self) -> ExtensionSource:
        return ExtensionSource.read(self.path(f"{self._package}.{team.EXTENSIONS}"))

    def closure(self, modules: Iterable[str]) -> set[str]:
        """Return the names of all modules that some modules import, with themselves.

        Raises
        ------
        KeyError
            If one of the modules does not exist.
        """
        found, left = set[str](), set(modules)
        if missing := left - self._graph.modules:
            raise KeyError(f"no such module: {', '.join(sorted(missing))}")
        while left:
            name = left.pop()
            if name in found or name not in self._graph.modules:
                continue
            found.add(name)
            left |= self._graph.find_modules_directly_imported_by(name) | self._loaded(name)
            for point in self._points(name):
                left |= self._extensions.imported(point, self._package)
            left |= {parent} if (parent := name.rpartition(".")[0]) else set()
        return found

    def _loaded(self, name: str) -> set[str]:
        """Name the team's modules that a module of the library loads by `team.module("...")`."""
        return {f"{self._package}.{loaded}" for loaded in self._called(name)["module"]}

    def _points(self, name: str) -> set[str]:
        """Name the functions of extensions.py that a module of the library calls by `team.extension("...")`."""
        return self._called(name)["extension"]

    def _called(self, name: str) -> dict[str, set[str]]:
        """Return what a module loads by name; each is read once, though most stages import it."""
        if name not in self._calls:
            inside = name.startswith(f"{LIBRARY}.")
            source = self.path(name).read_text(encoding="utf-8") if inside else ""
            self._calls[name] = {kind: loaded_by_name(source, kind) for kind in ("module", "extension")}
        return self._calls[name]

    def path(self, name: str) -> Path:
        """Return the file of a module."""
        head, *rest = name.split(".")
        base = (Path(__file__).parent if head == LIBRARY else self._folder / head).joinpath(*rest)
        return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")

    def digest(self, modules: Iterable[str]) -> str:
        """Hash the closure of some modules: names and contents of modules and of the data files beside them."""
        total = hashlib.sha256()
        closure = self.closure(modules)
        contents = {name: path.read_bytes().replace(b"\r\n", b"\n") for name, path in self._files(closure).items()}
        for point in {point for name in closure for point in self._points(name)}:
            if part := self._extensions.text(point):
                contents[f"{team.EXTENSIONS} {point}"] = part.encode()
        for name, content in sorted(contents.items()):
            total.update(f"{name}\0{len(content)}\0".encode() + content)
        return total.hexdigest()[:32]

    def _files(self, closure: set[str]) -> dict[str, Path]:
        found = {name: self.path(name) for name in closure}
        for folder in {path.parent for path in found.values() if path.name != "__init__.py"}:
            for data in _data(folder):
                found[f"{folder.name}/{data.relative_to(folder).as_posix()}"] = data
        return found


def _data(folder: Path) -> Iterable[Path]:
    """Yield the data files of a package: in its folder, and in folders below that are no packages."""
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in FOLDERS_OF_CODE:
            continue
        if path.is_dir() and not (path / "__init__.py").exists():
            yield from _data(path)
        elif path.suffix in (".html", ".css", ".js", ".md", ".json", ".yaml", ".j2"):
            yield path


def loaded_by_name(source: str, function: str = "module") -> set[str]:
    """Return the literal first arguments of `team.module(...)`, or of `team.extension(...)`, in a module's source.

    Examples
    --------
    >>> sorted(loaded_by_name('from mlproduct import team; team.module("model").build_model'))
    ['model']
    """
    if f"team.{function}(" not in source:
        return set()
    return {
        call.args[0].value
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == function
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "team"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def digests(root: Path = Path()) -> dict[str, str]:
    """Return the hash of each stage's closure."""
    sources = Sources(root)
    return {name: sources.digest([module]) for name, module in STAGES.items()}


def of_model(root: Path = Path()) -> str:
    """Return one hash of all code that decides about a model: checks of the data, split, features and training."""
    return Sources(root).digest(STAGES[name] for name in ("contract", "prepare", "train"))


def main() -> None:
    """Write imports.yaml."""
    OUTPUT.write_text(HEAD + yaml.safe_dump(digests(), sort_keys=False), encoding="utf-8")
