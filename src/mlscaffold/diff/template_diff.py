"""Compare a repository with the template it was made from: what is meant to differ, and what is not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from ..checksums import digest as digest_of
from ..checksums import fingerprint, read
from ..git import PLAIN, git
from ..ownership import Ownership, read_team_rules, read_template_rules
from ..project import ANSWERS, Project, answers_of
from ..render import opened
from ..source import recorded_source
from ..team_package import find_package
from .lost import LostEdit, document, find_lost

if TYPE_CHECKING:
    from ..render.memory import File, Standard

State = Literal["changed", "deleted", "stale", "yours"]
_VERSIONS = 50  # older ones that a changed file is compared with


@dataclass(frozen=True)
class DifferentFile:
    """A file that differs from what the template renders.

    Attributes
    ----------
    path : str
        Seen from the repository's folder.
    state : str
        yours (meant to differ), changed, deleted, or stale (it is what an older version made).
    about : str
        Why it is yours, or the version that a stale file is of.
    gone : bool
        Whether the repository does not have it.
    committed : bool
        Whether the last commit has it as it is.
    wanted : File, optional
        What the template renders; None where it no longer has the file.
    """

    path: str
    state: State
    about: str
    gone: bool
    committed: bool
    wanted: "File | None"


@dataclass(frozen=True)
class TemplateDiff:
    """How a repository differs.

    Attributes
    ----------
    project : Project
        The repository.
    files : int
        How many files the template renders.
    different : tuple of DifferentFile
        By path.
    lost : tuple of LostEdit
        Edits of modules that an update has deleted, and that only git has.
    """

    project: Project
    files: int
    different: tuple[DifferentFile, ...]
    lost: tuple[LostEdit, ...] = ()

    def those(self, *states: State) -> tuple[DifferentFile, ...]:
        """Return the files of some states."""
        return tuple(each for each in self.different if each.state in states)

    @property
    def standard(self) -> tuple[DifferentFile, ...]:
        """Files of the standard that differ though they are not the team's."""
        return self.those("changed", "deleted", "stale")


def compare(project: Project) -> TemplateDiff:
    """Compare a repository, as it is on disk, with the version of the template that it was made from.

    Parameters
    ----------
    project : Project
        The repository; work that is not committed counts.

    Returns
    -------
    TemplateDiff
        What differs.

    Raises
    ------
    UserError
        If the template is not available, or pyproject.toml lists a file of the team without a reason.
    """
    answers = answers_of(project.path / ANSWERS)
    data = {name: each for name, each in answers.items() if not name.startswith("_")}
    if "package" in data:
        data["package"] = find_package(project.path, data)
    team = read_team_rules(project.path)
    with opened(recorded_source(project.url, project.version, project.path), project.path, data) as standard:
        ownership = Ownership({**read_template_rules(standard.config), **team})
        found = _different(project, standard, ownership)
        different = tuple(sorted(found, key=lambda each: each.path))
        files = {path: file.content for path, file in standard.files.items()}
    return TemplateDiff(project, len(files.keys() - {ANSWERS}), different, find_lost(project, files))


def _made(standard: "Standard") -> Mapping[str, "File"]:
    return {path: file for path, file in standard.files.items() if path != ANSWERS}


def _different(project: Project, standard: "Standard", ownership: Ownership) -> Iterator[DifferentFile]:
    rendered = _made(standard)
    off = {path: file for path, file in rendered.items() if not _same(project, path, file)}
    reasons = {path: ownership.reason(path) or _skipped(standard, path) for path in off}
    stale = _stale(project, standard, {path: file for path, file in off.items() if not reasons[path]})
    head = _head(project) if off or stale else {}
    for path, file in {**dict.fromkeys(stale), **off}.items():
        known = head.get((project.inside / path).as_posix())
        found = fingerprint(project.path, path, len(known[0]) if known else 40)
        missing = found is None
        about = reasons.get(path) or stale.get(path, "")
        state: State = "yours" if reasons.get(path) else "stale" if about else "deleted" if missing else "changed"
        yield DifferentFile(path, state, about, missing, found == known, file)


def _head(project: Project) -> dict[str, tuple[str, bool]]:
    """Return the fingerprints of the last commit; `git status` would run what the repository configures as filter."""
    listed = git("ls-tree", "-r", "-z", "--full-tree", "HEAD", cwd=project.root, config=PLAIN)
    entries = (entry.split("\t", 1) for entry in listed.split("\0") if entry)
    return {path: (about.split()[2], about.startswith("100755")) for about, path in entries if about.startswith("100")}


def _same(project: Project, path: str, file: "File") -> bool:
    return fingerprint(project.path, path) == (digest_of(file.content), file.executable)


def _skipped(standard: "Standard", path: str) -> str:
    from ..ownership import FROM_THE_START

    return FROM_THE_START if standard.skips(path) else ""


def _stale(project: Project, standard: "Standard", changed: Mapping[str, "File"]) -> dict[str, str]:
    """Return the version that each stale file is of: a changed one, or one that the template no longer has."""
    origins = {file.origin: path for path, file in changed.items()}
    current = {file.origin for file in standard.files.values()}
    for origin in _dropped(standard) - current:
        path = standard.place(origin)
        if path and path not in standard.files and ".." not in PurePosixPath(path).parts and path[0] != "/":
            origins[origin] = path
    contents = {path: content for path in origins.values() if (content := read(project.path, path)) is not None}
    found: dict[str, str] = {}
    for version, origin, content in _older(standard, [each for each in origins if origins[each] in contents]):
        path, older = origins[origin], standard.once(origin, content)
        if path not in found and older == contents[path] and not (path in changed and older == changed[path].content):
            found[path] = version
    return found


def _dropped(standard: "Standard") -> set[str]:
    words = ("log", "--diff-filter=D", "--no-renames", "--name-only", "--format=", "-z", "HEAD")
    return {name for name in git(*words, cwd=standard.folder, config=PLAIN).split("\0") if name}


def _older(standard: "Standard", origins: list[str]) -> Iterator[tuple[str, str, bytes]]:
    """Yield the older contents of some files of the template, newest version first."""
    names = ("for-each-ref", "--merged=HEAD", "--sort=-version:refname", "--format=%(refname:short)", "refs/tags")
    versions = git(*names, cwd=standard.folder, config=PLAIN).split()[:_VERSIONS]
    pairs = [(version, origin) for version in versions for origin in origins if "\n" not in origin]
    if not pairs:
        return
    stdin = "".join(f"{version}:{origin}\n" for version, origin in pairs).encode(errors="surrogateescape")
    out = git("cat-file", "--batch", cwd=standard.folder, config=PLAIN, stdin=stdin).encode(errors="surrogateescape")
    stream = BytesIO(out)
    for version, origin in pairs:
        head = stream.readline()
        if not head.endswith(b" missing\n"):
            yield version, origin, stream.read(int(head.split()[-1]))
            stream.read(1)


def summary(found: TemplateDiff) -> dict[str, Any]:
    """Return the differences as what `--json` prints."""
    return {
        "version": found.project.version,
        "files": found.files,
        "different": len(found.standard),
        "yours": len(found.those("yours")),
        "lost": document(found.lost),
        "drift": [
            {
                "path": each.path,
                "state": each.state,
                "gone": each.gone,
                "committed": each.committed,
                **({"reason": each.about} if each.state == "yours" else {}),
                **({"version": each.about} if each.state == "stale" else {}),
            }
            for each in found.different
        ],
    }
