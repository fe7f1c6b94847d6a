"""What Python says: calls and imports, with their full names."""

import ast
from collections.abc import Iterator

from .repository import Repository


def calls(repository: Repository, path: str) -> Iterator[tuple[str, ast.Call]]:
    """Give each call of a module with the full name of what is called, as far as imports tell."""
    nodes = repository.nodes(path)
    names = _imported(nodes)
    for node in nodes:
        if isinstance(node, ast.Call) and (name := _dotted(node.func)):
            head, dot, rest = name.partition(".")
            yield names.get(head, head) + dot + rest, node


def imports(repository: Repository, path: str) -> Iterator[tuple[str, int]]:
    """Give each module that a module imports, with the line; relative ones begin with a dot."""
    for node in repository.nodes(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{'.' * node.level}{node.module or ''}", node.lineno


def importing(repository: Repository, paths: list[str], *libraries: str) -> list[str]:
    """Return the modules that import one of some libraries."""
    # Parsing is the dear part: only what holds the word is parsed.
    hopeful = [path for path in paths if any(name in repository.text(path) for name in libraries)]
    return [path for path in hopeful if any(_of(name, libraries) for name, _ in imports(repository, path))]


def _of(name: str, libraries: tuple[str, ...]) -> bool:
    return any(name == library or name.startswith(f"{library}.") for library in libraries)


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return the value of a keyword; `**something` may hold it, and counts."""
    return next((each.value for each in call.keywords if each.arg in (name, None)), None)


def _imported(nodes: list[ast.AST]) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return {**_renamed(nodes, names), **names}


def _renamed(nodes: list[ast.AST], names: dict[str, str]) -> dict[str, str]:
    """Tell what `kind = A if ... else B` stands for: one of them, as either draws lots or neither does."""
    found = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value.body if isinstance(node.value, ast.IfExp) else node.value
            if isinstance(value, ast.Name) and value.id in names:
                found[node.targets[0].id] = names[value.id]
    return found


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return ""
