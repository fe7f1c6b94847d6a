"""The public names of the library, with their signatures as the source writes them: what a version promises."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from importlib import import_module
from typing import Any

# The modules that a repository imports, and their public names: what `mlproduct` exports, and what src/ is built on.
PUBLIC = {
    "mlproduct": ("DataError", "Project", "__version__", "open"),
    "mlproduct.config": ("Model", "Params"),
    "mlproduct.contract.columns": ("Column", "Contract"),
    "mlproduct.errors": ("DataError",),
    "mlproduct.serving.service": ("ProductService", "mount", "options"),
}
CALCULATED = ("property", "cached_property")


def listing() -> list[str]:
    """Return one line for each public name, and for each public attribute of a class."""
    return [line for module, names in PUBLIC.items() for name in names for line in described(module, name)]


def described(module: str, name: str) -> Iterator[str]:
    """Yield the lines of one public name."""
    found, full = getattr(import_module(module), name), f"{module}.{name}"
    if not inspect.isclass(found) and not inspect.isfunction(found):
        yield f"{full}: {type(found).__name__}"
        return
    node = definition(found)
    yield full + (signature(node) if isinstance(node, ast.FunctionDef) else _bases(node))
    for member, text in members(node):
        yield f"{full}.{member}{text}"


def definition(found: Any) -> Any:
    """Return the syntax of a class or a function."""
    return ast.parse(textwrap.dedent(inspect.getsource(found))).body[0]


def members(node: Any) -> Iterator[tuple[str, str]]:
    """Yield name and signature of the public attributes of a class, in the order of the source."""
    for entry in node.body if isinstance(node, ast.ClassDef) else ():
        if isinstance(entry, ast.AnnAssign) and isinstance(entry.target, ast.Name):
            name, text = entry.target.id, f": {ast.unparse(entry.annotation)}" + (" = ..." if entry.value else "")
        elif isinstance(entry, ast.FunctionDef | ast.AsyncFunctionDef):
            name, text = entry.name, signature(entry)
        else:
            continue
        if not name.startswith("_"):
            yield name, text


def signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the arguments and the result of a function; of a property its type."""
    back = ast.unparse(node.returns).strip("'") if node.returns else "Any"
    if any(isinstance(one, ast.Name) and one.id in CALCULATED for one in node.decorator_list):
        return f": {back}"
    return f"({ast.unparse(node.args)}) -> {back}"


def _bases(node: ast.ClassDef) -> str:
    return f"({', '.join(map(ast.unparse, node.bases))})" if node.bases else ""
