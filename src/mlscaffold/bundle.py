"""Bundles of a template's versions: the one that came with this package, and those that repositories carry."""

import re
from pathlib import Path
from typing import BinaryIO

from .address import is_carried
from .errors import UserError

BUNDLE = Path(__file__).with_name("template.bundle")
VENDORED = ".mlscaffold/template.bundle"


def tags(bundle: Path) -> dict[str, str]:
    """Return the commits of a bundle's versions, by tag, oldest first, read from its header."""
    try:
        with bundle.open("rb") as file:
            return tags_in(file)
    except FileNotFoundError:
        return {}


def tags_in(file: BinaryIO) -> dict[str, str]:
    """Return what `tags` does, of a bundle that is open."""
    found: dict[str, str] = {}
    if not file.readline().startswith(b"# v"):
        return {}
    for line in iter(file.readline, b"\n"):
        commit, _, name = line.decode(errors="replace").strip().partition(" ")
        if not name:
            break
        if name.startswith("refs/tags/"):
            found[name.removeprefix("refs/tags/")] = commit
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def newest(names: list[str]) -> str | None:
    """Return the newest of some tags, by version; tags that are no versions and pre-releases do not count."""
    from packaging.version import InvalidVersion, Version

    versions = []
    for name in names:
        try:
            version = Version(name)
        except InvalidVersion:
            continue
        if not version.is_prerelease:
            versions.append((version, name))
    return max(versions)[1] if versions else None


def _order(name: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", name))


def carried(url: str, project: Path) -> Path | None:
    """Return the bundle that a project carries itself, if its template's address is one.

    Parameters
    ----------
    url : str
        As the project's answers record it.
    project : Path
        Its folder.

    Returns
    -------
    Path or None
        None where the template comes from elsewhere, or the bundle is missing.

    Raises
    ------
    UserError
        If the address leads out of the project: anybody may have written it, and updates write there.
    """
    if not is_carried(url):
        return None
    place = project / url
    if ".." in Path(url).parts or not place.resolve().is_relative_to(project.resolve()):
        raise UserError(
            f"the template's address {url} in .copier-answers.yml leads out of the repository; "
            "put the address back that it was made from"
        )
    return place if place.is_file() else None


def refreshes(bundle: Path, place: Path) -> bool:
    """Whether a bundle holds all that another holds, and more."""
    ours, theirs = tags(bundle), tags(place)
    return ours != theirs and theirs.items() <= ours.items()
