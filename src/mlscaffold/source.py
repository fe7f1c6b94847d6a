"""Where the template comes from: a URL or path of the operator's, or the bundle that travels in the wheel."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from .address import for_copier, for_git, is_carried, is_remote
from .bundle import BUNDLE, VENDORED, carried, newest, refreshes, tags
from .credentials import refuse_address
from .errors import UserError
from .git import GitError, git, plain_environment

_IMPATIENT = {
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "10",
    "core.sshCommand": "ssh -oConnectTimeout=10 -oBatchMode=yes",
}


@dataclass(frozen=True)
class Source:
    """A template that can be rendered.

    Attributes
    ----------
    url : str
        What the project records, and where updates come from.
    ref : str, optional
        Tag, branch or commit; None for the newest version.
    bundle : Path, optional
        Bundle that serves it without a network.
    notes : tuple of str
        Messages about it for the user.
    """

    url: str
    ref: str | None = None
    bundle: Path | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def vendored(self) -> bool:
        """Whether the project carries the bundle itself."""
        return self.url == VENDORED

    def at(self, version: str, project: Path) -> "Source":
        """Return another version of the same template, without resolving its address again.

        Parameters
        ----------
        version : str
            The version.
        project : Path
            The folder of the project that records the address, if that is relative.

        Returns
        -------
        Source
            With an address that holds from anywhere; our bundle serves it only if it holds the version.
        """
        place = carried(self.url, project)
        if place is not None:
            return Source(place.as_posix(), version)
        serves = self.bundle is not None and version in tags(self.bundle)
        return replace(self, ref=version, bundle=self.bundle if serves else None, notes=())


def project_url() -> str | None:
    """Return the repository's address in the installed package's metadata, if there is one."""
    try:
        urls = metadata("mlscaffold").get_all("Project-URL") or []
    except PackageNotFoundError:
        return None
    by_label = dict(re.split(r",\s*", url, maxsplit=1) for url in urls if "," in url)
    named = {label.strip().lower(): url.strip() for label, url in by_label.items()}
    return next((named[label] for label in ("template", "repository", "source") if label in named), None)


def template_source(template: str | None = None, ref: str | None = None, bundle: Path = BUNDLE) -> Source:
    """Decide where the template comes from.

    Parameters
    ----------
    template : str, optional
        URL or path the operator has set.
    ref : str, optional
        Version, branch or commit; None for the newest version.
    bundle : Path
        The bundle that came with this package.

    Returns
    -------
    Source
        The template.

    Raises
    ------
    UserError
        If a path is not a template in git, the bundle lacks the version, or the address holds a password.
    """
    refuse_address(template or "")
    own = project_url()
    if template is None and own is None:
        return Source(VENDORED, _version_in(bundle, ref), bundle)
    if template is None or is_ours(template):
        return _ours(template or own or "", ref, bundle)
    return serve(template, ref, bundle) if is_remote(template) else _local(Path(template), ref)


def recorded_source(url: str, version: str, project: Path) -> Source:
    """Resolve the version of the template that a project was made from.

    Parameters
    ----------
    url, version : str
        As the project's answers record them.
    project : Path
        The project's folder, to which a relative address is relative.

    Returns
    -------
    Source
        The template, with an address that holds from anywhere.
    """
    place = carried(url, project)
    address = place.as_posix() if place else url
    return replace(template_source(address, version), url=address)


def update_source(url: str, project: Path, to: str | None, bundle: Path) -> Source:
    """Resolve the version of the template that a project is updated to.

    Parameters
    ----------
    url : str
        As the project's answers record it.
    project : Path
        The project's folder.
    to : str, optional
        The version; the newest if None.
    bundle : Path
        The bundle that came with this package: it serves a project that carries an older one.

    Returns
    -------
    Source
        The template.

    Raises
    ------
    UserError
        If the project's bundle is missing, or there is no such version.
    """
    if not is_carried(url):
        return template_source(url, to, bundle)
    place = carried(url, project)
    if place is None:
        raise UserError(f"{url} is missing, which holds the template; restore it: git checkout -- {url}")
    chosen, notes = _newer(place, bundle)
    tagged = tags(chosen)
    version = to or newest(list(tagged))
    if version is None or version not in tagged:
        raise UserError(
            f"there is no version {to or 'at all'} of the template; the versions are {', '.join(tagged) or 'none'}"
        )
    return Source(url, version, chosen, notes)


def _newer(place: Path, bundle: Path) -> tuple[Path, tuple[str, ...]]:
    if refreshes(bundle, place):
        return bundle, ()
    latest = newest(list(tags(bundle)))
    if latest and tags(bundle).items() - tags(place).items():
        return place, (
            f"the template of this mlscaffold ({latest}) is another one than the repository's own, which was used",
        )
    return place, ()


def is_ours(url: str) -> bool:
    """Whether an address is that of the installed package's own repository."""
    own = project_url() if is_remote(url) else None
    return bool(own) and for_git(url) == for_git(own or "")


