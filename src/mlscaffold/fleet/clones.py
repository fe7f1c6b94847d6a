"""Repositories that are elsewhere, and repositories that are worked on beside: both without their own configuration."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from ..errors import UserError
from ..git import PLAIN, GitError, git, read
from .listing import Entry

# `file` and `ext` are left out: an address must not lead to a repository, or a command, of this machine.
_CONFIG = {
    **PLAIN,
    "protocol.allow": "never",
    **{f"protocol.{kind}.allow": "always" for kind in ("https", "http", "ssh", "git")},
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "20",
    "core.sshCommand": "ssh -oConnectTimeout=10 -oBatchMode=yes",
    "fetch.recurseSubmodules": "false",
    "fetch.fsckObjects": "true",
}

_BRANCH = "fleet"  # what HEAD is called in a repository of ours


def access(entry: Entry) -> dict[str, str]:
    """Return the settings that reach a repository which is elsewhere.

    A password stands in git's environment alone: not in its arguments, which every user of the machine can list, and
    not in the configuration of the clone.
    """
    if not entry.secret:
        return dict(_CONFIG)
    parts = urlsplit(entry.url)
    return {
        **_CONFIG,
        f"url.{parts.scheme}://{entry.secret}@{parts.netloc}/.insteadOf": f"{parts.scheme}://{parts.netloc}/",
    }


def mirror(entry: Entry, cache: Path) -> Path:
    """Fetch a remote repository, or what is new in it.

    Parameters
    ----------
    entry : Entry
        With an address.
    cache : Path
        Where clones are kept.

    Returns
    -------
    Path
        A bare clone of its default branch.

    Raises
    ------
    UserError
        If it is out of reach; the message may hold the password.
    """
    place = cache / hashlib.sha256(entry.url.encode()).hexdigest()[:24]
    try:
        if not place.is_dir():
            cache.mkdir(parents=True, exist_ok=True, mode=0o700)
            git("init", "--quiet", "--bare", "--template=", f"--initial-branch={_BRANCH}", place, config=PLAIN)
        words = ("fetch", "--quiet", "--no-tags", "--force", "--update-head-ok", "--")
        git(*words, entry.url, f"+HEAD:refs/heads/{_BRANCH}", cwd=place, config=access(entry))
    except GitError as error:
        raise UserError(f"cannot be fetched ({error})") from error
    return place


@contextmanager
def borrowed(folder: Path, commit: str) -> Iterator[Path]:
    """Create a repository at a commit of another one, whose objects it uses.

    No git runs with the other one's configuration, hooks or attributes, and its work tree is not touched.

    Parameters
    ----------
    folder : Path
        The other repository, or a folder of it.
    commit : str
        Where to stand.

    Yields
    ------
    Path
        The same folder in the repository beside, which goes at the end of the block.
    """
    about = ("rev-parse", "--git-path", "objects", "--git-path", "shallow", "--show-prefix", "--show-object-format")
    objects, shallow, prefix, kind = read(*about, cwd=folder).decode(errors="surrogateescape").split("\n")[:4]
    with TemporaryDirectory(prefix="mlscaffold-fleet-", ignore_cleanup_errors=True) as scratch:
        beside = Path(scratch).resolve() / "repository"
        git("init", "--quiet", "--template=", f"--object-format={kind}", beside, config=PLAIN)
        info = beside / ".git" / "objects" / "info"
        info.mkdir(exist_ok=True)
        (info / "alternates").write_text(f"{(folder / objects).resolve()}\n", encoding="utf-8")
        if (folder / shallow).is_file():
            shutil.copyfile(folder / shallow, beside / ".git" / "shallow")
        git("checkout", "--quiet", "-B", _BRANCH, commit, cwd=beside, config=PLAIN)
        yield beside / prefix


def hand_over(beside: Path, folder: Path, branch: str, base: str) -> None:
    """Copy a branch of a borrowed repository into the one whose objects it uses.

    Parameters
    ----------
    beside, folder : Path
        The two repositories.
    branch : str
        Its name; there must be none of that name yet.
    base : str
        A commit that both have.
    """
    commit = git("rev-parse", "--verify", f"refs/heads/{branch}", cwd=beside).strip()
    revisions = f"{commit}\n^{base}\n".encode()
    pack = read("pack-objects", "--revs", "--stdout", "--quiet", cwd=beside, stdin=revisions, most=2**30)
    read("unpack-objects", "-q", cwd=folder, stdin=pack)
    # The last word: that the branch is not there yet.
    read("update-ref", f"refs/heads/{branch}", commit, "0" * len(commit), cwd=folder)


def branch_exists(folder: Path, branch: str) -> bool:
    """Whether a repository has a branch."""
    try:
        read("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", cwd=folder)
    except GitError:
        return False
    return True


def secrets_of(entry: Entry) -> Mapping[str, str]:
    """Return what must not be shown of an entry's address, and what stands for it."""
    user, _, password = entry.secret.partition(":")
    return {each: "***" for each in (entry.secret, password, user if not password else "") if each}
