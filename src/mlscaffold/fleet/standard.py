"""The standard that a fleet follows: its versions, and what they copy."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from ..address import for_git, is_carried, plain_address
from ..bundle import BUNDLE, newest, tags, tags_in
from ..checksums import Checksums, load_checksums
from ..errors import UserError
from ..git import PLAIN, GitError, git
from ..source import template_source
from .committed import Committed


@dataclass(frozen=True)
class Standard:
    """A template, as a bundle on this machine.

    Attributes
    ----------
    bundle : Path
        All of its versions.
    commits : dict
        Of its versions, oldest first.
    url : str
        What the repositories record that follow it; empty for the one that they carry themselves.
    """

    bundle: Path
    commits: dict[str, str]
    url: str = ""

    @property
    def newest(self) -> str:
        """The newest version."""
        return newest(list(self.commits)) or ""

    def behind(self, version: str) -> int | None:
        """Count the versions that are newer; None where the version is none of the standard's."""
        return list(self.commits)[::-1].index(version) if version in self.commits else None

    def checksums(self, version: str) -> Checksums | None:
        """Return what a version copies; None where it is none of the standard's."""
        return load_checksums(self.bundle, self.commits[version]) if version in self.commits else None

    def follows(self, repository: Committed, url: str, version: str) -> bool:
        """Whether a repository was made from this standard, and not from another one with a version of that name."""
        if not is_carried(url):
            return bool(self.url) and plain_address(url) == plain_address(self.url)
        carried = repository.content(url) if url in repository.known else None
        return carried is not None and tags_in(BytesIO(carried)).get(version) == self.commits.get(version)


@contextmanager
def standard(template: str | None, bundle: Path = BUNDLE) -> Iterator[Standard]:
    """Open the standard of a fleet.

    Parameters
    ----------
    template : str, optional
        Address or path; None for the one that comes with mlscaffold.
    bundle : Path
        That one.

    Yields
    ------
    Standard
        Available while the block is open.
    """
    if template is None:
        yield Standard(bundle, tags(bundle))
        return
    source = template_source(template, None, bundle)
    place = Path(source.url)
    if source.bundle is not None or place.is_file():
        found = source.bundle or place
        yield Standard(found, tags(found), source.url)
        return
    with TemporaryDirectory(prefix="mlscaffold-standard-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "standard.bundle"
        try:
            git("clone", "--quiet", "--bare", "--", for_git(source.url), Path(folder) / "git", config=PLAIN)
            git("bundle", "create", "--quiet", copy, "--tags", cwd=Path(folder) / "git", config=PLAIN)
        except GitError as error:
            raise UserError(f"the template {template} is not available ({error}); does it have tags?") from error
        yield Standard(copy, tags(copy), source.url)
