"""Find files of the standard that the team's .gitignore hides, and write the lines that include them."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ..git import PLAIN, GitError, git


def masked(paths: Iterable[Path], root: Path) -> dict[Path, Path]:
    """Find files that git would ignore if they came into a repository.

    DVC refuses a pointer that git ignores, and nobody sees a file that `git add` passes over.

    Parameters
    ----------
    paths : iterable of Path
        The files, seen from the root.
    root : Path
        Of the repository.

    Returns
    -------
    dict
        Of each file that is hidden: the .gitignore that hides it, seen from the root.
    """
    return {Path(name): Path(source) for name, source in _ignored([path.as_posix() for path in paths], root)}


def _ignored(names: Iterable[str], root: Path) -> list[tuple[str, str]]:
    stdin = "".join(f"{name}\0" for name in names).encode(errors="surrogateescape")
    try:
        words = ("check-ignore", "--no-index", "--verbose", "--stdin", "-z")
        fields = git(*words, cwd=root, config=PLAIN, stdin=stdin).split("\0")
    except GitError:  # exit code 1: none is
        return []
    found = zip(fields[::4], fields[2::4], fields[3::4], strict=False)
    return [(name, source) for source, pattern, name in found if not pattern.startswith("!")]


def lets_through(hidden: Iterable[Path], source: Path, root: Path) -> list[str]:
    """Write the lines that let hidden files through, and nothing else of the folders that they are in.

    Parameters
    ----------
    hidden : iterable of Path
        The files, seen from the root.
    source : Path
        The .gitignore that hides them.
    root : Path
        Of the repository.

    Returns
    -------
    list of str
        For the end of that file.
    """
    lines: list[str] = []
    for path in sorted(hidden):
        inside = [folder.as_posix() for folder in reversed(path.parents) if source.parent in folder.parents]
        shut = {name for name, _ in _ignored([f"{folder}/" for folder in inside], root)}
        # What is in an ignored folder cannot be let through one by one: the folder is, and then all else in it is shut.
        for folder in (_from(each, source) for each in inside if f"{each}/" in shut):
            lines += [f"!{folder}/", f"{folder}/*"]
        lines.append(f"!{_from(path.as_posix(), source)}")
    return list(dict.fromkeys(lines))


def _from(path: str, source: Path) -> str:
    return f"/{PurePosixPath(path).relative_to(source.parent.as_posix())}"
