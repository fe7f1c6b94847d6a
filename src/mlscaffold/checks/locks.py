"""What a lock pins: requirements files, and the locks of uv, poetry and pdm."""

import re
from dataclasses import dataclass

from .library import NAME, PIN
from .repository import Repository, remembered
from .untrusted_yaml import mapping, mappings

_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;\\]+)", re.MULTILINE)
_LOOSE = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?:[<>~!]|;|$|@)", re.MULTILINE)
TABLES = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")


@dataclass(frozen=True)
class Pin:
    """A package at one version.

    Attributes
    ----------
    path : str
        The lock.
    name, version : str
        Of the package; the name as the index writes it.
    line : int
        Where it stands.
    hashed : bool
        Whether the lock has a hash of it.
    """

    path: str
    name: str
    version: str
    line: int
    hashed: bool


def texts(repository: Repository) -> list[str]:
    """Return the requirements files that pin at least one version, and are made to be installed from."""
    found = repository.matching("requirements*.txt", "requirements*.lock", "requirements/*.txt")
    return [path for path in found if repository.finds(path, _PIN)]


def tables(repository: Repository) -> list[str]:
    """Return the locks that are TOML."""
    return [path for path in TABLES if path in repository.known]


def pins(repository: Repository) -> list[Pin]:
    """Return all that is pinned."""
    return [
        *(pin for path in texts(repository) for pin in _of_text(path, repository.text(path))),
        *_of_wheels(repository),
        *(pin for path in tables(repository) for pin in _of_table(repository, path)),
    ]


@remembered
def _of_text(path: str, text: str) -> list[Pin]:
    starts = list(_PIN.finditer(text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    found, line, at = [], 1, 0
    for match, end in zip(starts, ends, strict=True):
        line, at = line + text.count("\n", at, match.start()), match.start()
        found.append(Pin(path, normal(match[1]), match[2], line, "--hash=" in text[match.start() : end]))
    return found


def _of_wheels(repository: Repository) -> list[Pin]:
    """Return the pin of a wheel in vendor/, and the project of runtime/, which is what it is."""
    found = repository.mlproduct
    if found is None or found.kind == "unpinned":
        return []
    path = "runtime/pyproject.toml" if found.kind == "ejected" else PIN
    return [Pin(path, NAME, found.version, 0, hashed=True)]


def _of_table(repository: Repository, path: str) -> list[Pin]:
    body = repository.toml(path)
    found = []
    for package in mappings(body.get("package", body.get("packages"))):
        source = package.get("source")
        if not package.get("version") or ({"editable", "virtual"} & mapping(source).keys()):
            continue
        hashed = bool(package.get("files") or package.get("sdist") or package.get("wheels"))
        found.append(Pin(path, normal(str(package.get("name"))), str(package["version"]), 0, hashed))
    return found


def loose(repository: Repository, path: str) -> list[str]:
    """Return the requirements of a file that are not pinned."""
    return list(_loose(repository.text(path)))


@remembered
def _loose(text: str) -> tuple[str, ...]:
    return tuple(match[1] for match in _LOOSE.finditer(text) if not match[1].startswith("-"))


def normal(name: str) -> str:
    """Return a package's name as the index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()
