"""Integrity of what judges: the pipeline's stages, the thresholds, gates, tests and runbooks of the standard.

Whoever changes one of them says why, where everybody sees it; `integrity` has the library that runs them.
"""

import re
from typing import Any

from ..errors import UserError
from ..ownership import Ownership, parse_team_rules
from . import forge, library
from .evaluation import WAIVERS, faults, is_off
from .integrity import FAMILY, RUNS_IT
from .library import NAME
from .repository import Repository
from .reproducibility import stages
from .sources import HIDDEN_DEBT, ML_TEST_SCORE
from .standard import Finding, Findings, Note
from .thresholds import COPIED, LIMITS, PARAMS, Limit, line_of, loosened, reason_at
from .untrusted_yaml import items, mapping, mappings

STAGES = (
    "imports", "contract", "prepare", "train", "evaluate", "export", "champion", "slices", "bias", "drift",
    "fragility", "compare", "alternatives", "verdict", "report",
)  # fmt: skip
# Commands that judge, a failure that is passed over, and a verdict that is overruled without anybody saying so today.
_GATE = re.compile(r"\b(?:make|mlproduct)\s+(?:[\w=./-]+\s+)*(?:train|ce|package|ship|release)\b|\bmlproduct stage \w+")
_IGNORED = re.compile(r"\|\|\s*(?:true\b|:|exit 0\b|echo\b)|;\s*true\b|^\t-")
_BY = re.compile(r"""\bFORCE=(?!["']{2}(?:\s|$))|--force[= ](?!["']{2}(?:\s|$))""")
_FORCED = re.compile(r"^\s*(?:export\s+)?FORCE\s*[?:+]*=\s*\S|--force[= ](?![\"']?\$(?:[({]FORCE[)}]|\$FORCE\b))")
WHOLE = "reports/params.yaml"  # params.yaml with all defaults
GATES = ("slices", "bias", "drift", "fragility", "compare")  # the verdict depends on what each of them found


@FAMILY.rule(
    5, "high",
    why="A gate that does not run stops nothing, and one that does not run again passes on an old finding.",
    source=ML_TEST_SCORE,
    fix="Restore the stage of dvc.yaml from git, or by `mlscaffold diff`; stages of your own stand beside them.",
    needs=f"{RUNS_IT}, and a dvc.yaml",
)  # fmt: skip
def stages_kept(repository: Repository) -> Findings:
    """The pipeline runs every stage of the standard."""
    if repository.mlproduct is None or "dvc.yaml" not in repository.known:
        return None
    found = stages(repository)
    wrong = [(name, fault) for name in STAGES for fault in _faults(name, found.get(name))]
    line = {name: repository.line("dvc.yaml", f"\n  {name}:") for name, _ in wrong}
    return [Finding(f"stage {name} {fault}", "dvc.yaml", line[name] and line[name] + 1) for name, fault in wrong]


def _faults(name: str, stage: dict[str, Any] | None) -> list[str]:
    if stage is None:
        return ["is missing"]
    command = stage.get("cmd")
    wrong = [] if command == f"{NAME} stage {name}" else [f"runs {str(command)[:60]!r}, not '{NAME} stage {name}'"]
    wrong += ["is frozen: it never runs again"] if stage.get("frozen") else []
    wrong += [f"runs in {stage['wdir']}"] if stage.get("wdir") not in (None, ".") else []
    named = [key for each in mappings(stage.get("params")) for key in items(each.get("imports.yaml"))]
    if name != "imports" and name not in named:
        wrong.append(f"has no params: imports.yaml: [{name}], so a change of its code does not run it")
    own = [str(key).partition(".")[0] for each in mappings(stage.get("params")) for key in items(each.get(WHOLE))]
    if name in GATES and name not in own:
        wrong.append(f"has no params: {WHOLE}: [{name}], so a change of its thresholds does not run it")
    deps = items(stage.get("deps"))
    unread = [f"reports/ce/{gate}.json" for gate in GATES if f"reports/ce/{gate}.json" not in deps]
    return wrong + [f"does not depend on {path}" for path in (unread if name == "verdict" else [])]


@FAMILY.rule(
    6, "high",
    why="A threshold that was loosened for one release stays loose, and nobody knows that the standard asks for more.",
    source=HIDDEN_DEBT,
    fix="Put the number back; where the product can bear more, write why beside it: `gap: 0.9 # loosened: ...`. "
    "For a while: a waiver of the gate, with an owner and an end.",
    needs="thresholds in params.yaml, of a repository that was made by mlscaffold",
)  # fmt: skip
def tight(repository: Repository) -> Findings:
    """No threshold is looser than the standard's, unless somebody says why."""
    old = library.is_old(repository)
    params = mapping(repository.yaml(PARAMS))
    if (repository.mlproduct is None and not old) or not any(name.partition(".")[0] in params for name in LIMITS):
        return None
    found = loosened(params, COPIED if old else LIMITS)
    return [_loose(repository, name, value, limit) for name, value, limit in found if not is_off(value)]


