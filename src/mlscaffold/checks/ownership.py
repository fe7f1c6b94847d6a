"""Ownership and documents: who answers for it, and does what is written hold."""

import posixpath
import re
from urllib.parse import unquote

from . import code
from .repository import Repository
from .reproducibility import outputs, stages
from .service import services
from .sources import CODEOWNERS, DECISIONS, HIDDEN_DEBT, ML_TEST_SCORE, MODEL_CARDS, SCORECARD, SRE_ON_CALL
from .standard import Finding, Findings, family
from .untrusted_yaml import items, mapping, mappings

FAMILY = family("OW", "Ownership and documents", "Who answers for it, and is what is written true?")
_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_OWNER = re.compile(r"^\W*owne[rd]( by)?\W*[:|]\W*(\w.*)$", re.MULTILINE | re.IGNORECASE)
_CARD = ("*model-card*.md", "*model_card*.md", "*MODEL_CARD*", "*modelcard*.md")


@FAMILY.rule(
    1, "medium",
    why="What belongs to everybody is fixed by nobody.",
    source=CODEOWNERS,
    fix="Name the owner in CODEOWNERS, in pyproject.toml (authors, maintainers) or in docs/on-call.md (Owner: ...).",
    needs="a file",
)  # fmt: skip
def owned(repository: Repository) -> Findings:
    """Somebody owns it."""
    if not repository.files:
        return None
    owners = [
        path
        for path in repository.matching("CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS")
        if "@" in repository.text(path)
    ]
    project = mapping(repository.toml("pyproject.toml").get("project"))
    pages = repository.matching("README.md", "*on-call*.md", "*oncall*.md", "*ownership*.md", "*OWNERS*.md")
    named = owners or project.get("authors") or project.get("maintainers")
    if named or any(_OWNER.search(repository.text(path)) for path in pages):
        return []
    return [Finding("no owner is named")]


@FAMILY.rule(
    2, "low",
    why="Without a licence nobody else may use it, and nobody knows that this was meant.",
    source=SCORECARD,
    fix="Add a LICENSE, also where it says: all rights reserved.",
    needs="a file",
)  # fmt: skip
def licensed(repository: Repository) -> Findings:
    """A licence says who may use it."""
    if not repository.files:
        return None
    found = repository.matching("LICENSE*", "LICENCE*", "COPYING*")
    if not found:
        return [Finding("there is no LICENSE")]
    return [] if repository.text(found[0]).strip() else [Finding("is empty", found[0])]


@FAMILY.rule(
    3, "medium",
    why="Whoever uses a model has to know what it is for, what it was measured on and where it fails.",
    source=MODEL_CARDS,
    fix="Let the pipeline write docs/model-card.md: intended use, data, metrics by group, limits.",
    needs="code that fits a model",
)  # fmt: skip
def card(repository: Repository) -> Findings:
    """There is a model card, written or made by the pipeline."""
    if not code.trains(repository):
        return None
    produced = [path for stage in stages(repository).values() for path in outputs(stage) if "card" in path]
    written = [path for path in repository.matching(*_CARD) if len(repository.text(path)) > 300]
    return [] if produced or written else [Finding("there is no model card")]


@FAMILY.rule(
    4, "medium",
    why="A page whose links lead nowhere is believed no more, also where it is right.",
    source=HIDDEN_DEBT,
    fix="Correct the link or the name of the file.",
    needs="a Markdown page with links to files",
)  # fmt: skip
def links(repository: Repository) -> Findings:
    """Links between pages lead somewhere."""
    produced = {path for stage in stages(repository).values() for path in outputs(stage)}
    found = [(path, link) for path in repository.matching("*.md") for link in _links(repository.text(path))]
    if not found:
        return None
    existing = repository.known | repository.folders | produced
    return [
        Finding(f"{link} is not there", path, repository.line(path, link))
        for path, link in found
        if posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(link.partition("#")[0]))) not in existing
    ]


def _links(text: str) -> list[str]:
    found = _LINK.findall(_FENCE.sub("", text))
    return [link for link in found if not re.match(r"[a-z][a-z0-9+.-]*:|#|/|\{|<", link) and link.partition("#")[0]]


@FAMILY.rule(
    5, "low",
    why="Why it is so is forgotten first, and then it is undone.",
    source=DECISIONS,
    fix="Write docs/decisions/0001-....md: context, choice, price.",
    needs="code that fits a model",
)  # fmt: skip
def decisions(repository: Repository) -> Findings:
    """Decisions are written down."""
    if not code.trains(repository):
        return None
    found = repository.matching("*decisions/*.md", "*adr/*.md", "*adrs/*.md", "*DECISIONS.md")
    return [] if any(repository.text(path).strip() for path in found) else [Finding("no decision is written down")]


@FAMILY.rule(
    6, "medium",
    why="A score whose tests are gone is a claim.",
    source=ML_TEST_SCORE,
    fix="Correct the name; an item without a test says `checked` (who, when) or what is `missing`.",
    needs="ml_test_score.yaml",
)  # fmt: skip
def score(repository: Repository) -> Findings:
    """The tests that the ML Test Score counts exist."""
    path = "ml_test_score.yaml"
    body = repository.yaml(path)
    entries = [item for section in mapping(body).values() for item in mappings(section)]
    if not entries:
        return None
    few = [] if len(entries) == 28 else [Finding(f"has {len(entries)} items; the rubric has 28", path)]
    names = [str(name) for item in entries for name in items(item.get("tests"))]
    return few + [
        Finding(f"{name} is not there", path, repository.line(path, name))
        for name in names
        if not _exists(repository, name)
    ]


def _exists(repository: Repository, name: str) -> bool:
    file, _, test = name.partition("::")
    return file in repository.known and (not test or f"def {test.partition('[')[0]}(" in repository.text(file))


@FAMILY.rule(
    7, "medium",
    why="The first minutes of an incident are spent looking for the page that should have been one.",
    source=SRE_ON_CALL,
    fix="Write docs/on-call.md: the first five minutes, where to look, how to go back, whom to call.",
    needs="a service",
)  # fmt: skip
def on_call(repository: Repository) -> Findings:
    """A page says what to do on call."""
    if not services(repository):
        return None
    pages = repository.matching("*on-call*.md", "*oncall*.md", "*OPERATIONS.md") or repository.matching("*incident*.md")
    if not pages:
        return [Finding("there is no page for whoever is on call")]
    sound = [path for path in pages if re.search(r"roll.?back", repository.text(path), re.IGNORECASE)]
    return [] if sound else [Finding("does not say how to go back", pages[0])]
