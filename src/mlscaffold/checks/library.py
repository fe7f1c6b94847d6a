"""The library mlproduct of a repository: vendored as a wheel, pinned on an index, ejected, or copied as up to 0.5.2."""

import base64
import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from ..project import ANSWERS
from . import released
from .untrusted_yaml import mapping, within

if TYPE_CHECKING:
    from .repository import Repository

NAME = "mlproduct"
PIN = "vendor/requirements.txt"
EJECTED = "runtime/src/mlproduct"
INSIDE = ".whl/"  # of a path that leads into a wheel
EXPANDED = 20_000_000  # bytes of all modules of a wheel
Kind = Literal["vendored", "index", "ejected", "unpinned"]
_LINE = re.compile(r"^(?:\./)?(?P<wheel>vendor/[\w.+!-]+\.whl)\b|^mlproduct==(?P<version>[\w.+!-]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})(?![0-9a-f])")
_IMPORTS = re.compile(r"^\s*(?:from|import)\s+mlproduct\b", re.MULTILINE)


@dataclass(frozen=True)
class Library:
    """Where a repository has the library from.

    Attributes
    ----------
    kind : str
        vendored: a wheel in vendor/; index: a pin without a wheel; ejected: source in runtime/; unpinned: nothing says.
    version : str
        As its pin, or the pyproject.toml of the ejected one, says; empty where neither can be read.
    wheel : str
        Path of the vendored wheel.
    hashes : tuple of str
        SHA-256 that the pin accepts.
    """

    kind: Kind
    version: str = ""
    wheel: str = ""
    hashes: tuple[str, ...] = ()


def find(repository: "Repository") -> Library | None:
    """Find the library of a repository; None where it does not use it, an old repository with its copy too."""
    runtime, pinned = str(mapping(repository.yaml(ANSWERS)).get("runtime", "")), PIN in repository.known
    source = any(path.startswith(f"{EJECTED}/") for path in repository.files)
    if source and (runtime == "ejected" or not pinned):
        project = repository.toml("runtime/pyproject.toml").get("project")
        version = str(mapping(project).get("version") or _assigned(repository.text(f"{EJECTED}/_version.py")))
        return Library("ejected", version)
    if pinned:
        return _pinned(repository.text(PIN))
    return Library("unpinned") if runtime or _used(repository) else None


def _pinned(text: str) -> Library:
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found, hashes = _LINE.search(lines), tuple(_HASH.findall(lines))
    if found is None or not hashes or len(_LINE.findall(lines)) > 1:
        return Library("unpinned")
    if found["version"]:
        return Library("index", found["version"], "", hashes)
    return Library("vendored", version_of(found["wheel"]), found["wheel"], hashes)


def version_of(wheel: str) -> str:
    """Return the version that the name of a wheel says."""
    return [*PurePosixPath(wheel).name.removesuffix(".whl").split("-"), ""][1]


def _assigned(text: str) -> str:
    found = re.search(r"""__version__\s*=\s*["']([^"']+)""", text)
    return found[1] if found else ""


def _used(repository: "Repository") -> bool:
    stages = mapping(within(repository.yaml("dvc.yaml"), "stages"))
    if any(str(mapping(stage).get("cmd", "")).startswith(f"{NAME} ") for stage in stages.values()):
        return True
    return any(repository.finds(path, _IMPORTS) for path in repository.matching("src/*.py"))


def is_old(repository: "Repository") -> bool:
    """Whether a repository holds a copy of the platform, as the standard made them before the library."""
    answers: dict[str, Any] = mapping(repository.yaml(ANSWERS))
    return bool(answers.get("package")) and "runtime" not in answers and repository.mlproduct is None


def modules(repository: "Repository") -> Mapping[str, str]:
    """Return the library's modules that do not stand in the repository as files: their text, by a path into the wheel.

    Nothing where the library is ejected, or its wheel is neither here nor a released one.
    """
    library = repository.mlproduct
    if library is None or library.kind not in ("vendored", "index"):
        return {}
    content = content_of(repository, library)
    name = library.wheel or f"vendor/{NAME}-{library.version}.whl"
    return {f"{name}/{path}": text for path, text in _modules(content).items()} if content else {}


def content_of(repository: "Repository", library: Library) -> bytes | None:
    """Return the bytes of the wheel that a pin means: the vendored one, or the released one that an index serves."""
    if library.kind == "vendored":
        from .repository import LARGEST

        present = library.wheel in repository.known and repository.size(library.wheel) <= LARGEST
        return repository.content(library.wheel) if present else None
    released_hashes = set(library.hashes) & released.wheels().keys()
    return released.wheel(library.version) if released_hashes else None


@lru_cache(maxsize=8)
def _modules(content: bytes) -> Mapping[str, str]:
    return {path: body.decode(errors="replace") for path, body in _files(content).items() if path.endswith(".py")}


def _files(content: bytes) -> Mapping[str, bytes]:
    """Return what a wheel installs, without tests; nothing where it cannot be read or expands too far."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and "/_tests/" not in entry.filename]
            if sum(entry.file_size for entry in entries) > EXPANDED:
                return {}
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError):
        return {}


def changed(repository: "Repository", wheel: bytes) -> list[str]:
    """Return the files of the ejected library that a wheel holds otherwise, or not at all, and those that are gone."""
    record = next((body for path, body in _files(wheel).items() if path.endswith(".dist-info/RECORD")), b"")
    rows = [row for row in csv.reader(record.decode(errors="replace").splitlines()) if len(row) > 1]
    expected = {row[0]: row[1] for row in rows if row[0].startswith(f"{NAME}/") and "/_tests/" not in row[0]}
    folder = EJECTED.removesuffix(NAME)
    files = {path.removeprefix(folder) for path in repository.files if path.startswith(f"{EJECTED}/")}
    files = {path for path in files if "/_tests/" not in path and "/__pycache__/" not in path}
    differ = [path for path in files & expected.keys() if _digest(repository.content(folder + path)) != expected[path]]
    return sorted([*differ, *(files ^ expected.keys())])


def _digest(content: bytes | None) -> str:
    """Return a digest as RECORD writes it (PEP 376)."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content or b"").digest()).decode().rstrip("=")
