"""What Python says: calls and imports, with their full names."""

import ast

from .repository import Repository, nodes, remembered


def calls(repository: Repository, path: str) -> tuple[tuple[str, ast.Call], ...]:
    """Return each call of a module with the full name of what is called, as far as imports tell."""
    return _calls(repository.text(path)) if _is_module(repository, path) else ()


def _is_module(repository: Repository, path: str) -> bool:
    return path in repository.known or path in repository.library


# Of a text: many checks ask the same, and in a fleet many repositories hold the same modules.
@remembered
def _calls(text: str) -> tuple[tuple[str, ast.Call], ...]:
    names, found = _imported(nodes(text)), []
    for node in nodes(text):
        if isinstance(node, ast.Call) and (name := _dotted(node.func)):
            head, dot, rest = name.partition(".")
            found.append((names.get(head, head) + dot + rest, node))
    return tuple(found)


def imports(repository: Repository, path: str) -> tuple[tuple[str, int], ...]:
    """Return each module that a module imports, with the line; relative ones begin with a dot."""
    return _imports(repository.text(path)) if _is_module(repository, path) else ()


@remembered
def _imports(text: str) -> tuple[tuple[str, int], ...]:
    found: list[tuple[str, int]] = []
    for node in nodes(text):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((f"{'.' * node.level}{node.module or ''}", node.lineno))
    return tuple(found)


def importing(repository: Repository, paths: list[str], *libraries: str) -> list[str]:
    """Return the modules that import one of some libraries."""
    # Parsing is the dear part: only what holds the word is parsed.
    hopeful = [path for path in paths if repository.holds(path, *libraries)]
    return [path for path in hopeful if any(_of(name, libraries) for name, _ in imports(repository, path))]


def _of(name: str, libraries: tuple[str, ...]) -> bool:
    return any(name == library or name.startswith(f"{library}.") for library in libraries)


def trains(repository: Repository) -> bool:
    """Whether code fits a model: the repository's own, or that of the library which it pins."""
    return repository.hidden or any(repository.holds(path, ".fit(") for path in repository.code)


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return the value of a keyword; `**something` may hold it, and counts."""
    return next((each.value for each in call.keywords if each.arg in (name, None)), None)


def _imported(within: list[ast.AST]) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in within:
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return {**_renamed(within, names), **names}


def _renamed(within: list[ast.AST], names: dict[str, str]) -> dict[str, str]:
    """Tell what `kind = A if ... else B` stands for: one of them, as either draws lots or neither does."""
    found = {}
    for node in within:
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
