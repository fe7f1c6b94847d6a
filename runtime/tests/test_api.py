"""The public names: as api.txt promises them, and no more than that is used by a repository."""

import ast
from pathlib import Path

import mlproduct
import pytest
import signatures
from mlproduct_tests.repository import ROOT

PROMISED = Path(__file__).parents[1] / "api.txt"
REGENERATE = "an addition is written by scripts/api_reference.py"


def test_the_names_and_signatures_are_those_that_are_promised():
    promised, found = PROMISED.read_text(encoding="utf-8").splitlines(), signatures.listing()
    broken = [line for line in promised if line not in found]
    assert not broken, f"announce it one minor version ahead: {broken} removed or changed"
    added = [line for line in found if line not in promised]
    assert not added, f"{added} not in {PROMISED.name}: {REGENERATE}"


def test_the_package_exports_what_is_listed():
    assert set(mlproduct.__all__) == set(signatures.PUBLIC["mlproduct"])
    assert set(mlproduct.__all__) <= set(dir(mlproduct))
    for name in mlproduct.__all__:
        assert getattr(mlproduct, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'close'"):
        _ = mlproduct.close


def test_a_repository_imports_public_names_only():
    used = {
        (node.module, name.name)
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("mlproduct")
        for name in node.names
    }
    public = {(module, name) for module, names in signatures.PUBLIC.items() for name in names}
    assert used
    assert used <= public, f"{sorted(used - public)}: list them in signatures.py, or use what is listed"
