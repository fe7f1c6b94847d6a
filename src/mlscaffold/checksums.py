"""Compare the files that a template copies byte for byte with a repository's, by checksum, without rendering.

Nine files in ten of the standard are such copies. Their digests stand in the template's git, once for all repositories
of a version, so a repository costs no more than reading these files of it: no git, no Jinja, no copier.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from .bundle import BUNDLE, carried, tags
from .errors import UserError
from .git import PLAIN, GitError, git
from .ownership import Ownership, read_team_rules, read_template_rules
from .source import is_ours

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

Files = Mapping[str, tuple[str, bool]]
LARGEST = 50_000_000  # bytes of a bundle, or of a file, that are looked at
_ANSWER = re.compile(r"\{\{ *(\w+) *\}\}")
_TAG = re.compile(r"\{%.*?%\}")
_READ: dict[str, "Checksums"] = {}  # by commit; a fleet has few versions and many repositories


@dataclass(frozen=True)
class Checksums:
    """Checksums of the files that a version of a template copies.

    Attributes
    ----------
    files : mapping
        git's digest of each file, and whether it can be run, by path; `{{ answer }}` may stand in a path.
    owned : mapping
        The template's table of files that are the team's, with why.
    """

    files: Files
    owned: Mapping[str, str]


@dataclass(frozen=True)
class Comparison:
    """How the copied files of a repository compare with the template.

    Attributes
    ----------
    looked_at : int
        How many files were compared.
    changed : tuple of str
        Those that differ from the standard.
    deleted : tuple of str
        Those that are not there.
    owned : tuple of str
        Those that differ or are not there, and may: they are the team's.
    """

    looked_at: int
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    owned: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many files of the standard differ."""
        return len(self.changed) + len(self.deleted)


def compare_repository(
    root: Path, answers: Mapping[str, Any], bundle: Path | None = None, where: Callable[[str], Path] | None = None
) -> Comparison | None:
    """Compare the copied files of a repository on disk with the version of the template that it was made from.

    Parameters
    ----------
    root : Path
        The repository's folder.
    answers : mapping
        What its .copier-answers.yml says.
    bundle : Path, optional
        A bundle of the same template, for a repository that carries none. Left out, the one that came with this package
        stands in, if the repository was made from the package's own address.
    where : callable, optional
        Returns the folder of a path, where that is not `root` for all.

    Returns
    -------
    Comparison or None
        None where nobody carries that version.

    Raises
    ------
    UserError
        If pyproject.toml lists a file of the team without a reason.
    """
    at = where or (lambda _: root)
    checksums = _copies_of(at(str(answers.get("_src_path") or "")), answers, bundle)
    if checksums is None:
        return None
    ownership = Ownership({**checksums.owned, **read_team_rules(at("pyproject.toml"))})
    return compare_checksums(
        checksums,
        answers,
        ownership,
        lambda path: fingerprint(at(path), path),
        lambda path: os.path.lexists(at(path) / path),
    )


def compare_checksums(
    checksums: Checksums,
    answers: Mapping[str, Any],
    ownership: Ownership,
    found: Callable[[str], tuple[str, bool] | None],
    there: Callable[[str], bool],
) -> Comparison:
    """Compare files, wherever they are stored, with the checksums of a version.

    Parameters
    ----------
    checksums : Checksums
        The version.
    answers : mapping
        Of the repository.
    ownership : Ownership
        Files that may differ.
    found : callable
        Returns the fingerprint of a path.
    there : callable
        Whether anything is at a path.

    Returns
    -------
    Comparison
        The result.
    """
    changed: list[str] = []
    deleted: list[str] = []
    owned: list[str] = []
    looked_at = 0
    for path, checksum in resolve_paths(checksums.files, answers):
        looked_at += 1
        if found(path) != checksum:
            (owned if ownership.reason(path) else changed if there(path) else deleted).append(path)
    return Comparison(looked_at, tuple(changed), tuple(deleted), tuple(owned))


def _copies_of(root: Path, answers: Mapping[str, Any], bundle: Path | None) -> Checksums | None:
    url, version = str(answers.get("_src_path") or ""), str(answers.get("_commit") or "")
    place = _vendored(root, url) or bundle or (BUNDLE if is_ours(url) else None)
    commit = tags(place).get(version) if place else None
    return load_checksums(place, commit) if place and commit else None


def _vendored(root: Path, url: str) -> Path | None:
    """Return the bundle inside a repository, if its address is one that leads nowhere else."""
    try:
        place = carried(url, root)
    except UserError:
        return None
    return place if place and place.stat().st_size <= LARGEST else None


