"""Who changes a library while it runs: assignments to what is imported from it, setattr, mock.patch, import hooks."""

import ast
from collections.abc import Iterator

from .library import NAME
from .repository import nodes, remembered

_SETTERS = {"setattr", "delattr", "setitem", "delitem", "__setattr__", "__delattr__"}
_PATCHERS = {"patch", "patch.object", "patch.dict", "patch.multiple"}
_LOADERS = {"import_module", "importlib.import_module", "__import__", "importlib.reload", "reload"}
_HOOKS = {"sys.meta_path", "sys.path_hooks"}
_CHANGING = {"append", "extend", "insert", "update", "pop", "clear", "setdefault", "remove"}


@remembered
def patches(text: str) -> tuple[tuple[int, str], ...]:
    r"""Return line and words of each statement of a module that changes the library, or how modules are imported.

    Parameters
    ----------
    text : str
        The source of the module.

    Examples
    --------
    >>> patches("import mlproduct.evaluation.gates as gates\ngates.decided = print\n")
    ((2, 'assigns mlproduct.evaluation.gates.decided'),)
    """
    if NAME not in text and not any(hook in text for hook in _HOOKS):
        return ()
    found = nodes(text)
    names = _names(found)
    return tuple(sorted({each for node in found for each in _of(node, names)}))


def _names(found: list[ast.AST]) -> dict[str, str]:
    """Return what local names stand for, as far as imports and plain assignments say."""
    names: dict[str, str] = {}
    for node in found:
        if isinstance(node, ast.Import):
            names |= {each.asname: each.name for each in node.names if each.asname}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    for node in found:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and (origin := _origin(node.value, names)):
                    names.setdefault(target.id, origin)
    return names


def _origin(node: ast.expr, names: dict[str, str]) -> str:
    """Return the full name of what an expression stands for; empty where that cannot be seen."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        owner = _origin(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    if isinstance(node, ast.Call):
        return _returned(node, names)
    if isinstance(node, ast.Subscript):
        owner, key = _origin(node.value, names), _text(node.slice)
        return key if owner == "sys.modules" and key else owner
    return ""


def _returned(call: ast.Call, names: dict[str, str]) -> str:
    called, first = _origin(call.func, names), call.args[0] if call.args else None
    if first is None:
        return ""
    if called in _LOADERS:
        return _text(first) or _origin(first, names)
    if called in ("vars", "getattr"):
        owner, rest = _origin(first, names), _text(call.args[1]) if len(call.args) > 1 else ""
        return f"{owner}.{rest}" if owner and rest else owner
    return ""


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _of(node: ast.AST, names: dict[str, str]) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Assign | ast.Delete):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For):
        targets = [node.target]
    elif isinstance(node, ast.Call):
        yield from _calls(node, names)
        return
    else:
        return
    for target in _flat(targets):
        origin = _origin(target, names) if isinstance(target, ast.Attribute | ast.Subscript) else ""
        if _ours(origin) or origin in _HOOKS:
            yield node.lineno, f"{'deletes' if isinstance(node, ast.Delete) else 'assigns'} {origin}"


def _flat(targets: list[ast.expr]) -> Iterator[ast.expr]:
    for target in targets:
        if isinstance(target, ast.Tuple | ast.List):
            yield from _flat(target.elts)
        else:
            yield target.value if isinstance(target, ast.Starred) else target


def _calls(call: ast.Call, names: dict[str, str]) -> Iterator[tuple[int, str]]:
    called = _origin(call.func, names)
    owner, _, method = called.rpartition(".")
    first = (_text(call.args[0]) or _origin(call.args[0], names)) if call.args else ""
    patching = method in _SETTERS or any(called == each or called.endswith(f".{each}") for each in _PATCHERS)
    if patching and _ours(first):
        yield call.lineno, f"{called}() changes {first}"
    elif method in _CHANGING and (owner in _HOOKS or _ours(owner)):
        yield call.lineno, f"{called}() changes {owner}"


def _ours(name: str) -> bool:
    return name == NAME or name.startswith(f"{NAME}.")
