"""The journal: every run, failures too, as one small committed file each, so that nobody repeats them unknowingly."""

import getpass
import hashlib
import json
import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from mlproduct import imports, processes
from mlproduct.artifacts import KNOWN, METRICS, VERDICT
from mlproduct.config import PARAMS, Params, deciding, inputs
from mlproduct.config.yaml_file import read_yaml
from mlproduct.contract.columns import Contract
from mlproduct.data.track import refuse_conflicts
from mlproduct.errors import DataError
from mlproduct.evaluation import champion
from mlproduct.experiments.commits import next_command
from mlproduct.experiments.outputs import untrack_outputs
from mlproduct.experiments.publish import write_page
from mlproduct.experiments.runs import CRASHED, REJECTED, RUNNING, SHIPPED, Run, figures, known, runs, status_here

LINES = 15  # of what a crash said
INTERRUPTED = "interrupted"


def begin(params: Params, hypothesis: str) -> Run:
    """Describe the run that is about to start."""
    found = inputs(Contract.load(), params) | {"code": imports.of_model()}
    fingerprint = hashlib.sha256("".join(found.values()).encode()).hexdigest()[:16]
    author = champion.git("config", "user.name") or getpass.getuser()
    commit = champion.git("rev-parse", "HEAD") or ""
    return Run(
        fingerprint,
        RUNNING,
        author,
        datetime.now(UTC).isoformat(timespec="seconds"),
        hypothesis,
        deciding(params),
        found,
        commit,
    )


def started(now: Run, again: str) -> tuple[Run, Run | None]:
    """Keep a run that is about to start; what the journal knows of the same one stays in it.

    Returns
    -------
    now, old : Run, Run or None
        What stands in the journal from here on, and what stood there; the same one if it is known, has ended, and
        nobody says why it should run again.
    """
    old = Run.read(now.path) if now.path.exists() else None
    if old and old.status not in (RUNNING, CRASHED) and not again:
        return old, old
    if old:
        note = {"who": now.who, "when": now.when, "why": again or f"it had {old.status}"}
        if now.hypothesis and now.hypothesis != old.hypothesis:
            note["hypothesis"] = now.hypothesis
        now = replace(old, status=RUNNING, again=[*old.again, note])
    now.write()
    return now, old


def finished(run: Run, metrics: str | None, verdict: str | None) -> Run:
    """Add what came out: the texts of reports/metrics.json and reports/verdict.json."""
    found, judged = (json.loads(text) if text else {} for text in (metrics, verdict))
    values = {name: float(f"{score['value']:.6g}") for name, score in found.items() if score["value"] is not None}
    status = judged.get("verdict", CRASHED)
    if run.status == SHIPPED and run.model == judged.get("model"):
        status = SHIPPED
    return replace(
        run,
        status=status,
        metrics=values,
        model=judged.get("model", ""),
        failing=judged.get("failing", []),
        said=judged.get("said", ""),
    )


def memory() -> float | None:
    """Return the size of the largest child process so far, in MB; None on Windows, which does not tell."""
    try:
        import resource
    except ImportError:
        return None
    size = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return round(size / (1e6 if sys.platform == "darwin" else 1e3), 1)


def train(hypothesis: str, again: str, against: str | None) -> int:
    """Run the pipeline, and keep what was tried before it starts; a run that is known does not train again.

    Returns
    -------
    int
        The exit code of DVC.
    """
    refuse_conflicts()
    if untracked := untrack_outputs():
        print(f"no longer tracked by git, since training writes them: {', '.join(untracked)}")
    champion.name(against)
    now = begin(Params.load(), hypothesis)
    now, old = started(now, again)
    try:
        code = _reproduce(now, old, again)
    finally:  # however it ended
        write_page()
    if not code and (line := next_command(hypothesis or "what was tried")):
        print(line)
    return code


