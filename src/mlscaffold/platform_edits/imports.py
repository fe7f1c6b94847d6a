"""Find the lines of a team's code that import modules which the template no longer has, with what to import instead."""

import ast
import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .library import find_place
from .names import Names

_RUN = re.compile(r"-m\s+([A-Za-z_][\w.]*)")
_RUNS = {
    "",
    ".cfg",
    ".ini",
    ".mk",
    ".sh",
    ".toml",
    ".yaml",
    ".yml",
}  # files whose commands are run: no prose, no dvc.lock
_LARGEST = 1_000_000  # bytes of a text that is searched
_BEGIN, _MIDDLE, _END = "<<<<<<<", "=======", ">>>>>>>"


@dataclass(frozen=True)
class StaleImport:
    """A line that names a module which is gone.

    Attributes
    ----------
    path : str
        The file, seen from the repository's folder.
    line : int
        Its number, from 1.
    text : str
        The import, or the command.
    instead : str
        What to write in its place.
    """

    path: str
    line: int
    text: str
    instead: str


@dataclass(frozen=True)
class Gone:
    """The modules that an update has removed from a repository.

    Attributes
    ----------
    package : str
        The team's package.
    paths : set of str
        Their files, seen from the repository's folder.
    names : Names
        What the library has.
    """

    package: str
    paths: AbstractSet[str]
    names: Names

    def find(self, dotted: str) -> str:
        """Return the file of a removed module, from its full name; empty where it is not one."""
        parts = dotted.split(".")
        beside = [f"{folder}/{dotted}.py" for folder in ("tests", "ce") if len(parts) == 1]
        inside = [f"src/{'/'.join(parts)}.py"] if parts[0] == self.package else []
        return next((path for path in (*inside, *beside) if path in self.paths), "")


def find_stale(folder: Path, files: Iterable[str], removed: Gone) -> tuple[StaleImport, ...]:
    """Find the lines of a repository that import or run modules which are gone.

    Parameters
    ----------
    folder : Path
        The repository's folder.
    files : iterable of str
        Its files, seen from there.
    gone : Gone
        The modules.

    Returns
    -------
    tuple of StaleImport
        By file and line.
    """
    found: list[StaleImport] = []
    for path in sorted(files) if removed.paths else ():
        file = folder / path
        if path.startswith("vendor/") or file.is_symlink() or not file.is_file() or file.stat().st_size > _LARGEST:
            continue
        text = file.read_bytes().decode(errors="replace")
        if file.suffix == ".py":
            found += _imports(path, text, removed)
        elif file.suffix in _RUNS:
            found += _commands(path, text, removed)
    return tuple(found)


def _commands(path: str, text: str, removed: Gone) -> Iterator[StaleImport]:
    for number, line in enumerate(text.splitlines(), 1):
        for word in _RUN.findall(line):
            if old := removed.find(word):
                module = find_place(old, removed.package).module
                yield StaleImport(
                    path, number, line.strip(), f"a verb of `mlproduct` (`mlproduct --help`), for {module}"
                )


def _imports(path: str, text: str, removed: Gone) -> Iterator[StaleImport]:
    for node in ast.walk(_parsed(text)):
        if isinstance(node, ast.Import):
            for name in node.names:
                if old := removed.find(name.name):
                    yield _stale(path, node, [_import(old, name, removed)])
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(path, node)
            lines = [line for name in node.names if (line := _from(module, name, removed))]
            if lines:
                yield _stale(path, node, _joined(lines))


def _parsed(text: str) -> ast.Module:
    """Parse a file; of a conflict only the team's side, with the numbers of the lines as they are."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        pass
    kept, side = [], ""
    for line in text.splitlines():
        mark = line[:7]
        side = {_BEGIN: "ours", _MIDDLE: "theirs" if side else "", _END: ""}.get(mark, side)
        kept.append("" if side == "theirs" or mark in (_BEGIN, _END) else line)
    try:
        return ast.parse("\n".join(kept))
    except (SyntaxError, ValueError):  # a file that could not be imported before either
        return ast.Module([], [])


def _absolute(path: str, node: ast.ImportFrom) -> str:
    """Return the full name of the module that names are imported from."""
    if not node.level:
        return node.module or ""
    parts = PurePosixPath(path).parent.parts
    inside = parts[1:] if parts[:1] == ("src",) else parts
    above = inside[: len(inside) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _import(old: str, name: ast.alias, removed: Gone) -> str:
    module = find_place(old, removed.package).module
    known_as = name.asname or ("" if "." in name.name else name.name)
    return f"import {module}{f' as {known_as}' if known_as else ''}" if module else f"the library has no {name.name}"


def _from(module: str, name: ast.alias, removed: Gone) -> str:
    if old := removed.find(module):
        place = find_place(old, removed.package).module
        place = place if name.name == "*" else removed.names.find(name.name, place)
        written = name.name + (f" as {name.asname}" if name.asname else "")
        return f"from {place} import {written}" if place else f"the library has no {name.name}"
    if old := removed.find(f"{module}.{name.name}"):  # from .judging import gate
        above, _, last = find_place(old, removed.package).module.rpartition(".")
        known_as = name.asname or name.name
        return f"from {above} import {last}{f' as {known_as}' if known_as != last else ''}" if above else ""
    return ""


def _joined(lines: list[str]) -> list[str]:
    """Write names of one module as one import."""
    merged: dict[str, list[str]] = {}
    for line in lines:
        head, _, name = line.partition(" import ")
        merged.setdefault(head, []).extend([name] if name else [])
    return [f"{head} import {', '.join(names)}" if names else head for head, names in merged.items()]


def _stale(path: str, node: ast.stmt, instead: list[str]) -> StaleImport:
    return StaleImport(path, node.lineno, ast.unparse(node), "; ".join(instead))
