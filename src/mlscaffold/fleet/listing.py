"""fleet.toml: which repositories belong to the fleet."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ..errors import UserError
from .record import clean

FILE = "fleet.toml"
_KEYS: dict[str, type] = {
    "repositories": list, "command": list, "exclude": list, "root": str, "template": str, "checks": list,
}  # fmt: skip
_URL = re.compile(r"^([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_SCP = re.compile(r"^[\w.-]+@[\w.-]+:")
_SCHEMES = ("https", "http", "ssh", "git")
_GLOB = re.compile(r"[*?\[]")
_PRINTING = 60  # seconds that the command may take


@dataclass(frozen=True)
class Entry:
    """A repository of the fleet; its name and what is wrong with it can be shown.

    Attributes
    ----------
    name : str
        What it is called everywhere: its path from the root, or its URL without scheme, user and `.git`.
    path : Path, optional
        Where it is, if it is on this machine.
    url : str
        Its address without user and password, if it is not.
    secret : str
        User and password of the address; never written down.
    wrong : str
        Why it cannot be read.
    """

    name: str
    path: Path | None = None
    url: str = ""
    secret: str = ""
    wrong: str = ""


@dataclass(frozen=True)
class Fleet:
    """What fleet.toml says.

    Attributes
    ----------
    entries : tuple of Entry
        By name, each once.
    template : str, optional
        The standard that the repositories follow; None for the one that comes with mlscaffold.
    checks : tuple of str, optional
        What is run on the branch of an update; None for what `mlscaffold update --branch` runs.
    """

    entries: tuple[Entry, ...]
    template: str | None = None
    checks: tuple[str, ...] | None = None


def load(file: Path) -> Fleet:
    """Read a fleet.toml and find the repositories that it names.

    Parameters
    ----------
    file : Path
        The file.

    Returns
    -------
    Fleet
        Its repositories.

    Raises
    ------
    UserError
        If it is not there, or says something that is not understood.
    """
    settings = _parsed(file)
    root = (file.parent / Path(settings.get("root", ".")).expanduser()).resolve()
    if not root.is_dir():
        raise UserError(f"{file.name}: root is {settings['root']!r}, which is not a folder")
    words = [word for each in settings.get("repositories", []) for word in _matching(each, root, file.name)]
    words += _printed(settings["command"], root, file.name) if "command" in settings else []
    if not words:
        raise UserError(
            f'{file.name} names no repository; write repositories = ["team/*"] or a command that prints them'
        )
    left_out = [PurePosixPath(pattern) for pattern in settings.get("exclude", [])]
    found = {entry.name: entry for entry in (entry_of(word, root) for word in words)}
    kept = [
        each for name, each in sorted(found.items()) if not any(PurePosixPath(name).match(str(p)) for p in left_out)
    ]
    return Fleet(tuple(kept), settings.get("template"), tuple(settings["checks"]) if "checks" in settings else None)


def _parsed(file: Path) -> dict[str, Any]:
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}); name another with --file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file.name} is no TOML: {error}") from error
    for key, value in settings.items():
        if key not in _KEYS:
            raise UserError(f"{file.name} has no setting {key!r}; there are {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]):
            raise UserError(f"{file.name}: {key} is {value!r}; write {'a list' if _KEYS[key] is list else 'a text'}")
        if isinstance(value, list) and not all(isinstance(each, str) and each for each in value):
            raise UserError(f"{file.name}: {key} holds a value that is not text")
    return settings


def _matching(word: str, root: Path, where: str) -> list[str]:
    if not _GLOB.search(word) or _is_url(word):
        _refuse_upward(word, where)
        return [word]
    _refuse_upward(word, where)
    if Path(word).is_absolute():
        raise UserError(f"{where}: {word} is a pattern that does not begin at root; leave the beginning out")
    found = [path.relative_to(root).as_posix() for path in root.glob(word) if _is_repository(path)]
    if not found:
        raise UserError(f"{where}: no repository under {root} matches {word}")
    return found


def _is_repository(path: Path) -> bool:
    return path.is_dir() and ((path / ".git").exists() or (path / ".copier-answers.yml").exists())


def _refuse_upward(word: str, where: str) -> None:
    if not _is_url(word) and ".." in Path(word).parts:
        raise UserError(f"{where}: {word} leads out of root; set root to the folder above all repositories")


def _printed(command: list[str], root: Path, where: str) -> list[str]:
    subject = f"{where}: the command {' '.join(command)!r}"
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, timeout=_PRINTING, check=False)
    except (OSError, subprocess.TimeoutExpired, IndexError) as error:
        raise UserError(without_secrets(f"{subject} cannot be run: {error}")) from error
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise UserError(without_secrets(f"{subject} failed: {' '.join(reason)}"))
    return [line.strip() for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]


def _is_url(word: str) -> bool:
    return bool(_URL.match(word) or _SCP.match(word))


def entry_of(word: str, root: Path) -> Entry:
    """Return the repository that a word names; one that cannot be read says why.

    Parameters
    ----------
    word : str
        A path inside the root, or a URL.
    root : Path
        Resolved.

    Returns
    -------
    Entry
        With a name that holds no secret.
    """
    if _is_url(word):
        return remote(word)
    path = root / word
    try:
        real = path.resolve()
        name = real.relative_to(root).as_posix() if ".." not in Path(word).parts else ""
    except (ValueError, OSError, RuntimeError):  # outside of the root; a loop of links
        name = ""
    if not name:
        return Entry(clean(word), wrong=f"leads out of {root}; a fleet stays inside its root")
    return Entry(clean(name), path=real)


def remote(word: str) -> Entry:
    """Return the repository at an address, whose user and password stand apart."""
    if _SCP.match(word) and not _URL.match(word):
        return Entry(_named(word.partition("@")[2].replace(":", "/", 1)), url=word)
    try:
        parts = urlsplit(word)
        secret, _, host = parts.netloc.rpartition("@")
    except ValueError:
        return Entry(clean(without_secrets(word)), wrong="is no address")
    name = _named(f"{host}{parts.path}")
    if parts.scheme.lower() not in _SCHEMES or not host:
        return Entry(name or "?", wrong=f"is of a kind that is not fetched; there are {', '.join(_SCHEMES)}")
    # The user of ssh is part of the address; of the others, it may be a token.
    kept = f"{secret.partition(':')[0]}@" if parts.scheme.lower() == "ssh" and secret else ""
    address = f"{parts.scheme}://{kept}{host}{parts.path}"
    return Entry(name, url=address, secret="" if kept == f"{secret}@" else secret)


def _named(place: str) -> str:
    return clean(place.strip("/").removesuffix(".git"))


_CREDENTIALS = re.compile(r"([a-z][a-z0-9+.-]*://)[^/\s@]*@", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """Return a text without the users and passwords of the addresses in it."""
    return _CREDENTIALS.sub(r"\1", text)


def sharded(entries: tuple[Entry, ...], shard: str) -> tuple[Entry, ...]:
    """Return the part of a fleet that one machine of several looks at.

    Parameters
    ----------
    entries : tuple of Entry
        By name.
    shard : str
        `2/5` for the second of five.

    Returns
    -------
    tuple of Entry
        Every repository is in exactly one of the shards.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", shard)
    number, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= count:
        raise UserError(f"--shard is {shard!r}; write the second of five as 2/5")
    return entries[number - 1 :: count]


def shards(count: int) -> Iterator[str]:
    """Return the names of all shards."""
    return (f"{number}/{count}" for number in range(1, count + 1))
