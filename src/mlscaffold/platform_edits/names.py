"""Read which module of the library defines a name, from its wheel; nothing of it is run."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import PurePosixPath
from zipfile import BadZipFile, ZipFile

from .library import LIBRARY


@dataclass(frozen=True)
class Names:
    """The names at the top of each module of the library; empty where no wheel is at hand.

    Attributes
    ----------
    defined : mapping
        Functions, classes and constants, by module.
    exported : mapping
        What a package's `__init__.py` exports (`__all__`), by package.
    """

    defined: Mapping[str, frozenset[str]] = field(default_factory=dict)
    exported: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def find(self, name: str, module: str) -> str:
        """Return where to import a name from that was in an old module.

        Parameters
        ----------
        name : str
            The name.
        module : str
            The module of the library that has taken the old one's place; it may be empty.

        Returns
        -------
        str
            That module, the package above that exports the name, or the only other module that defines it; empty
            where the library has no such name.
        """
        if not self.defined:
            return module
        above = module.rpartition(".")[0]
        if name in self.exported.get(above, ()):
            return above
        if name in self.defined.get(module, ()):
            return module
        others = [each for each, names in self.defined.items() if name in names]
        return others[0] if len(others) == 1 else ""


def read_names(wheel: bytes) -> Names:
    """Read the names of the library from its wheel.

    Parameters
    ----------
    wheel : bytes
        The archive; one that cannot be read has no names.
    """
    try:
        with ZipFile(BytesIO(wheel)) as archive:
            paths = [PurePosixPath(name) for name in archive.namelist()]
            modules = [path for path in paths if path.suffix == ".py" and path.parts[0] == LIBRARY and _public(path)]
            trees = {path: ast.parse(archive.read(path.as_posix())) for path in modules}
    except (BadZipFile, SyntaxError, ValueError):
        return Names()
    packages = {path: tree for path, tree in trees.items() if path.stem == "__init__"}
    return Names(
        {_dotted(path): frozenset(_defined(tree)) for path, tree in trees.items() if path not in packages},
        {_dotted(path.parent): frozenset(_exported(tree)) for path, tree in packages.items()},
    )


def _public(path: PurePosixPath) -> bool:
    return all(part == "__init__.py" or not part.startswith("_") for part in path.parts)


def _dotted(path: PurePosixPath) -> str:
    return ".".join(path.with_suffix("").parts)


def _defined(tree: ast.Module) -> set[str]:
    named = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)}
    return named | {target.id for target in _targets(tree) if isinstance(target, ast.Name)}


def _targets(tree: ast.Module) -> list[ast.expr]:
    several = [target for each in tree.body if isinstance(each, ast.Assign) for target in each.targets]
    return [*several, *(each.target for each in tree.body if isinstance(each, ast.AnnAssign))]


def _exported(tree: ast.Module) -> set[str]:
    lists = [
        each.value
        for each in tree.body
        if isinstance(each, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "__all__" for to in each.targets)
    ]
    return {
        name for each in lists for name in (ast.literal_eval(each) if isinstance(each, ast.List | ast.Tuple) else ())
    }