def _reproduce(now: Run, old: Run | None, again: str) -> int:
    """Run the pipeline for a run that the journal holds, and add what came out; give the exit code of DVC."""
    env = dict(os.environ)
    if now is old:
        env[KNOWN] = f'{known(old)} `make train AGAIN="why"` trains it all the same'
    begun = time.perf_counter()
    try:
        code, output = 0, list[str]()
        if again and Path("dvc.lock").exists():  # before the first training, there is nothing to force
            code, output = processes.watch(["dvc", "repro", "--quiet", "--force", "--single-item", "train"], env, LINES)
        if not code:
            code, output = processes.watch(["dvc", "repro"], env, LINES)
    except BaseException:
        if now is not old:
            replace(now, status=CRASHED, said=INTERRUPTED).write()
        raise
    if now is old:
        if not code:
            print(f"known: {known(old)}")
            finished(now, _text(METRICS), _text(VERDICT)).write()
        return code
    spent: dict[str, Any] = {"seconds": round(time.perf_counter() - begun, 1), "memory": memory()}
    if code:
        replace(now, status=CRASHED, said="\n".join(output), **spent).write()
        return code
    replace(finished(now, _text(METRICS), _text(VERDICT)), **spent).write()
    return 0


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def settings(text: str) -> list[dict[str, Any]]:
    """Read `model.max_iter=50,100 model.kind=linear` as the grid of all combinations.

    Raises
    ------
    DataError
        If something is no `section.name=value`.
    """
    pairs = [word.partition("=") for word in text.split()]
    if not pairs or not all(name.count(".") == 1 and value for name, _, value in pairs):
        raise DataError(
            f'SET="{text}": write `section.name=value`, with commas between values to try, and blanks between names'
        )
    names, values = [name for name, _, _ in pairs], [value.split(",") for _, _, value in pairs]
    return [dict(zip(names, map(yaml.safe_load, chosen), strict=True)) for chosen in product(*values)]


def with_settings(chosen: dict[str, Any], path: Path = PARAMS) -> Params:
    """Return params.yaml with some values replaced, checked as the file itself is.

    Raises
    ------
    DataError
        If a name is unknown, or a value is not allowed.
    """
    document = read_yaml(path)
    Params.of(document, path)
    document = document or {}
    for name, value in chosen.items():
        section, key = name.split(".")
        document[section] = {**(document.get(section) or {}), key: value}
    return Params.of(document)


def experiments(hypothesis: str, grid: list[dict[str, Any]], again: str) -> int:
    """Run variants as DVC experiments, one in a folder of its own, several through DVC's queue; keep each."""
    champion.name()
    queued = []
    for chosen in grid:
        label = " ".join(f"{name}={value}" for name, value in chosen.items())
        now, old = started(begin(with_settings(chosen), hypothesis), again)
        if now is old:
            print(f"{label}: {known(old)}")
            continue
        queued.append((now, label, [word for name, value in chosen.items() for word in ("-S", f"++{name}={value}")]))
    begun, reason = time.perf_counter(), INTERRUPTED
    try:
        _run_queued([(now, words) for now, _, words in queued], again)
        reason = "DVC made no commit of it; `dvc queue logs` says more"
    finally:  # however it ended: each variant that was begun has ended too
        each = round((time.perf_counter() - begun) / max(1, len(queued)), 1)
        outcomes = [(label, outcome(now, each, reason)) for now, label, _ in queued]
        for _, found in outcomes:
            found.write()
        write_page()
    for label, found in outcomes:
        print(f"{label}: {found.status}, {figures(found)}; {found.said}\n  to keep it: dvc exp apply {name_of(found)}")
    return int(any(found.status == CRASHED for _, found in outcomes))


def _run_queued(queued: list[tuple[Run, list[str]]], again: str) -> None:
    """Run one variant in a folder of its own, several through DVC's queue, as far as the verdict.

    What a variant does not change is not run again; alternatives and the report are made when a variant is kept.
    """
    where = ["--temp"] if len(queued) == 1 else ["--queue"]
    force = ["--force"] if again else []
    for now, words in queued:
        command = ["dvc", "exp", "run", *where, *force, "--name", name_of(now), *words, "verdict"]
        processes.run(command, dict(os.environ))
    if len(queued) > 1:
        processes.run(["dvc", "exp", "run", "--run-all"], dict(os.environ))


