"""A repository as the checks see it: its files, each read and parsed once, none of it run."""

import ast
import fnmatch
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cached_property, lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..git import GitError, git

LARGEST = 2_000_000  # bytes of a file that is read; larger ones are data
MOST = 50_000  # files that are looked at where there is no git
_ASIDE = {".git", ".venv", "venv", "env", "node_modules", "__pycache__", ".tox", ".nox", "site-packages", ".cache"}
_QUIET = {"core.fsmonitor": "false"}  # a repository's own configuration must not run code here


class Repository:
    """The files of a repository.

    Parameters
    ----------
    root : Traversable
        Its folder.
    files : tuple of str
        Every file that git knows, or would take with the next `git add`; all of them where there is no git.
    in_git : bool
        Whether git told.
    """

    def __init__(self, root: Traversable, files: tuple[str, ...], *, in_git: bool) -> None:
        self.root = root
        self.files = files
        self.in_git = in_git
        self._texts: dict[str, str] = {}
        self._parsed: dict[tuple[str, str], Any] = {}

    def __deepcopy__(self, memo: object) -> "Repository":
        """Return itself: repo-review copies what it hands to each check, and nothing here is changed."""
        return self

    @cached_property
    def known(self) -> frozenset[str]:
        """The files, to look one up."""
        return frozenset(self.files)

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file."""
        return frozenset(parent.as_posix() for name in self.files for parent in Path(name).parents)

    def matching(self, *patterns: str) -> list[str]:
        """Return the files whose path matches a pattern; `*` matches folders too."""
        matches = _compiled(patterns)
        return [name for name in self.files if matches(name)]

    def text(self, path: str) -> str:
        """Return what a file says; empty for what is no text, is too large or leads elsewhere."""
        if path not in self._texts:
            self._texts[path] = _read(self.root.joinpath(path))
        return self._texts[path]

    def containing(self, word: str, *patterns: str) -> list[str]:
        """Return the matching files that hold a word."""
        return [path for path in self.matching(*patterns) if word in self.text(path)]

    def line(self, path: str, words: str) -> int:
        """Return the first line that holds some words, or 0."""
        found = self.text(path).find(words)
        return self.text(path).count("\n", 0, found) + 1 if found >= 0 else 0

    def documents(self, path: str) -> list[Any]:
        """Return the documents of a YAML file; none where it cannot be read."""
        return self._once("yaml", path, _yaml) or []

    def yaml(self, path: str) -> Any:
        """Return the first document of a YAML file."""
        return next(iter(self.documents(path)), None)

    def toml(self, path: str) -> dict[str, Any]:
        """Return a TOML file; empty where it cannot be read."""
        return self._once("toml", path, tomllib.loads) or {}

    def json(self, path: str) -> Any:
        """Return a JSON file; None where it cannot be read."""
        return self._once("json", path, json.loads)

    def tree(self, path: str) -> ast.Module | None:
        """Return a Python module; None where it cannot be read."""
        module: ast.Module | None = self._once("python", path, ast.parse)
        return module

    def nodes(self, path: str) -> list[ast.AST]:
        """Return all that a Python module is made of, in the order of `ast.walk`; nothing where it cannot be read."""
        if ("nodes", path) not in self._parsed:
            module = self.tree(path)
            self._parsed["nodes", path] = list(ast.walk(module)) if module else []
        found: list[ast.AST] = self._parsed["nodes", path]
        return found

    def _once(self, kind: str, path: str, parse: Any) -> Any:
        if (kind, path) not in self._parsed:
            try:
                self._parsed[kind, path] = parse(self.text(path)) if path in self.known else None
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                self._parsed[kind, path] = None
        return self._parsed[kind, path]

    @cached_property
    def python(self) -> list[str]:
        """The modules, without tests."""
        return [path for path in self.matching("*.py") if not is_test(path)]

    @cached_property
    def tests(self) -> list[str]:
        """The modules of tests."""
        return [path for path in self.matching("*.py") if is_test(path)]


def is_test(path: str) -> bool:
    """Whether a module is one of tests."""
    parts = path.split("/")
    return bool({"tests", "test"} & set(parts[:-1])) or parts[-1].startswith("test_") or parts[-1] == "conftest.py"


def ml_repository(root: Traversable) -> Repository:
    """Look at a repository (a fixture of repo-review).

    Parameters
    ----------
    root : Traversable
        Its folder; repo-review's web page gives one that is on a forge.

    Returns
    -------
    Repository
        Its files.

    Raises
    ------
    UserError
        If git cannot tell.
    """
    if not isinstance(root, Path):
        return Repository(root, tuple(_walked(root)), in_git=True)
    if not any((folder / ".git").exists() for folder in (root, *root.resolve().parents)):
        return Repository(root, tuple(_walked(root)), in_git=False)
    words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        listed = dict.fromkeys(git(*words, cwd=root, config=_QUIET).split("\0"))
    except GitError as error:
        raise UserError(f"git cannot list the files of {root} ({error})") from error
    return Repository(root, tuple(sorted(name for name in listed if name and _is_file(root / name))), in_git=True)


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _walked(root: Traversable) -> Iterator[str]:
    folders, count = [("", root)], 0
    while folders and count < MOST:
        inside, folder = folders.pop()
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.name in _ASIDE or (isinstance(entry, Path) and entry.is_symlink()):
                continue
            if entry.is_dir():
                folders.append((f"{inside}{entry.name}/", entry))
            elif entry.is_file():
                count += 1
                yield f"{inside}{entry.name}"


def _read(file: Traversable) -> str:
    try:
        if isinstance(file, Path) and file.stat().st_size > LARGEST:
            return ""
        content = file.read_bytes()
    except OSError:
        return ""
    return "" if b"\0" in content[:8192] else content.decode(errors="replace")


@lru_cache(maxsize=512)
def _compiled(patterns: tuple[str, ...]) -> Any:
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns)).match


def _yaml(text: str) -> list[Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast
    try:
        return [document for document in yaml.load_all(text, loader) if document is not None]
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
