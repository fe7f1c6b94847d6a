"""A repository as the checks see it: its files, each read and parsed once, none of it run."""

import ast
import fnmatch
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property, lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ..checksums import Comparison, compare_repository
from ..errors import UserError
from ..git import GitError, git
from ..project import ANSWERS
from . import library

LARGEST = 2_000_000  # bytes of a file that is read; larger ones are data
EXPANDED = (
    200_000  # values of a YAML file, each counted as often as it is referred to; the template's have some hundreds
)
MOST = 50_000  # files that are looked at where there is no git
_ASIDE = {".git", ".venv", "venv", "env", "node_modules", "__pycache__", ".tox", ".nox", "site-packages", ".cache"}
P = ParamSpec("P")
R = TypeVar("R")
_FORGETTING: list[Callable[[], None]] = []
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
        self.looked: dict[str, Any] = {}  # by id of a check: what it found
        self._texts: dict[str, str] = {}

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
        found = {"."} if self.files else set()
        for name in self.files:
            folder = name.rpartition("/")[0]
            while folder and folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0]
        return frozenset(found)

    def matching(self, *patterns: str) -> list[str]:
        """Return the files whose path matches a pattern; `*` matches folders too."""
        matches = _matching(patterns)
        return [name for name in self.files if matches[name]]

    def _file(self, path: str) -> Traversable:
        return self.where(path) / path if isinstance(self.root, Path) else self.root.joinpath(path)

    def text(self, path: str) -> str:
        """Return what a file says; empty for what is not a text, is too large or leads elsewhere."""
        if library.INSIDE in path:
            return self.library.get(path, "")
        if path not in self._texts:
            self._texts[path] = _read(self._file(path))
        return self._texts[path]

    def holds(self, path: str, *words: str) -> bool:
        """Whether a file holds one of some words."""
        return _holds(self.text(path), words)

    def finds(self, path: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return the first match of a pattern in a file."""
        return _found(self.text(path), pattern)

    def containing(self, word: str, *patterns: str) -> list[str]:
        """Return the matching files that hold a word."""
        return [path for path in self.matching(*patterns) if self.holds(path, word)]

    def line(self, path: str, words: str) -> int:
        """Return the first line that holds some words, or 0."""
        found = self.text(path).find(words)
        return self.text(path).count("\n", 0, found) + 1 if found >= 0 else 0

    def size(self, path: str) -> int:
        """Return how many bytes a file has."""
        file = self._file(path)
        return file.stat().st_size if isinstance(file, Path) else len(self.text(path))

    def content(self, path: str) -> bytes | None:
        """Return the bytes of a file, also of a large one; None where it is not on this machine."""
        file = self._file(path)
        return file.read_bytes() if isinstance(file, Path) else None

    def documents(self, path: str) -> list[Any]:
        """Return the documents of a YAML file; none where it cannot be read."""
        return self._parsed(_yaml, path) or []

    def yaml(self, path: str) -> Any:
        """Return the first document of a YAML file."""
        return next(iter(self.documents(path)), None)

    def toml(self, path: str) -> dict[str, Any]:
        """Return a TOML file; empty where it cannot be read."""
        return self._parsed(_toml, path) or {}

    def json(self, path: str) -> Any:
        """Return a JSON file; None where it cannot be read."""
        return self._parsed(_json, path)

    def tree(self, path: str) -> ast.Module | None:
        """Return a Python module; None where it cannot be read."""
        found: ast.Module | None = self._parsed(module, path)
        return found

    def _parsed(self, parse: Any, path: str) -> Any:
        return parse(self.text(path)) if path in self.known else None

    @cached_property
    def comparison(self) -> Comparison | None:
        """Compare the files that the template copies as they are; None where that version is not available."""
        answers = self.yaml(ANSWERS)
        if not isinstance(answers, dict) or not isinstance(self.root, Path):
            return None
        return compare_repository(self.root, answers, where=self.where)

    def where(self, path: str) -> Path:  # noqa: ARG002 - all are in one place, here
        """Return the folder on the disk in which a file stands."""
        assert isinstance(self.root, Path)  # noqa: S101 - who asks has looked
        return self.root

    @cached_property
    def python(self) -> list[str]:
        """The modules, without tests."""
        return [path for path in self.matching("*.py") if not is_test(path)]

    @cached_property
    def mlproduct(self) -> library.Library | None:
        """Where the library comes from; None where the repository does not use it."""
        return library.find(self)

    @cached_property
    def library(self) -> Mapping[str, str]:
        """The modules of the library that the repository pins, by a path into its wheel."""
        return library.modules(self)

    @cached_property
    def code(self) -> list[str]:
        """All modules that run: the repository's, without tests, and those of the library that it pins."""
        return [*self.python, *self.library]

    @cached_property
    def hidden(self) -> bool:
        """Whether modules run that cannot be read: the library comes from an index, and is not a released one."""
        return self.mlproduct is not None and self.mlproduct.kind != "ejected" and not self.library

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
    return Repository(root, tuple(sorted(_inside(root, filter(None, listed)))), in_git=True)


def _inside(root: Path, names: Iterable[str]) -> Iterator[str]:
    """Give the files among some paths: git lists one also where a folder above it has become a link to elsewhere."""

    @cache
    def leads_away(path: str) -> bool:
        return bool(path) and ((root / path).is_symlink() or leads_away(path.rpartition("/")[0]))

    yield from (name for name in names if (root / name).is_file() and not leads_away(name))


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


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """Remember what a function said of a text: many checks ask the same, and a fleet has the same files many times."""
    kept = lru_cache(maxsize=8192)(function)
    _FORGETTING.append(kept.cache_clear)
    return kept  # type: ignore[return-value] # its arguments can be hashed


class _Matches(dict[str, bool]):
    """Whether a path matches some patterns, for each path that was asked for: in a fleet most are the same."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        super().__init__()
        self._match = re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns)).match

    def __missing__(self, path: str) -> bool:
        found = self[path] = self._match(path) is not None
        return found


@remembered
def _matching(patterns: tuple[str, ...]) -> _Matches:
    return _Matches(patterns)


def forget() -> None:
    """Forget all that was remembered, with the texts."""
    for clear in _FORGETTING:
        clear()


@remembered
def _holds(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)


@remembered
def _found(text: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
    return pattern.search(text)


def _kept(parse: Any) -> Any:
    """Parse a text once; None for one that cannot be parsed."""

    @remembered
    def parsed(text: str) -> Any:
        try:
            return parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return None

    return parsed


_toml = _kept(tomllib.loads)
_json = _kept(json.loads)
module = _kept(ast.parse)


@remembered
def nodes(text: str) -> list[ast.AST]:
    """Return all that a Python module is made of, in the order of `ast.walk`; nothing where it cannot be parsed."""
    found = module(text)
    return list(ast.walk(found)) if found else []


@_kept
def _yaml(text: str) -> list[Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)  # ten times as fast
    found = []
    try:
        while loader.check_node():
            node = loader.get_node()
            if "*" in text:
                _refuse_bomb(node)
            found.append(loader.construct_document(node))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    finally:
        loader.dispose()
    return [document for document in found if document is not None]


def _refuse_bomb(node: Any) -> None:
    """Raise a ValueError for a few lines that stand for millions of values by what they refer to, or for ever."""
    if _expanded(node, {}) > EXPANDED:
        raise ValueError("it refers to itself too often")


def _expanded(node: Any, sizes: dict[int, int]) -> int:
    if id(node) not in sizes:
        sizes[id(node)] = EXPANDED  # as long as it is not known: a node inside itself has no end
        inside = node.value if isinstance(node.value, list) else []
        flat = (each for pair in inside for each in (pair if isinstance(pair, tuple) else (pair,)))
        sizes[id(node)] = min(1 + sum(_expanded(each, sizes) for each in flat), 2 * EXPANDED)
    return sizes[id(node)]
