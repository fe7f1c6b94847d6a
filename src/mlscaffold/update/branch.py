"""Commit a planned update to a branch, run the repository's checks there, and describe it for review."""

import os
import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..changelog import between
from ..check.run import Standing
from ..errors import UserError
from ..git import PLAIN, asked, git, identity, undisturbed
from .preview import Plan, conflict

CHECKS = ("make lint", "make test")
DESCRIPTION = "mlscaffold-pull-request.md"  # in git's own folder: the work tree stays clean
_DECIDE = "The template no longer has these modules. Delete a patch, or keep all: `mlscaffold update --accept-edits`."
_LINES = 30  # of a failing check's output that a reviewer is shown


@dataclass(frozen=True)
class Checked:
    """The result of one of the repository's own checks.

    Attributes
    ----------
    command : str
        As it was run, in a work tree of the branch.
    passed : bool
        Whether it exited with 0.
    said : str
        The end of its output.
    """

    command: str
    passed: bool
    said: str


@dataclass(frozen=True)
class Proposal:
    """An update on a branch.

    Attributes
    ----------
    branch : str
        Its name.
    description : Path
        Markdown for the pull request.
    checks : tuple of Checked
        Empty where they were not run: conflicts are left, or none were asked for.
    """

    branch: str
    description: Path
    checks: tuple[Checked, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.passed for check in self.checks)


def propose(planned: Plan, judge: Callable[[Path], Standing], checks: Sequence[str] = CHECKS) -> Proposal | None:
    """Commit a planned update to a branch; the repository's own files and branch stay as they are.

    Parameters
    ----------
    planned : Plan
        A plan that is still open.
    judge : callable
        Checks a folder, before and after.
    checks : sequence of str
        Commands of the repository that are run on the branch, unless conflicts are left.

    Returns
    -------
    Proposal or None
        None where there is nothing to do.

    Raises
    ------
    UserError
        If there is such a branch already.
    """
    if planned.tree is None:
        return None
    name, root = f"mlscaffold/{_short(planned)}", planned.project.root
    if asked("rev-parse", "--verify", "--quiet", f"refs/heads/{name}", cwd=root):
        raise UserError(f"there is a branch {name} already; merge it, or delete it: git branch -D {name}")
    commit = _commit(planned, planned.tree)
    git("reset", "--quiet", "--hard", commit, cwd=planned.tree, config=PLAIN)
    folder = planned.tree / planned.project.inside
    standings = judge(planned.project.path), judge(folder)
    ran = () if planned.conflicts else tuple(_checked(command, folder) for command in checks)
    description = planned.project.git_dir / DESCRIPTION
    description.write_text(describe(planned, _hunks(planned), standings, ran), encoding="utf-8")
    git("branch", name, commit, cwd=root)
    return Proposal(name, description, ran)


def _short(planned: Plan) -> str:
    if planned.version == planned.project.version and planned.overlays:
        return "-".join(f"{each.name}-{each.now}" for each in planned.overlays)
    return planned.version


def _commit(planned: Plan, tree: Path) -> str:
    """Commit what the update does, and only that, on top of the repository's own commit."""
    root = planned.project.root
    base = git("rev-parse", "HEAD", cwd=root).strip()
    git("read-tree", base, cwd=tree)
    paths = b"".join(os.fsencode(each.path.as_posix()) + b"\0" for each in planned.changes)
    git("update-index", "--add", "--remove", "-z", "--stdin", cwd=tree, config=PLAIN, stdin=paths)
    written = git("write-tree", cwd=tree).strip()
    name = identity(root)
    user = {"user.name": name[0], "user.email": name[1]} if name else {}
    message = f"Update the standard: {planned.steps}" if planned.overlays else f"Update the standard {planned.steps}"
    return git("commit-tree", written, "-p", base, "-m", message, cwd=tree, config=user).strip()