def _loose(repository: Repository, name: str, value: float, limit: Limit) -> Finding:
    words = f"{name} is {value:g}, the standard's is at {'least' if limit.least else 'most'} {limit.value:g}"
    line = line_of(repository.text(PARAMS), name)
    granted = [each for each in mappings(repository.yaml(WAIVERS)) if each.get("gate") == name and not faults(each)]
    reason = reason_at(repository.text(PARAMS), line)
    if granted:
        reason = f"waived until {granted[0]['expires']} by {granted[0]['owner']}: {granted[0]['reason']}"
    return Note(f"{words}; {reason}", PARAMS, line) if reason else Finding(words, PARAMS, line)


@FAMILY.rule(
    7, "high",
    why="What a deleted test would have said, nobody hears; and at night the runbook is missed.",
    source=ML_TEST_SCORE,
    fix="Restore the file: git checkout REV -- FILE; what is meant to differ gets a reason in [tool.mlscaffold.diff] "
    "yours. Tests, gates and runbooks of your own are files beside the standard's.",
    needs="a repository whose template travels with it, or with this mlscaffold",
)  # fmt: skip
def judges_there(repository: Repository) -> Findings:
    """Tests, evaluation and runbooks of the standard are there, and its gates as they were."""
    try:
        found = repository.comparison
        team = Ownership(parse_team_rules(repository.text("pyproject.toml")))
    except UserError:  # TM005 says so
        return None
    if found is None:
        return None
    judges = [path for path in (*found.changed, *found.deleted, *found.owned) if _judges(path)]
    findings = []
    for path in sorted(judges):
        deleted, reason = path not in repository.known, team.reason(path)
        if not deleted and (not _decides(path) or (path in found.owned and not reason)):
            continue
        words = "was deleted" if deleted else "was changed, and decides about models"
        findings.append(Note(f"{words}; {reason}", path) if reason else Finding(words, path))
    return findings


def _judges(path: str) -> bool:
    return path.startswith(("ce/", "tests/", "docs/runbooks/", "deploy/prometheus/tests/")) or path == "conftest.py"


def _decides(path: str) -> bool:
    return path.startswith("ce/") or path == "conftest.py"


@FAMILY.rule(
    8, "high",
    why="A gate whose failure is passed over is switched off, and everything looks as if it were on.",
    source=ML_TEST_SCORE,
    fix="Let the job fail. What is known to fail gets a waiver, with an owner and an end; FORCE is given by hand.",
    needs=f"{RUNS_IT}, and a Makefile or CI",
)  # fmt: skip
def verdict_stands(repository: Repository) -> Findings:
    """Neither CI nor the Makefile passes over a gate that fails."""
    jobs, makefiles = forge.jobs(repository), repository.matching("Makefile", "*.mk")
    if repository.mlproduct is None or not (jobs or makefiles):
        return None
    wrong = [
        Finding(f"job {job.name} {fault}", job.path, repository.line(job.path, f"{job.name}:"))
        for job in jobs
        for fault in _passed_over(job)
    ]
    lines = [(path, *each) for path in makefiles for each in enumerate(repository.text(path).splitlines(), 1)]
    return wrong + [
        Finding(f"overrules the verdict: {line.strip()[:60]}", path, number)
        for path, number, line in lines
        if _FORCED.search(line) or (_GATE.search(line) and _IGNORED.search(line))
    ]


def _passed_over(job: forge.Job) -> list[str]:
    """Return in what way a job goes on after a gate has failed."""
    gates = [command for command in job.commands if _GATE.search(command)]
    if not gates:
        return []
    steps = [step for step in job.steps if _GATE.search(str(step.get("run", "")))]
    going_on = any(_is_on(each.get("continue-on-error")) for each in (job.settings, *steps))
    wrong = ["goes on where a gate fails"] if going_on or _is_on(job.settings.get("allow_failure")) else []
    lines = [line.strip() for command in gates for line in command.splitlines() if _GATE.search(line)]
    return wrong + [
        f"overrules the verdict: {line[:60]}" for line in lines if _IGNORED.search(line) or _BY.search(line)
    ]


def _is_on(value: object) -> bool:
    return value not in (None, False, "false")
