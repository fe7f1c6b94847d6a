"""Pull and merge requests, opened by the forge's own tool: `gh` or `glab`."""

import shutil
import subprocess
from pathlib import Path

from ..errors import UserError
from ..git import GitError, git, read
from ..update.branch import Proposal
from .clones import access
from .listing import Entry, remote

_LONGEST = 60_000  # characters of a description; GitHub takes 65,536
_WAITING = 120  # seconds for one answer of a forge


def open_request(entry: Entry, folder: Path, beside: Path, proposal: Proposal) -> str:
    """Push a branch and ask for its merge.

    Parameters
    ----------
    entry : Entry
        The repository.
    folder, beside : Path
        Where it is, and where the branch is.
    proposal : Proposal
        The update.

    Returns
    -------
    str
        What the tool printed last: the address of the request.

    Raises
    ------
    UserError
        If the tool is not installed, or a step fails.
    """
    forge = entry if entry.url else _origin(folder)
    tool = _tool(forge, beside)
    if not _is_there(forge, proposal.branch, beside):
        try:
            git("push", "--quiet", "--no-verify", "--", forge.url, proposal.branch, cwd=beside, config=access(forge))
        except GitError as error:
            raise UserError(f"the branch cannot be pushed ({error})") from error
    text = proposal.description.read_text(encoding="utf-8")
    title, _, body = text.partition("\n")
    return _said(_words(tool, forge, proposal.branch, (title.removeprefix("# "), body.strip()[:_LONGEST])), beside)


def _is_there(forge: Entry, branch: str, beside: Path) -> bool:
    """Whether the forge has this branch already, with the same files: an earlier run pushed it, and got no further."""
    there = "refs/mlscaffold/there"
    try:
        git(
            "fetch",
            "--quiet",
            "--no-tags",
            "--",
            forge.url,
            f"+refs/heads/{branch}:{there}",
            cwd=beside,
            config=access(forge),
        )
    except GitError:
        return False
    return len({git("rev-parse", f"{each}^{{tree}}", cwd=beside) for each in (there, branch)}) == 1


def _origin(folder: Path) -> Entry:
    try:
        address = read("config", "--get", "remote.origin.url", cwd=folder).decode(errors="replace").strip()
    except GitError as error:
        raise UserError("has no remote `origin` to push to") from error
    found = remote(address)
    if found.wrong or not found.url:
        raise UserError(f"has a remote `origin` that {found.wrong or 'is no address'}")
    return found


def _tool(forge: Entry, beside: Path) -> str:
    host = forge.name.partition("/")[0]
    gitlab = "gitlab" in host or ("github" not in host and (beside / ".gitlab-ci.yml").is_file())
    tool = "glab" if gitlab else "gh"
    if shutil.which(tool) is None:
        raise UserError(f"{tool} is not installed, which opens the request; install it, or leave --pull-requests out")
    return tool


def _words(tool: str, forge: Entry, branch: str, text: tuple[str, str]) -> list[str]:
    title, body = text
    if tool == "gh":
        return [tool, "pr", "create", "--repo", forge.name, "--head", branch, "--title", title, "--body", body]
    where = ["--repo", forge.url, "--source-branch", branch]
    return [tool, "mr", "create", *where, "--title", title, "--description", body, "--yes"]


def _said(words: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            words, cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, timeout=_WAITING, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(f"{words[0]} did not answer within {_WAITING} s; the branch is pushed") from error
    if done.returncode:
        stderr = done.stderr.decode(errors="replace").strip()
        raise UserError(f"{words[0]} failed ({stderr}); the branch is pushed")
    return (done.stdout.decode(errors="replace").strip().splitlines() or [""])[-1]
