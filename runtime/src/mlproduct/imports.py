"""What each stage imports, as one hash a stage: a stage runs again when one of its modules changed, and not else.

The closure of a stage is its module with everything that it imports, at once or later, from the library and from the
packages of src/: parents' `__init__.py`, modules that are loaded by name, and the data files of a package (templates,
style sheets, lookup tables). Imports for type checkers alone do not count, nor do files that editors leave behind.
Of the team's extensions.py, the parts of those functions count that a stage calls (see extension_source.py).
"""

import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

import mlproduct
from mlproduct import team
from mlproduct.errors import DataError
from mlproduct.extension_source import ExtensionSource
from mlproduct.loaded_by_name import Loaded, imported, loaded_by_name
from mlproduct.stages import STAGES

OUTPUT = Path("imports.yaml")
HEAD = "# Written by the stage `imports`: what each stage imports, hashed. A stage whose hash changed runs again.\n"
VALUES = Path("reports/params.yaml")
HEAD_OF_VALUES = "# Written by the stage `imports`: params.yaml with the default of each key that is missing there.\n"
LIBRARY = "mlproduct"
NOT_DATA = ("__pycache__", "_tests", "py.typed")
LEFT_BEHIND = (".bak", ".orig", ".part", ".pyc", ".pyi", ".rej", ".swp", ".tmp")  # by editors, patches, interpreters


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
        self._loaded = dict[str, Loaded]()
        if (self._folder / LIBRARY).exists():
            raise DataError(f"{self._folder / LIBRARY} hides the library of that name: rename it")

    @cached_property
    def _graph(self) -> Any:
        import grimp

        own = sorted(path.parent.name for path in self._folder.glob("*/__init__.py"))
        if self._package not in own:
            raise DataError(f"{self._folder / self._package / '__init__.py'} is missing: `git checkout` restores it")
        try:
            return grimp.build_graph(LIBRARY, *own, exclude_type_checking_imports=True, cache_dir=None)
        except grimp.exceptions.SourceSyntaxError as error:
            raise DataError(f"{error.filename}, line {error.lineno}: not valid Python: {error.text}") from None
        except UnicodeError as error:
            raise DataError(f"{error}; save it as UTF-8") from None

    @cached_property
    def _extensions(self) -> ExtensionSource:
        return ExtensionSource.read(self.path(f"{self._package}.{team.EXTENSIONS}"))

    def closure(self, modules: Iterable[str]) -> set[str]:
        """Return the names of all modules that some modules import, with themselves.

        Raises
        ------
        KeyError
            If one of the modules does not exist.
        DataError
            If the team's code imports a file of src/ that is in no package.
        """
        found, left = set[str](), set(modules)
        if missing := left - self._graph.modules:
            raise KeyError(f"no such module: {', '.join(sorted(missing))}")
        while left:
            name = left.pop()
            if name in found or name not in self._graph.modules:
                continue
            found.add(name)
            left |= self._graph.find_modules_directly_imported_by(name) | self._by_name(name)
            for point in self._points(name):
                left |= self._extensions.imported(point, self._package)
            left |= {parent} if (parent := name.rpartition(".")[0]) else set()
        return found

    def loaded(self, name: str) -> Loaded:
        """Return what a module loads by name."""
        if name not in self._loaded:
            self._check_packages(name)
            lazy = getattr(mlproduct, "_PLACES", {})
            self._loaded[name] = loaded_by_name(self._text(name), self._parent(name), lazy)
        return self._loaded[name]

    def _text(self, name: str) -> str:
        return self.path(name).read_text(encoding="utf-8")

    def _by_name(self, name: str) -> set[str]:
        found = self.loaded(name)
        names = {f"{self._package}.{part}" for part in found.team} | found.modules
        if found.computed and not self._is_library(name):  # any module of the package may be meant
            names |= {other for other in self._graph.modules if other.startswith(name.partition(".")[0] + ".")}
        return names

    def _check_packages(self, name: str) -> None:
        """Refuse an import of a file that grimp does not see: beside the packages, or in a folder that is none."""
        if self._is_library(name):
            return
        for module in imported(self._text(name), self._parent(name)):
            path = self._folder.joinpath(*module.split(".")).with_suffix(".py")
            if path.is_file() and module not in self._graph.modules:
                raise DataError(
                    f"{self.path(name)} imports {path}, which is in no package, so that no stage would notice a change "
                    f"of it: keep modules in {self._folder / self._package}, with an __init__.py in each folder"
                )

    @staticmethod
    def _is_library(name: str) -> bool:
        return name.partition(".")[0] == LIBRARY

    def _parent(self, name: str) -> str:
        return name if self.path(name).name == "__init__.py" else name.rpartition(".")[0]

    def _points(self, name: str) -> frozenset[str]:
        """Name the functions of extensions.py that a module of the library calls by `team.extension("...")`."""
        return self.loaded(name).extensions if self._is_library(name) else frozenset()

    def path(self, name: str) -> Path:
        """Return the file of a module."""
        head, *rest = name.split(".")
        base = (Path(__file__).parent if head == LIBRARY else self._folder / head).joinpath(*rest)
        return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")

    def digest(self, modules: Iterable[str]) -> str:
        """Hash the closure of some modules: names and contents of modules and of the data files beside them."""
        total = hashlib.sha256()
        contents = {name: path.read_bytes().replace(b"\r\n", b"\n") for name, path in self.files(modules).items()}
        for point in {point for name in self.closure(modules) for point in self._points(name)}:
            if part := self._extensions.text(point):
                contents[f"{team.EXTENSIONS} {point}"] = part.encode()
        for name, content in sorted(contents.items()):
            total.update(f"{name}\0{len(content)}\0".encode() + content)
        return total.hexdigest()[:32]

    def files(self, modules: Iterable[str]) -> dict[str, Path]:
        """Return the files of the closure of some modules, by the name of the module or the place of the data file."""
        closure = self.closure(modules)
        found = {name: self.path(name) for name in closure}
        for package, folder in {self._parent(name): self.path(name).parent for name in closure}.items():
            found |= {f"{package}/{data.relative_to(folder).as_posix()}": data for data in _data(folder)}
        return found


