"""One repository of a fleet as a record: what its last commit says, without running any of it."""

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from .. import __version__
from ..check.run import Report, judge, score_of
from ..checks import CHECKS
from ..checks.untrusted_yaml import mapping
from ..checksums import Checksums, Comparison, compare_checksums, resolve_paths
from ..errors import UserError
from ..ownership import Ownership, parse_team_rules
from ..project import ANSWERS
from .committed import Committed, head_of, opened, read_commit
from .record import Record, clean
from .standard import Standard

_VERSION = re.compile(r"[\w.+-]{1,64}")
_GATES, _WAIVERS = CHECKS["EV009"], CHECKS["EV010"]


def status(folder: Path, standard: Standard, previous: Record | None, today: date) -> Record:
    """Read a repository.

    Parameters
    ----------
    folder : Path
        Where it is.
    standard : Standard
        The standard that it is checked against.
    known : Record, optional
        What was found the last time; it is returned where nothing can have changed.
    today : date
        Waivers run out.

    Returns
    -------
    Record
        What its last commit says.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    with opened(folder) as found:
        commit = head_of(found)
        basis = _basis(folder, commit, standard, today)
        if previous is not None and previous.basis == basis:
            return previous
        repository = read_commit(found, folder, commit, partial(compare_commit, standard))
    report = judge(repository, folder.name)
    return Record(
        commit=commit,
        basis=basis,
        **_checked(report),
        **_standing(repository, standard),
        **_judged(repository),
        gates_off=[clean(each.text) for each in _GATES.look(repository) or ()],
        expired=[clean(each.text) for each in _WAIVERS.look(repository) or () if "has expired" in each.text],
    )


def _basis(folder: Path, commit: str, standard: Standard, today: date) -> str:
    parts = (commit, str(folder), __version__, standard.commits.get(standard.newest, ""), today.isoformat())
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()[:32]


def _checked(report: Report) -> dict[str, Any]:
    return {
        "score": report.score,
        "good": report.good,
        "families": {family.letters: score_of(outcomes) for family, outcomes in report.families},
        "failing": [outcome.check.id for outcome in report.failing],
    }


def _standing(repository: Committed, standard: Standard) -> dict[str, Any]:
    """Return its version, and how its copied files compare with the standard's."""
    answers = mapping(repository.yaml(ANSWERS))
    url, version = str(answers.get("_src_path") or ""), str(answers.get("_commit") or "")
    if not _VERSION.fullmatch(version):
        return {}
    if not standard.follows(repository, url, version):
        return {"version": version}
    found: dict[str, Any] = {"version": version, "behind": standard.behind(version)}
    base, last = standard.checksums(version), standard.checksums(standard.newest)
    try:
        comparison = repository.comparison
    except UserError:  # what pyproject.toml says of the team's files cannot be understood; TM005 says so
        comparison = None
    if base is None or last is None or comparison is None:
        return found
    risk = _both_changed(repository, answers, base, last) if found["behind"] else 0
    looked = {"looked_at": comparison.looked_at, "changed": len(comparison.changed), "deleted": len(comparison.deleted)}
    return {**found, **looked, "at_risk": risk}


def compare_commit(standard: Standard, repository: Committed) -> Comparison | None:
    """Compare the files of a commit with the checksums of its version of the standard."""
    answers = mapping(repository.yaml(ANSWERS))
    url, version = str(answers.get("_src_path") or ""), str(answers.get("_commit") or "")
    base = standard.checksums(version)
    if base is None or not standard.follows(repository, url, version):
        return None
    ownership = Ownership({**base.owned, **parse_team_rules(repository.text("pyproject.toml"))})
    return compare_checksums(base, answers, ownership, repository.fingerprint, repository.known.__contains__)


def _both_changed(repository: Committed, answers: Mapping[str, Any], base: Checksums, last: Checksums) -> int:
    now = dict(resolve_paths(last.files, answers))
    return sum(
        repository.fingerprint(path) not in (was, now.get(path), None)
        for path, was in resolve_paths(base.files, answers)
        if now.get(path) != was
    )


def _judged(repository: Committed) -> dict[str, Any]:
    """Return what the newest run of the journal came to."""
    runs = [mapping(repository.json(path)) for path in repository.matching("experiments/*.json")]
    last = max(runs, key=lambda run: str(run.get("when", "")), default={})
    return {"verdict": clean(str(last.get("status", "")), 40), "judged": clean(str(last.get("when", "")))[:10]}