def _ours(url: str, ref: str | None, bundle: Path) -> Source:
    tagged = tags(bundle)
    version = ref or newest(list(tagged))
    return Source(for_copier(url), version, bundle) if version in tagged else serve(url, ref, bundle)


def serve(url: str, ref: str | None, bundle: Path = BUNDLE) -> Source:
    """Take a template from its URL, or from our bundle where the URL is out of reach."""
    address = for_copier(url)
    try:
        listed = git("ls-remote", "--tags", "--refs", "--", for_git(address), config=_IMPATIENT)
    except GitError as error:
        return _stand_in(address, ref, bundle, error)
    names = [line.rpartition("refs/tags/")[2] for line in listed.splitlines()]
    return Source(address, ref or newest(names) or "HEAD", None, _without_version(address, names, ref))


def _stand_in(address: str, ref: str | None, bundle: Path, error: GitError) -> Source:
    tagged = tags(bundle)
    version = ref or newest(list(tagged))
    if version is None or version not in tagged:
        raise UserError(
            f"the template {address} is out of reach ({_reason(error)}), and version {version or 'none'} did not come "
            f"with mlscaffold; check the address and the network, or leave --template and --ref out"
        )
    note = f"{address} is out of reach; used version {version} of the template that came with mlscaffold"
    return Source(address, version, bundle, (note,))


def _reason(error: GitError) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if "fatal:" in line), lines[0] if lines else "git failed").strip()


def _local(path: Path, ref: str | None) -> Source:
    folder = path.expanduser().resolve()
    if not folder.exists():
        raise UserError(f"there is no template at {path}; check --template")
    if folder.is_file():
        names = list(tags(folder))
        if not names:
            raise UserError(f"{path} is not a git bundle with versions; give a git repository, a URL or a bundle")
        return Source(folder.as_posix(), ref or newest(names) or "HEAD")
    try:
        if Path(git("rev-parse", "--show-toplevel", cwd=folder).strip()).resolve() != folder:
            raise UserError(f"{path} is a folder inside a git repository; give the repository's root")
        names = git("tag", "--list", cwd=folder).split()
    except GitError as error:
        raise UserError(
            f"{path} is not a git repository, so a project made from it could never be updated; "
            f"`git init` and commit it ({_reason(error)})"
        ) from error
    chosen = ref or newest(names) or "HEAD"
    return Source(folder.as_posix(), chosen, None, _without_version(str(path), names, ref))


def _without_version(where: str, names: list[str], ref: str | None) -> tuple[str, ...]:
    if ref or newest(names):
        return ()
    return (f"{where} has no tag that is a version: used HEAD; tag it (v0.1.0), so that updates know where they are",)


def _version_in(bundle: Path, ref: str | None) -> str:
    tagged = tags(bundle)
    version = ref or newest(list(tagged))
    if version is None:
        raise UserError("this installation carries no template; install mlscaffold again, or give --template")
    if version not in tagged:
        raise UserError(f"no version {version} of the template came with mlscaffold; there are {', '.join(tagged)}")
    return version


@contextmanager
def served(source: Source) -> Iterator[None]:
    """Let git find the template: plain configuration, a private cache, the bundle in place of a URL."""
    with (
        TemporaryDirectory(prefix="mlscaffold-cache-", ignore_cleanup_errors=True) as cache,
        plain_environment(_instead(source), COPIER_CACHE_DIR=cache),
    ):
        yield


def _instead(source: Source) -> Mapping[str, str]:
    if source.bundle is None or source.vendored:
        return {}
    return {f"url.{source.bundle.as_posix()}.insteadOf": for_git(source.url)}


def vendor(source: Source, project: Path) -> None:
    """Put the bundle into a project that has no other place to be updated from."""
    if source.vendored and source.bundle is not None:
        place = project / VENDORED
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.bundle, place)
