"""Imports run downward: a folder of the package uses those above it alone, and can be read without what comes after."""

import ast

import pytest
from under_test import PACKAGE, ROOT

SOURCE = ROOT / "src" / PACKAGE
# "" is what stands beside the folders. A folder of your own may use all of them; name it here to let others use it.
LAYERS = [
    "",
    "answering",
    "judging",
    "exporting",
    "reporting",
    "experimenting",
    "serving",
    "shipping",
    "operating",
    "drilling",
    "releasing",
]


def uses(path):
    """Give the folders that a module imports from, by relative imports."""
    here = path.relative_to(SOURCE).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            place = [*here[: len(here) + 1 - node.level], *([node.module] if node.module else [])]
            found |= {".".join([*place, name.name]).split(".")[0] for name in node.names}
    return {name if (SOURCE / name).is_dir() else "" for name in found}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_folder_imports_only_from_those_above_it(layer):
    modules = list((SOURCE / layer).glob("*.py"))
    assert modules
    for path in modules:
        assert uses(path) <= set(LAYERS[: LAYERS.index(layer) + 1]), path.relative_to(ROOT)