def resolve_paths(files: Files, answers: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, bool]]]:
    """Yield the files of a version at the paths that the answers give them."""
    for path, checksum in files.items():
        place = _ANSWER.sub(lambda found: str(answers.get(found[1], "{")), path) if "{" in path else path
        if "{" not in place and ".." not in place.split("/") and not place.startswith("/"):
            yield place, checksum


def fingerprint(root: Path, path: str, length: int = 40) -> tuple[str, bool] | None:
    """Return git's digest of a file and whether it can be run; None where there is none, also behind a link.

    Parameters
    ----------
    root : Path
        A folder.
    path : str
        The file, as seen from there.
    length : int
        Of git's names: 64 in a repository that uses SHA-256.

    Returns
    -------
    tuple or None
        None also for a link, a folder and what is too large to be a file of the standard.
    """
    content = read(root, path)
    if content is None:
        return None
    mode = (root / path).lstat().st_mode
    return digest(content, length), bool(mode & stat.S_IXUSR)


def read(root: Path, path: str) -> bytes | None:
    """Return a file's content, never through a link; None where there is no file."""
    file = os.path.join(root, path)  # noqa: PTH118 - twice as quick as pathlib, for 150 files a repository
    try:
        if _linked(str(root), os.path.dirname(path)):  # noqa: PTH120
            return None
        found = os.lstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
            return None
        with open(file, "rb") as opened:  # noqa: PTH123
            return opened.read()
    except (OSError, ValueError):
        return None


def _linked(root: str, folder: str) -> bool:
    while folder:
        if os.path.islink(os.path.join(root, folder)):  # noqa: PTH114, PTH118
            return True
        folder = os.path.dirname(folder)  # noqa: PTH120
    return False


def digest(content: bytes, length: int = 40) -> str:
    """Return the name that git gives a content; of 64 letters in a repository that uses SHA-256."""
    algorithm = hashlib.sha256 if length == 64 else hashlib.sha1
    return algorithm(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def load_checksums(place: Path, commit: str) -> Checksums | None:
    """Read a version out of a bundle, once: git names a commit by its content, so no other has that name."""
    if commit in _READ:
        return _READ[commit]
    try:
        with TemporaryDirectory(prefix="mlscaffold-bundle-", ignore_cleanup_errors=True) as folder:
            scratch = Path(folder)
            git("init", "--quiet", "--bare", "--template=", cwd=scratch, config=PLAIN)
            git("bundle", "unbundle", place.resolve(), cwd=scratch, config=PLAIN)
            found = _listed(scratch, commit)
    except (GitError, ValueError):
        return None
    _READ[commit] = found
    return found


def _listed(repository: Path, commit: str) -> Checksums:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loaded = yaml.load(git("show", f"{commit}:copier.yml", cwd=repository), Loader=loader)  # noqa: S506 - a safe one
    except yaml.YAMLError as error:
        raise ValueError("copier.yml cannot be read") from error
    config = loaded if isinstance(loaded, dict) else {}
    folder, suffix = str(config.get("_subdirectory") or ""), str(config.get("_templates_suffix") or ".jinja")
    files: dict[str, tuple[str, bool]] = {}
    listed = git("ls-tree", "-r", "-z", "--full-tree", commit, "--", folder or ".", cwd=repository)
    for entry in filter(None, listed.split("\0")):
        kind, path = entry.split("\t", 1)
        mode, _, name = kind.split(" ")
        if mode.startswith("100"):
            files[path.removeprefix(f"{folder}/")] = (name, mode == "100755")
    # Without a folder of its own a template's other files (copier.yml, its tests) stand among those it renders.
    rendered = {path for path in files if path.endswith(suffix)} if folder and "{" not in folder else set(files)
    beside = {path.removesuffix(suffix) for path in rendered}
    left = rendered | beside | set(_conditional(config).match_files(files))
    return Checksums({path: each for path, each in files.items() if path not in left}, read_template_rules(config))


def _conditional(config: Mapping[str, Any]) -> "GitIgnoreSpec":
    """Return the patterns of `_exclude` without their conditions: such a file may be absent, depending on an answer."""
    from pathspec import GitIgnoreSpec

    patterns = config.get("_exclude")
    return GitIgnoreSpec.from_lines(
        _TAG.sub("", str(each)) for each in (patterns if isinstance(patterns, list) else [])
    )
