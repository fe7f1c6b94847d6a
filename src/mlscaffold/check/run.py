"""Run the checks on a repository, and compute its score."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ..checks import CHECKS, FAMILIES, repo_review_families
from ..checks.organisation import FAMILY as ORGANISATION
from ..checks.organisation import checks_of
from ..checks.repository import Repository, ml_repository
from ..checks.standard import Check, Family, Finding, Note
from ..errors import UserError
from .ml_test_score import Section, read_score

_ALL = (*FAMILIES, ORGANISATION)
Status = Literal["passed", "failed", "nothing to look at", "ignored"]


@dataclass(frozen=True)
class Outcome:
    """The result of one check.

    Attributes
    ----------
    check : Check
        The check.
    status : str
        How it ended.
    findings : tuple of Finding
        What is wrong, where it failed.
    reason : str
        Why it is ignored, or what there was none of.
    notes : tuple of Note
        Exceptions with a reason, which fail nothing and are shown.
    """

    check: Check
    status: Status
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What to look at.

    Attributes
    ----------
    select : frozenset of str
        Ids or letters of families; empty for all.
    ignore : mapping of str to str
        Ids or letters, each with its reason.
    fail_under : float, optional
        The score that is needed; None: no check of high severity may fail.
    """

    select: frozenset[str] = frozenset()
    ignore: Mapping[str, str] = field(default_factory=dict)
    fail_under: float | None = None


@dataclass(frozen=True)
class Report:
    """The results of all checks.

    Attributes
    ----------
    name : str
        Of the repository.
    outcomes : tuple of Outcome
        In the order of the families.
    ml_test_score : tuple of Section
        The four sections; empty where the repository does not count it.
    """

    name: str
    outcomes: tuple[Outcome, ...]
    ml_test_score: tuple[Section, ...] = ()
    fail_under: float | None = None

    @cached_property
    def score(self) -> int | None:
        """What was passed of what was looked at, weighted, of 100; None where nothing was."""
        return score_of(self.outcomes)

    @cached_property
    def failing(self) -> tuple[Outcome, ...]:
        """What failed, what raises the score most first."""
        failed = [outcome for outcome in self.outcomes if outcome.status == "failed"]
        return tuple(sorted(failed, key=lambda outcome: -outcome.check.weight))

    @property
    def families(self) -> list[tuple[Family, tuple[Outcome, ...]]]:
        """The outcomes by family; families of which nothing was selected are left out."""
        by = [(each, tuple(one for one in self.outcomes if one.check.family == each.letters)) for each in _ALL]
        return [(each, found) for each, found in by if found]

    def count(self, status: Status) -> int:
        """How many ended so."""
        return sum(outcome.status == status for outcome in self.outcomes)

    @property
    def good(self) -> bool:
        """Whether it is good enough."""
        if self.fail_under is not None:
            return self.score is not None and self.score >= self.fail_under
        return not any(outcome.check.severity == "high" for outcome in self.failing)


@dataclass(frozen=True)
class Standing:
    """The score and the failing checks of a repository.

    Attributes
    ----------
    score : int, optional
        Of 100; None where nothing was looked at.
    failing : tuple of str
        Id and title of each check that fails.
    """

    score: int | None
    failing: tuple[str, ...]


def score_of(outcomes: Iterable[Outcome]) -> int | None:
    """Count the weighted share of what was passed; rounded down, so that 100 is all."""
    judged = [outcome for outcome in outcomes if outcome.status in ("passed", "failed")]
    if not judged:
        return None
    passed = sum(outcome.check.weight for outcome in judged if outcome.status == "passed")
    return 100 * passed // sum(outcome.check.weight for outcome in judged)


def examine(path: Path, select: str = "", ignore: str = "", fail_under: float | None = None) -> Report:
    """Check a repository.

    Parameters
    ----------
    path : Path
        Its folder.
    select, ignore : str
        Ids or letters of families, with commas between; they go before what pyproject.toml says.
    fail_under : float, optional
        The score that is needed.

    Returns
    -------
    Report
        The results.

    Raises
    ------
    UserError
        If there is no such folder, or its configuration is wrong.
    """
    folder = path.expanduser().resolve()
    if not folder.is_dir():
        raise UserError(f"there is no folder {path}; name the root of a repository")
    return judge(ml_repository(folder), folder.name, select, ignore, fail_under)


