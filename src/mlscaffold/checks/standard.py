"""What a check is: one question about a repository, why it matters, and the fix."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .repository import Repository
from .sources import Source

Severity = Literal["high", "medium", "low"]
# What a check counts in the score: a hole that reaches production outweighs three habits.
WEIGHT: dict[Severity, int] = {"high": 5, "medium": 3, "low": 1}


@dataclass(frozen=True)
class Finding:
    """What is wrong, and where.

    Attributes
    ----------
    text : str
        What is wrong.
    path : str
        The file, seen from the repository's root; empty where the repository lacks something.
    line : int
        From one; 0 where it is the file as a whole.
    """

    text: str
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        """Return it as a compiler would print it."""
        place = f"{self.path}:{self.line}: " if self.line else f"{self.path}: " if self.path else ""
        return place + self.text


class Note(Finding):
    """What a reader has to see, and what fails nothing: an exception that somebody has given a reason for."""


# None: there was nothing to look at. An empty list: looked, and all is well.
Findings = list[Finding] | None
Look = Callable[[Repository], Findings]


@dataclass(frozen=True)
class Check:  # repo-review fills the fields into the docstring, which is what it prints
    """{self.title}"""  # noqa: D400

    id: str
    family: str
    severity: Severity
    title: str
    why: str
    source: Source
    fix: str
    needs: str
    look: Look

    requires = frozenset[str]()

    @property
    def url(self) -> str:
        """Where to read more."""
        return self.source.url

    @property
    def weight(self) -> int:
        """What it counts in the score."""
        return WEIGHT[self.severity]

    def check(self, ml_repository: Repository) -> str | None:
        """{self.fix}"""  # noqa: D400
        found = self.found(ml_repository)
        if found is None:
            return None
        wrong = [each for each in found if not isinstance(each, Note)]
        return "\n".join([*(f"- {each}" for each in wrong), "", self.fix]) if wrong else ""

    def found(self, repository: Repository) -> Findings:
        """Return findings and notes; a repository is looked at once."""
        if self.id not in repository.looked:
            repository.looked[self.id] = self.look(repository)
        found: Findings = repository.looked[self.id]
        return found


@dataclass(frozen=True)
class Family:
    """Checks that belong together; `letters` begin their ids."""

    letters: str
    name: str
    about: str
    checks: list[Check]

    def rule(
        self, number: int, severity: Severity, *, why: str, source: Source, fix: str, needs: str
    ) -> Callable[[Look], Look]:
        """Make a function a check of this family; the first line of its docstring is the title.

        Parameters
        ----------
        number : int
            Of the check in the family; never given twice, also when a check has gone.
        severity : str
            What it counts.
        why : str
            What goes wrong without it.
        source : Source
            Who says so.
        fix : str
            What to do.
        needs : str
            What it looks at; where there is none, there is nothing to look at.

        Returns
        -------
        callable
            The decorator.
        """

        def register(look: Look) -> Look:
            title = (look.__doc__ or "").splitlines()[0].strip().removesuffix(".")
            identity = f"{self.letters}{number:03}"
            self.checks.append(Check(identity, self.letters, severity, title, why, source, fix, needs, look))
            return look

        return register


def family(letters: str, name: str, about: str) -> Family:
    """Begin a family."""
    return Family(letters, name, about, [])