def name_of(run: Run) -> str:
    """Name the DVC experiment of a run."""
    return f"run-{run.fingerprint}"


def outcome(run: Run, seconds: float, reason: str) -> Run:
    """Read what a DVC experiment brought, from the git commit that DVC made of it; `reason` is why there is none."""
    refs = (champion.git("for-each-ref", "--format=%(refname)", "refs/exps") or "").split()
    ref = next((ref for ref in refs if ref.endswith(f"/{name_of(run)}")), None)
    spent: dict[str, Any] = {"seconds": seconds, "memory": memory()}
    if ref is None:
        return replace(run, status=CRASHED, said=reason, **spent)
    texts = [champion.git("show", f"{ref}:{path.as_posix()}") for path in (METRICS, VERDICT)]
    return replace(finished(run, *texts), **spent)


def current() -> Run:
    """Return the run of the model at hand.

    Raises
    ------
    DataError
        If the journal does not hold it.
    """
    path = begin(Params.load(), "").path
    if not path.exists():
        raise DataError(f"{path} is missing: `make train` writes it")
    return Run.read(path)


def listing(found: list[Run], by: str = "when") -> str:
    """Lay the journal out as a table of 80 columns and, where there is something to say, lines below."""
    keys = {
        "when": lambda r: r.when,
        "metric": figures,
        "status": status_here,
        "who": lambda r: r.who,
    }
    if by not in keys:
        raise DataError(f"--sort {by}: it sorts by {', '.join(keys)}")
    lines = [f"{'run':8}  {'when':16}  {'who':12}  {'status':12}  metric"]
    for entry in sorted(found, key=keys[by]):
        lines.append(
            f"{entry.fingerprint[:8]}  {entry.when[:16].replace('T', ' ')}  {entry.who[:12]:12}  "
            f"{status_here(entry):12}  {figures(entry)}"
        )
        retries = [note["hypothesis"] for note in entry.again if note.get("hypothesis")]
        notes = {
            "why": "; again: ".join(filter(None, [entry.hypothesis, *retries])),
            "failed": ", ".join(entry.failing),
            "forced": entry.forced,
            "lesson": entry.lesson,
        }
        lines += [f"          {name}: {note}" for name, note in notes.items() if note]
    return "\n".join(lines)


def learn(lesson: str, fingerprint: str) -> None:
    """Write what was learnt to a run, by the beginning of its fingerprint; to the newest if none is named.

    Raises
    ------
    DataError
        If the lesson is empty, or there is no such run, or more than one.
    """
    if not lesson.strip():
        raise DataError('a lesson says something: SAY="deeper trees overfit below 5,000 rows"')
    found = [run for run in runs() if run.fingerprint.startswith(fingerprint)]
    if not found or (fingerprint and len(found) > 1):
        raise DataError(f"{len(found)} runs begin with {fingerprint!r}: `make journal` lists them")
    replace(found[-1], lesson=lesson).write()
    write_page()
    print(f"{found[-1].path}: {lesson}")


def try_one(why: str, text: str, again: str) -> int:
    """Try one variant beside the workspace.

    Raises
    ------
    DataError
        If there is no reason, or the settings name more than one variant.
    """
    grid = _grid(why, text)
    if len(grid) > 1:
        raise DataError(f"SET names {len(grid)} variants: `make sweep` runs them all")
    return experiments(why, grid, again)


def sweep(why: str, text: str, again: str) -> int:
    """Try all combinations of some settings, through DVC's queue.

    Raises
    ------
    DataError
        If there is no reason, or the settings cannot be read.
    """
    return experiments(why, _grid(why, text), again)


def _grid(why: str, text: str) -> list[dict[str, Any]]:
    grid = settings(text)
    if not why:
        raise DataError('a run without a reason teaches nobody: WHY="deeper trees may find the interaction"')
    return grid


def table(*, failed: bool = False, by: str = "when") -> str:
    """Return the journal as a table; with `failed`, crashed and rejected runs only."""
    return listing([run for run in runs() if not failed or status_here(run) in (CRASHED, REJECTED)], by)
