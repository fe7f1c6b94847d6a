"""Delivery and rollback: how a change reaches users, and how it goes back."""

import re

from . import cluster, forge
from .repository import Repository
from .sources import ML_TEST_SCORE, SCORECARD, SLSA, SRE_CANARY
from .standard import Finding, Findings, family
from .untrusted_yaml import mapping, within

FAMILY = family("DL", "Delivery and rollback", "How does a change reach users, and how does it go back?")
_TESTS = ("pytest", "make test", "tox", "nox", "unittest", "make check", "just test", "hatch test")
_LINT = ("ruff", "flake8", "pylint", "mypy", "pre-commit", "make lint", "just lint")
_TRAIN = re.compile(
    r"dvc repro|dvc exp run|make (train|evaluate|ce)|pytest ce|\btrain\.py|mlflow run|-m \w+\.(train|evaluate)"
)
_BACK = re.compile(
    r"rollout undo|helm rollback|argo rollouts undo|make rollback|dvc checkout|git revert", re.IGNORECASE
)


@FAMILY.rule(
    1, "high",
    why="Tests that a person has to remember are not run before the change that needed them.",
    source=SCORECARD,
    fix="Run the tests in CI on every pull request.",
    needs="a Python file",
)  # fmt: skip
def tested_in_ci(repository: Repository) -> Findings:
    """CI runs the tests on every change."""
    if not repository.python:
        return None
    found = forge.jobs(repository)
    if not found:
        return [Finding("there is no CI")]
    testing = [job for job in found if job.runs(*_TESTS)]
    if not testing:
        return [Finding("no job runs the tests", found[0].path)]
    on_change = [job for job in testing if job.path == ".gitlab-ci.yml" or job.triggers & {"pull_request", "push"}]
    return [] if on_change else [Finding("no change starts the tests", testing[0].path)]


@FAMILY.rule(
    2, "low",
    why="What lint finds costs a second in CI and an hour in review.",
    source=SCORECARD,
    fix="Run the linter in CI.",
    needs="CI",
)  # fmt: skip
def linted_in_ci(repository: Repository) -> Findings:
    """CI runs the linter."""
    found = forge.jobs(repository)
    if not found:
        return None
    return [] if any(job.runs(*_LINT) for job in found) else [Finding("no job runs a linter", found[0].path)]


@FAMILY.rule(
    3, "medium",
    why="A change of code is a change of the model; the reviewer sees what it did only where CI trains.",
    source=ML_TEST_SCORE,
    fix="Let a job of CI run the pipeline (`make train`, `dvc repro`) and its gates, and publish the report.",
    needs="CI",
)  # fmt: skip
def trained_in_ci(repository: Repository) -> Findings:
    """CI trains and evaluates the model."""
    found = forge.jobs(repository)
    if not found:
        return None
    trains = any(_TRAIN.search(command) for job in found for command in job.commands)
    return [] if trains else [Finding("no job trains or evaluates", found[0].path)]


@FAMILY.rule(
    4, "medium",
    why="A model that was good in spring is judged again in autumn only if something starts it.",
    source=ML_TEST_SCORE,
    fix="Start the evaluation on fresh rows by a schedule (on.schedule.cron).",
    needs="CI",
)  # fmt: skip
def scheduled(repository: Repository) -> Findings:
    """A schedule judges the model again."""
    found = forge.jobs(repository)
    if not found:
        return None
    timed = any("schedule" in job.triggers for job in found)
    timed = timed or "schedule" in repository.text(".gitlab-ci.yml")
    return [] if timed else [Finding("no schedule starts a job", found[0].path)]


@FAMILY.rule(
    5, "low",
    why="A job that hangs holds its runner for six hours, which is the default.",
    source=SCORECARD,
    fix="Set timeout-minutes (GitHub) or timeout (GitLab) on each job.",
    needs="a job of CI that runs commands",
)  # fmt: skip
def timed_out(repository: Repository) -> Findings:
    """Every job of CI ends after a time."""
    found = [job for job in forge.jobs(repository) if job.commands or job.steps]
    if not found:
        return None
    return [
        Finding(f"job {job.name} has no timeout", job.path, repository.line(job.path, f"{job.name}:"))
        for job in found
        if not {"timeout-minutes", "timeout"} & job.settings.keys()
        and within(job.workflow, "default", "timeout") is None
    ]


@FAMILY.rule(
    6, "high",
    why="Going back is done in a hurry: a way that was never written down is not found then.",
    source=ML_TEST_SCORE,
    fix="Write the one command that goes back (a verb `rollback`), and a runbook that says when.",
    needs="a service, or manifests",
)  # fmt: skip
def rollback(repository: Repository) -> Findings:
    """There is a command to go back to the release before."""
    from .service import services

    if not services(repository) and not cluster.workloads(repository):
        return None
    verbs = repository.matching("Makefile", "justfile", "noxfile.py", "Taskfile.yml")
    if any(re.search(r"^\s*roll-?back\b", repository.text(path), re.MULTILINE) for path in verbs):
        return []
    pages = repository.matching("*.md", "*.sh", ".github/workflows/*")
    return [] if any(repository.finds(path, _BACK) for path in pages) else [Finding("nothing says how to go back")]


@FAMILY.rule(
    7, "medium",
    why="A rollout that takes the old pods first is an outage.",
    source=SRE_CANARY,
    fix="Set strategy.rollingUpdate.maxUnavailable: 0.",
    needs="a Deployment",
)  # fmt: skip
def rolling(repository: Repository) -> Findings:
    """The old pods answer until the new ones are ready."""
    found = [each for each in cluster.workloads(repository) if each.kind == "Deployment"]
    if not found:
        return None
    rolled = [(each, mapping(within(each.spec, "strategy", "rollingUpdate"))) for each in found]
    return [
        Finding(f"{each.name} may take old pods away first", each.path, repository.line(each.path, "strategy:"))
        for each, strategy in rolled
        if str(strategy.get("maxUnavailable", "25%")) not in ("0", "0%")
    ]


@FAMILY.rule(
    8, "medium",
    why="A model that all users get at once is tested on all users.",
    source=SRE_CANARY,
    fix="Deploy to a stage before production, or to a few users first (canary, shadow).",
    needs="manifests",
)  # fmt: skip
def staged(repository: Repository) -> Findings:
    """A new model meets a stage or a few users first."""
    if not cluster.workloads(repository):
        return None
    stage = re.compile(r"(^|[/_.-])(staging|stage|canary|shadow|preprod|test)([/_.-]|$)")
    found = [
        path
        for path in repository.matching("*.yaml", "*.yml")
        if stage.search(path) and "apiVersion" in repository.text(path)
    ]
    return [] if found else [Finding("there is production alone")]


@FAMILY.rule(
    9, "low",
    why="What changed for callers is asked in every incident.",
    source=SLSA,
    fix="Release by a tag, with a changelog, from one verb (`make release`) or workflow.",
    needs="a service",
)  # fmt: skip
def released(repository: Repository) -> Findings:
    """Releases are made by a verb or a workflow."""
    from .service import services

    if not services(repository):
        return None
    verbs = repository.matching("Makefile", "justfile", "noxfile.py", "Taskfile.yml")
    if any(re.search(r"^\s*(def )?release\b", repository.text(path), re.MULTILINE) for path in verbs):
        return []
    return (
        []
        if any({"release"} & job.triggers for job in forge.jobs(repository))
        else [Finding("nothing makes a release")]
    )