def judge(
    repository: Repository, name: str, select: str = "", ignore: str = "", fail_under: float | None = None
) -> Report:
    """Check the files of a repository; parameters and errors are those of `examine`."""
    checks = {**CHECKS, **checks_of(repository)}
    choices = frozenset(checks) | {family.letters for family in _ALL}
    settings = _settings(repository, _words(select, choices), _words(ignore, choices), fail_under, choices)
    return Report(name, tuple(_outcomes(repository, settings, checks)), read_score(repository), settings.fail_under)


def standing(path: Path) -> Standing:
    """Check a repository with its own settings, and return a summary."""
    report = examine(path)
    return Standing(report.score, tuple(f"{each.check.id} {each.check.title}" for each in report.failing))


def explain(name: str) -> Check:
    """Return a check by its id."""
    found = CHECKS.get(name.upper())
    if found is None:
        raise UserError(f"there is no check {name}; there are {_spans()}")
    return found


def _spans() -> str:
    return ", ".join(f"{each.checks[0].id} to {each.checks[-1].id}" for each in FAMILIES)


def _words(text: str, choices: frozenset[str]) -> frozenset[str]:
    return frozenset(_known(word.strip().upper(), choices) for word in text.split(",") if word.strip())


def _known(name: str, choices: frozenset[str]) -> str:
    if name not in choices:
        raise UserError(f"there is no check or family {name}; there are {_spans()}")
    return name


def _settings(
    repository: Repository,
    select: frozenset[str],
    ignore: frozenset[str],
    under: float | None,
    choices: frozenset[str],
) -> Settings:
    table = repository.toml("pyproject.toml").get("tool", {}).get("mlscaffold", {}).get("check", {})
    wrong = sorted(table.keys() - {"select", "ignore", "fail-under"})
    if wrong:
        raise UserError(f"[tool.mlscaffold.check] has no setting {wrong[0]!r}; there are select, ignore, fail-under")
    ignored = {**_reasons(table.get("ignore", {}), choices), **dict.fromkeys(ignore, "left out on the command line")}
    floor = under if under is not None else table.get("fail-under")
    if floor is not None and (isinstance(floor, bool) or not isinstance(floor, int | float) or not 0 <= floor <= 100):
        raise UserError(f"fail-under is {floor!r}; give a number from 0 to 100")
    return Settings(select or _words(",".join(table.get("select", [])), choices), ignored, floor)


def _reasons(ignore: Any, choices: frozenset[str]) -> dict[str, str]:
    if not isinstance(ignore, dict):
        raise UserError('[tool.mlscaffold.check] ignore needs a reason for each check: ignore = { "SC003" = "why" }')
    for name, reason in ignore.items():
        if not isinstance(reason, str) or not reason.strip():
            raise UserError(f"[tool.mlscaffold.check] ignores {name} without a reason; write why")
    return {_known(name.upper(), choices): reason for name, reason in ignore.items()}


def _outcomes(repository: Repository, settings: Settings, checks: Mapping[str, Check]) -> Iterable[Outcome]:
    from repo_review.processor import CollectionReturn, process

    chosen = {name: check for name, check in checks.items() if not settings.select or _hits(check, settings.select)}
    run = {name: check for name, check in chosen.items() if not _hits(check, settings.ignore)}
    fixtures = {"ml_repository": repository, "pyproject": {}}
    collected = CollectionReturn(fixtures, run, repo_review_families(repository))  # type: ignore[arg-type] # its Check is looser
    ended = {result.name: result.result for result in process(repository.root, collected=collected).results}
    for name, check in chosen.items():
        if name not in run:
            yield Outcome(check, "ignored", reason=settings.ignore[_hits(check, settings.ignore)])
        elif ended[name] is None:
            yield Outcome(check, "nothing to look at", reason=f"needs {check.needs}")
        else:
            found = check.found(repository) or []
            notes = tuple(each for each in found if isinstance(each, Note))
            wrong = tuple(each for each in found if not isinstance(each, Note))
            yield Outcome(check, "passed" if ended[name] else "failed", wrong, notes=notes)


def _hits(check: Check, names: Iterable[str]) -> str:
    return next((name for name in (check.id, check.family) if name in names), "")
