"""Write runtime/api.txt, the promised names and signatures, and docs/reference/mlproduct.md, from docstrings."""

import argparse
import ast
import inspect
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "mlproduct.md"
API = ROOT / "runtime" / "api.txt"
sys.path.insert(0, str(ROOT / "runtime" / "tests"))

import signatures  # noqa: E402

HEAD = """# The library: mlproduct

What a repository, a notebook or a script may import. These names and signatures are promised: a change that breaks one
of them is announced one minor version ahead, by a warning that names the replacement. All else in `mlproduct` may
change at any time.
Written by `scripts/api_reference.py`.
"""


def page() -> str:
    """Return the page: each public name with its signature and its docstring."""
    parts = [HEAD]
    for module, names in signatures.PUBLIC.items():
        parts.append(f"## {module}\n")
        parts += [section(module, name) for name in names]
    return "\n".join(parts)


def section(module: str, name: str) -> str:
    """Return the section of one name."""
    found = getattr(import_module(module), name)
    first, *_ = signatures.described(module, name)
    title = first.removeprefix(f"{module}.")
    if not inspect.isclass(found) and not inspect.isfunction(found):
        return f"### `{title}`\n"
    lines = [f"### `{title}`\n", indented(inspect.getdoc(found) or "")]
    documented = {
        entry.name: ast.get_docstring(entry) or ""
        for entry in signatures.definition(found).body
        if isinstance(entry, ast.FunctionDef)
    }
    for member, said in signatures.members(signatures.definition(found)):
        lines += [f"#### `{member}{said}`\n", indented(documented[member])] if member in documented else []
    return "\n".join(lines)


def indented(text: str) -> str:
    """Return the first paragraphs of a docstring as text, and its sections as they stand."""
    head, rule, rest = text.partition("\n\nParameters\n")
    for mark in ("\n\nReturns\n", "\n\nRaises\n", "\n\nAttributes\n", "\n\nExamples\n"):
        if not rule and mark in head:
            head, rule, rest = head.partition(mark)
    if not rule:
        return f"{text}\n"
    return f"{head}\n\n```text\n{rule.strip()}\n{rest}\n```\n"


def main() -> None:
    """Write both files, or others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, default=PAGE, help="the page (docs/reference/mlproduct.md)")
    parser.add_argument("--api", type=Path, default=API, help="the list (runtime/api.txt)")
    arguments = parser.parse_args()
    arguments.page.write_text(page().rstrip("\n") + "\n", encoding="utf-8")
    arguments.api.write_text("\n".join(signatures.listing()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