def _data(folder: Path) -> Iterator[Path]:
    """Yield the data files of a package: in its folder, and in folders below that are no packages."""
    for path in folder.iterdir():
        name = path.name
        if name.startswith((".", "#")) or name.endswith(("~", *LEFT_BEHIND)) or name in NOT_DATA:
            continue
        if path.is_dir() and not (path / "__init__.py").exists():
            yield from _data(path)
        elif path.is_file() and path.suffix != ".py":
            yield path


def digests(root: Path = Path()) -> dict[str, str]:
    """Return the hash of each stage's closure."""
    sources = Sources(root)
    return {name: sources.digest([module]) for name, module in STAGES.items()}


def of_model(root: Path = Path()) -> str:
    """Return one hash of all code that decides about a model: checks of the data, split, features and training."""
    return Sources(root).digest(STAGES[name] for name in ("contract", "prepare", "train"))


def written(root: Path = Path()) -> dict[str, str]:
    """Return the hashes of imports.yaml; none if there is no such file."""
    path = root / OUTPUT
    return dict(yaml.safe_load(path.read_text(encoding="utf-8"))) if path.exists() else {}


def resolved(root: Path = Path()) -> str:
    """Return the text of reports/params.yaml: params.yaml with the default of each key that is missing there."""
    from mlproduct.config import PARAMS, Params

    values = Params.load(root / PARAMS).model_dump()
    return HEAD_OF_VALUES + yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def is_current(root: Path = Path()) -> bool:
    """Return whether the outputs of this stage are those of the code and the parameters at hand."""
    path = root / VALUES
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    return written(root) == digests(root) and kept == resolved(root)


def main() -> None:
    """Write imports.yaml, and reports/params.yaml: DVC demands that a key is there which a stage names."""
    text = resolved()
    OUTPUT.write_text(HEAD + yaml.safe_dump(digests(), sort_keys=False), encoding="utf-8")
    VALUES.parent.mkdir(exist_ok=True)
    VALUES.write_text(text, encoding="utf-8")
