"""The source of the team's extensions.py: which points it defines, and which of its statements each of them runs.

A stage depends on the points it calls, not on the module: an edit of `respond` trains nothing. A point's part of the
module is its definition and all that this names, directly or through others, and each statement that does more than
define a name (a call, a decorator, `if`, `with`): such a statement may change what the others do. So may a module of
the team's that is imported: all of these count for each point. Where a part looks up names at run time (`globals`,
`eval`, `sys` and the like), it is the whole module.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from mlproduct.errors import DataError

POINTS = ("split", "metrics", "gates", "report", "respond", "headers", "authenticate")
LOOKS_UP = {"__builtins__", "__dict__", "__import__", "eval", "exec", "globals", "import_module", "importlib",
            "inspect", "locals", "sys", "vars"}  # fmt: skip
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True)
class Statement:
    """A statement at the top of the module.

    Attributes
    ----------
    binds, uses : frozenset of str
        Names that it defines, and that it mentions anywhere.
    acts : bool
        Whether it may do more than define names.
    text : str
        As it is written.
    """

    node: ast.stmt
    binds: frozenset[str]
    uses: frozenset[str]
    acts: bool
    text: str


class ExtensionSource:
    """What can be read of an extensions.py without running it.

    Parameters
    ----------
    source : str
        Its text.
    file : str
        Its name, for errors.
    """

    def __init__(self, source: str, file: str = "extensions.py") -> None:
        self._source, self._file = source, file

    @classmethod
    def read(cls, path: Path) -> "ExtensionSource":
        """Read the file; one that is missing defines nothing."""
        return cls(path.read_text(encoding="utf-8") if path.is_file() else "", path.name)

    @cached_property
    def statements(self) -> list[Statement]:
        """The statements of the module.

        Raises
        ------
        DataError
            If it is not valid Python, or imports `*`.
        """
        try:
            tree = ast.parse(self._source)
        except SyntaxError as error:
            raise DataError(f"{self._file}, line {error.lineno}: not valid Python: {error.msg}") from None
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                raise DataError(f"{self._file}, line {node.lineno}: `import *` hides what is defined: import by name")
        return [
            Statement(node, frozenset(_bound(node)), frozenset(_used(node)), _acts(node), self._text(node))
            for node in tree.body
        ]

    def _text(self, node: ast.stmt) -> str:
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        return "\n".join(self._source.splitlines()[first - 1 : node.end_lineno])

    @property
    def points(self) -> list[str]:
        """The points that are defined.

        Raises
        ------
        DataError
            If a function that nothing uses is named much like a point: nothing would ever call it.
        """
        defined = {name for statement in self.statements for name in statement.binds}
        used = {name for statement in self.statements for name in statement.uses - statement.binds}
        for statement in self.statements:
            name = getattr(statement.node, "name", "")
            if name in {*POINTS, *used} or not isinstance(statement.node, ast.FunctionDef):
                continue
            if close := get_close_matches(name, POINTS, n=1, cutoff=0.75):
                place = f"{self._file}, line {statement.node.lineno}"
                raise DataError(f"{place}: nothing calls {name}(); did you mean {close[0]}()?")
        return [point for point in POINTS if point in defined]

    def part(self, point: str) -> list[Statement]:
        """Return the statements that a point runs; none if it is not defined."""
        if point not in self.points:
            return []
        wanted, left, names = set[int](), {point}, set[str]()
        while left:
            names |= left
            found = {i for i, each in enumerate(self.statements) if each.acts or each.binds & left} - wanted
            wanted |= found
            left = {name for i in found for name in self.statements[i].uses} - names
        if names & LOOKS_UP:
            return self.statements
        return [each for i, each in enumerate(self.statements) if i in wanted]

    def text(self, point: str) -> str:
        """Return the source of a point's part, as it is written."""
        return "\n".join(statement.text for statement in self.part(point))

    def imported(self, point: str, package: str) -> set[str]:
        """Return the modules that a point imports, and those of the team; some may be names inside of a module.

        Parameters
        ----------
        package : str
            The team's package, against which relative imports are resolved.
        """
        part = self.part(point)
        found = {name for statement in part for name in _imported(statement.node, package)}
        every = {name for statement in self.statements for name in _imported(statement.node, package)}
        return found | {name for name in every if part and f"{name}.".startswith(f"{package}.")}


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement binds at the top of the module."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name.split(".")[0]) for alias in node.names)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    if not isinstance(node, SCOPES):
        for child in ast.iter_child_nodes(node):
            yield from _bound(child)


def _used(node: ast.stmt) -> Iterator[str]:
    """Yield every name that a statement mentions, with attributes and with texts that may name a type."""
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            yield child.id
        elif isinstance(child, ast.Attribute):
            yield child.attr
        elif isinstance(child, ast.Global):
            yield from child.names
        elif isinstance(child, ast.Import | ast.ImportFrom):
            yield from (part for alias in child.names for part in alias.name.split("."))
        elif isinstance(child, ast.Constant) and isinstance(child.value, str) and child.value.isidentifier():
            yield child.value


def _acts(node: ast.stmt) -> bool:  # noqa: PLR0911  # one answer a kind of statement
    """Return whether a statement may do more than define names."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.Pass():  # such an expression is a docstring
            return False
        case ast.ImportFrom():
            return node.module == "__future__"
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return bool(node.decorator_list) or _calls(node.args)
        case ast.ClassDef():
            return bool(node.decorator_list or node.keywords) or any(map(_acts, node.body)) or _calls(*node.bases)
        case ast.Assign():
            return not all(isinstance(target, ast.Name) for target in node.targets) or _calls(node.value)
        case ast.AnnAssign(target=ast.Name()):
            return node.value is not None and _calls(node.value)
    return True


def _calls(*nodes: ast.AST) -> bool:
    return any(isinstance(child, ast.Call) for node in nodes for child in ast.walk(node))


def _imported(node: ast.stmt, package: str) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - child.level + 1] if child.level else []
            base = ".".join([*above, *filter(None, [child.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in child.names)