def _checked(command: str, folder: Path) -> Checked:
    """Run a command of the repository's owner, in the repository's environment and not in ours."""
    environ = {name: text for name, text in undisturbed(os.environ).items() if name != "VIRTUAL_ENV"}
    words = shlex.split(command)
    try:
        done = subprocess.run(
            words, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    except (FileNotFoundError, IndexError):
        raise UserError(f"--check {command!r} cannot be run: there is no such command") from None
    lines = done.stdout.decode(errors="replace").splitlines()
    return Checked(command, done.returncode == 0, "\n".join(lines[-_LINES:]))


def _hunks(planned: Plan) -> dict[Path, tuple[str, ...]]:
    return {path: conflict(planned, path) for path in planned.conflicts}


def describe(
    planned: Plan,
    hunks: dict[Path, tuple[str, ...]],
    standings: tuple[Standing, Standing],
    checks: Sequence[Checked],
) -> str:
    """Write the description of an update for its reviewer, as Markdown.

    Parameters
    ----------
    planned : Plan
        The update.
    hunks : dict
        The conflicting lines of each file.
    standings : tuple of Standing
        Before and after.
    checks : sequence of Checked
        The results of the repository's checks.

    Returns
    -------
    str
        Markdown; the first line is the title.
    """
    parts = [
        f"# Update the standard{':' if planned.overlays else ''} {planned.steps}",
        _changed(planned),
        *_conflicts(hunks),
        *_edits(planned),
        *_by_hand(planned),
        _score(*standings),
        *_results(checks, conflicts=bool(hunks)),
        _files(planned),
    ]
    return "\n\n".join(parts) + "\n"


def _changed(planned: Plan) -> str:
    changelog = between(planned.changelog, planned.project.version, planned.version)
    if not changelog:
        return "The template has no changelog for these versions."
    deeper = changelog.replace("\n## ", "\n### ")
    return f"## What changed in the standard\n\n#{deeper}"


def _conflicts(hunks: dict[Path, tuple[str, ...]]) -> list[str]:
    if not hunks:
        return []
    lines = ["## Conflicts", "They are committed with their markers; solve them on this branch before merging."]
    for path, found in hunks.items():
        lines.append(f"`{path.as_posix()}`")
        lines += [f"```\n{hunk}\n```" for hunk in found]
    return lines


def _edits(planned: Plan) -> list[str]:
    """Describe the edits to decide on, each with its diff, and the lines to rewrite."""
    parts = ["## Edits to decide on", _DECIDE] if planned.undecided else []
    for edit in planned.undecided:
        about = [
            f"`{edit.path}` is kept in `{edit.patch}`.",
            *([f"Library: `{edit.place.module}`."] if edit.place.module else []),
            *([f"Extension point: {edit.place.point}."] if edit.place.point else []),
        ]
        parts += [" ".join(about), f"```diff\n{edit.diff.encode(errors='replace').decode()}```"]
    if planned.imports:
        lines = [f"- `{each.path}:{each.line}`: `{each.text}`; now `{each.instead}`" for each in planned.imports]
        parts += ["## Lines to rewrite", "They name modules that are in the library now.", "\n".join(lines)]
    return parts


def _by_hand(planned: Plan) -> list[str]:
    lines = [
        f"- Your changes to `{each.path.as_posix()}` were merged into `{each.moved_to.as_posix()}`, its new place."
        for each in planned.carried
    ]
    lines += [
        f"- `{each.path.as_posix()}` has local changes, but the template "
        + (f"renamed it to `{each.moved_to.as_posix()}`" if each.moved_to else "no longer has it")
        + ": copy them to where they belong, then delete it."
        for each in planned.dropped
    ]
    lines += [
        f"- `{path.as_posix()}` is a local file, ignored by git, where the template has one now: it was left out."
        for path in planned.kept
    ]
    lines += [f"- `{path.as_posix()}` was deleted by you and stays so." for path in planned.removed]
    return ["## To look at by hand", "\n".join(lines)] if lines else []


def _score(before: Standing, after: Standing) -> str:
    was, now = (f"{each.score} of 100" if each.score is not None else "nothing to look at" for each in (before, after))
    lines = [f"- Passes now: {each}" for each in before.failing if each not in after.failing]
    lines += [f"- **Fails now**: {each}" for each in after.failing if each not in before.failing]
    return "\n\n".join(
        ["## Score", f"`mlscaffold check`: {was} before, {now} after.", *(["\n".join(lines)] if lines else [])]
    )


def _results(checks: Sequence[Checked], *, conflicts: bool) -> list[str]:
    if conflicts:
        return ["## Checks", "Not run: conflicts are left."]
    if not checks:
        return []
    lines = [f"- `{check.command}` {'passed' if check.passed else '**failed**'}" for check in checks]
    failed = [f"`{check.command}` ended with:\n\n```\n{check.said}\n```" for check in checks if not check.passed]
    return ["## Checks", "\n".join(lines), *failed]


def _files(planned: Plan) -> str:
    lines = [f"- {each.kind}: `{each.path.as_posix()}`" for each in planned.changes]
    return f"<details><summary>{len(lines)} files</summary>\n\n" + "\n".join(lines) + "\n\n</details>"
