"""Modules that code loads by name, which no graph of import statements shows."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LOADERS = ("import_module", "__import__")
# Without one of these words a source loads nothing by name, and need not be parsed.
_WORDS = re.compile(r"\bteam\.|import_module|__import__|from mlproduct import|import mlproduct\b(?!\.)")


@dataclass(frozen=True)
class Loaded:
    """What a module loads by name.

    Attributes
    ----------
    team : frozenset of str
        Modules of the team's package, without its name: the text in `team.module("model")`.
    extensions : frozenset of str
        Functions of the team's extensions.py: the text in `team.extension("split")`.
    modules : frozenset of str
        Full names: the text in `import_module("churn.rules")`, and what stands behind a name of a lazy package.
    computed : bool
        Whether a name is computed, so that only the run knows it.
    """

    team: frozenset[str]
    extensions: frozenset[str]
    modules: frozenset[str]
    computed: bool


def loaded_by_name(source: str, package: str, lazy: Mapping[str, str] | None = None) -> Loaded:
    """Return what a module's source loads by name.

    Parameters
    ----------
    source : str
        The source of the module.
    package : str
        The package that it is in; relative names begin there.
    lazy : mapping of str to str, optional
        Names that the library imports when they are asked for, each with its module.

    Examples
    --------
    >>> found = loaded_by_name('from mlproduct import team; team.module("model").build_model', "mlproduct.training")
    >>> sorted(found.team), found.computed
    (['model'], False)
    """
    if not _WORDS.search(source):
        return Loaded(frozenset(), frozenset(), frozenset(), computed=False)
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    of_team = [call for call in calls if _is_team(call.func)]
    team = {_text(call) for call in of_team if _name(call.func) != "extension"}
    extensions = {_text(call) for call in of_team if _name(call.func) == "extension"}
    names = {_text(call) for call in calls if _name(call.func) in LOADERS}
    modules = {_absolute(name, package) for name in names if name is not None}
    library_names = set(_asked_of_library(tree)) & set(lazy or {})
    return Loaded(
        frozenset(name for name in team if name is not None),
        frozenset(name for name in extensions if name is not None),
        frozenset(modules | {(lazy or {})[name] for name in library_names}),
        None in names,
    )


def imported(source: str, package: str) -> set[str]:
    r"""Return the full names of all that the import statements of a module may stand for.

    Examples
    --------
    >>> sorted(imported("import numpy\nfrom .rules import limit", "churn"))
    ['churn.rules', 'churn.rules.limit', 'numpy']
    """
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _absolute("." * node.level + (node.module or ""), package)
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def _is_team(function: ast.expr) -> bool:
    """Check for `team.module`, and any other function of mlproduct.team that takes the name of a module."""
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "team"


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def _text(call: ast.Call) -> str | None:
    """Return the first argument of a call if it is a text that is written out."""
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _absolute(name: str, package: str) -> str:
    """Return a full name for one that begins with dots."""
    rest = name.lstrip(".")
    if not (level := len(name) - len(rest)):
        return name
    above = package.split(".")[: len(package.split(".")) - level + 1]
    return ".".join([*above, *([rest] if rest else [])])


def _asked_of_library(tree: ast.AST) -> Iterator[str]:
    """Yield NAME of `from mlproduct import NAME` and of `mlproduct.NAME`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "mlproduct" and not node.level:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "mlproduct":
            yield node.attr
