"""Update the repositories of a fleet to the newest standard: a branch for each, a few of them first."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..check.run import standing
from ..errors import UserError
from ..git import GitError, read
from ..update.branch import CHECKS, DESCRIPTION, Proposal, propose
from ..update.preview import Plan
from .clones import branch_exists, hand_over
from .committed import head
from .conflicts import tried
from .listing import Entry
from .pulls import open_request
from .record import clean
from .running import Failed, Pace, run
from .standard import Standard
from .store import Store
from .survey import place, reason

GOOD = ("proposed", "opened")


@dataclass(frozen=True)
class Order:
    """What is to be done with every repository.

    Attributes
    ----------
    standard : Standard
        Where it goes: to its newest version.
    cache : Path
        Where clones of repositories are kept that are elsewhere.
    checks : tuple of str
        Commands of each repository that are run on its branch.
    only_clean : bool
        Whether to leave out a repository whose update leaves something to a person.
    requests : bool
        Whether to push each branch and open a pull request.
    """

    standard: Standard
    cache: Path
    checks: tuple[str, ...] = CHECKS
    only_clean: bool = False
    requests: bool = False

    @property
    def branch(self) -> str:
        """Where the update is put."""
        return f"mlscaffold/{self.standard.newest}"


@dataclass(frozen=True)
class Done:
    """What became of one repository.

    Attributes
    ----------
    state : str
        proposed (on a branch, its checks passed), opened (and a pull request), checks failed (on a branch), conflicts
        (on a branch, with markers, edits to decide on or lines to rewrite), left out (--only-clean), waiting (there is
        such a branch already), failed.
    about : str
        The pull request, the files, the checks that failed, or the reason.
    checked : bool
        Whether its checks were run.
    """

    state: str
    about: str = ""
    checked: bool = False


@dataclass(frozen=True)
class Waves:
    """The repositories in the order of their turns; those that are done already have none."""

    canary: tuple[Entry, ...]
    rest: tuple[Entry, ...] = ()
    done: tuple[str, ...] = field(default=())


def waves(entries: tuple[Entry, ...], store: Store, version: str, canary: int) -> Waves:
    """Return the repositories in the order in which they are updated.

    Parameters
    ----------
    entries : tuple of Entry
        All that are behind.
    store : Store
        Knows what an earlier run has done.
    version : str
        Where they are to go.
    canary : int
        How many go first, counting those that are done; 0 for all at once.

    Returns
    -------
    Waves
        Whose turn it is.
    """
    before = store.updates(version)
    done = tuple(entry.name for entry in entries if before.get(entry.name) in GOOD)
    left = tuple(entry for entry in entries if entry.name not in done)
    first = max(0, canary - len(done)) if canary else len(left)
    return Waves(left[:first], left[first:], done)


def update(entries: tuple[Entry, ...], order: Order, store: Store, pace: Pace) -> Iterator[tuple[str, Done]]:
    """Update repositories, and yield each result as soon as it is known.

    Parameters
    ----------
    entries : tuple of Entry
        One wave.
    order : Order
        What to do.
    store : Store
        Where it is kept.
    pace : Pace
        How many at a time.

    Yields
    ------
    name, done
        In the order in which they end.
    """
    for entry, found in run(_one, order, entries, pace):
        done = Done("failed", reason(entry, found.reason)) if isinstance(found, Failed) else found
        done = replace(done, about=reason(entry, done.about))
        store.updated(entry.name, order.standard.newest, done.state)
        yield entry.name, done


def sound(found: list[Done], waves: Waves) -> bool:
    """Whether the canary lets the others follow: no check failed, and at least one repository was checked."""
    if any(done.state in ("checks failed", "failed") for done in found):
        return False
    return bool(waves.done) or any(done.checked for done in found)


def _one(order: Order, entry: Entry) -> Done:
    folder = place(entry, order.cache)
    if entry.path is None and not order.requests:
        raise UserError("is elsewhere, so its branch has to be pushed: --pull-requests")
    if branch_exists(folder, order.branch):
        return Done("waiting", f"there is a branch {order.branch} already; merge it, or delete it")
    try:
        return _on_a_branch(order, entry, folder)
    except GitError as error:
        raise UserError(f"git failed: {error}") from error


def _on_a_branch(order: Order, entry: Entry, folder: Path) -> Done:
    commit = head(folder)
    with tried(folder, commit, order.standard) as (beside, found):
        planned = found if entry.path is None else _spared(found, folder)
        if order.only_clean and (by_hand := _by_hand(planned)):
            return Done("left out", ", ".join(by_hand))
        proposal = propose(planned, standing, order.checks)
        if proposal is None and planned.edits:
            return Done("conflicts", ", ".join(_by_hand(planned)))
        if proposal is None:
            return Done("failed", "there is nothing to update")
        # It is pushed before it is put here: a push that fails leaves no branch behind, so the next run tries again.
        done = _ending(order, entry, folder, beside, (planned, proposal))
        if entry.path is not None:
            hand_over(beside, folder, order.branch, commit)
            _describe(proposal, folder)
        return done


def _ending(order: Order, entry: Entry, folder: Path, beside: Path, made: tuple[Plan, Proposal]) -> Done:
    planned, proposal = made
    checked = bool(proposal.checks)
    if not proposal.passed:
        failed = ", ".join(check.command for check in proposal.checks if not check.passed)
        return Done("checks failed", clean(failed), checked)
    if not planned.complete:
        return Done("conflicts", ", ".join(_by_hand(planned)))
    if order.requests:
        return Done("opened", clean(open_request(entry, folder, beside, proposal)), checked)
    return Done("proposed", order.branch, checked)


def _spared(planned: Plan, folder: Path) -> Plan:
    """Remove what the template adds over a local file of the real repository: merging would overwrite it."""
    inside = planned.project.inside
    local = {
        each.path
        for each in planned.changes
        if each.kind == "added"
        and each.path.is_relative_to(inside)
        and os.path.lexists(folder / each.path.relative_to(inside))
    }
    changes = tuple(each for each in planned.changes if each.path not in local)
    return replace(planned, changes=changes, kept=(*planned.kept, *sorted(local)))


def _by_hand(planned: Plan) -> list[str]:
    """Return the files that are left to a person: conflicts, edits to decide on, imports of removed modules."""
    inside = planned.project.inside
    paths = [*planned.conflicts, *(each.path for each in planned.dropped)]
    paths += [inside / name for name in (*(each.patch for each in planned.undecided), *_files(planned))]
    return [clean(path.as_posix()) for path in dict.fromkeys(paths)]


def _files(planned: Plan) -> list[str]:
    return [each.path for each in planned.imports]


def _describe(proposal: Proposal, folder: Path) -> None:
    """Write the text of the pull request into git's own folder, replacing what is there, also a link."""
    own = Path(read("rev-parse", "--absolute-git-dir", cwd=folder).decode(errors="surrogateescape").strip())
    partial = own / f"{DESCRIPTION}.partial"
    partial.unlink(missing_ok=True)
    with partial.open("x", encoding="utf-8") as file:
        file.write(proposal.description.read_text(encoding="utf-8"))
    partial.replace(own / DESCRIPTION)
