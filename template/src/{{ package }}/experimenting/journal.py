"""The journal: every run, failures too, as one small committed file each, so that nobody repeats them unknowingly."""

import argparse
import getpass
import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from ..artifacts import KNOWN, METRICS, VERDICT
from ..columns import Contract, DataError, run
from ..judging import champion
from ..metrics import HEADLINE
from ..params import PARAMS, Params, deciding, inputs
from ..yaml_file import read_yaml

EXPERIMENTS = Path("experiments")
CODE = ("contract.py", "prepare.py", "features.py", "model.py", "train.py")  # what decides about a model
RUNNING, CRASHED, SHIPPED = "running", "crashed", "shipped"
LINES = 15  # of what a crash said


@dataclass(frozen=True)
class Run:
    """One run, as it stands in experiments/FINGERPRINT.json.

    Attributes
    ----------
    fingerprint : str
        Of data, contract, parameters with their seeds, the code that matters, and the lock.
    status : str
        running, crashed, rejected, inconclusive, blessed, shipped.
    hypothesis, lesson : str
        Why it was tried, and what was learnt.
    metrics : dict of str to float
    seconds, memory : float or None
        Of the whole pipeline; memory is the largest process, in MB.
    again : list of dict
        Who ran it again, when, and why.
    forced : str
        Why it was shipped without a blessing.
    """

    fingerprint: str
    status: str
    who: str
    when: str
    hypothesis: str
    params: dict[str, Any]
    hashes: dict[str, str]
    commit: str
    metrics: dict[str, float] = field(default_factory=dict)
    model: str = ""
    failing: list[str] = field(default_factory=list)
    said: str = ""
    lesson: str = ""
    seconds: float | None = None
    memory: float | None = None
    again: list[dict[str, str]] = field(default_factory=list)
    forced: str = ""

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return EXPERIMENTS / f"{self.fingerprint}.json"

    def write(self) -> None:
        """Write it, where it says something new."""
        EXPERIMENTS.mkdir(exist_ok=True)
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"
        if not self.path.exists() or self.path.read_text(encoding="utf-8") != text:
            part = self.path.with_suffix(".part")
            part.write_text(text, encoding="utf-8")
            part.replace(self.path)

    @classmethod
    def read(cls, path: Path) -> "Run":
        """Read one file of the journal; what a newer version wrote and this one does not know is left out."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{f.name: document[f.name] for f in fields(cls) if f.name in document})
        except (ValueError, TypeError) as error:
            raise DataError(f"{path} is no run of the journal: {error}") from None


def begin(params: Params, hypothesis: str) -> Run:
    """Describe the run that is about to start."""
    code = b"".join((Path(__file__).parents[1] / name).read_bytes() for name in CODE)
    found = inputs(Contract.load(), params) | {"code": hashlib.sha256(code).hexdigest()}
    fingerprint = hashlib.sha256("".join(found.values()).encode()).hexdigest()[:16]
    who = champion.git("config", "user.name") or getpass.getuser()
    commit = champion.git("rev-parse", "HEAD") or ""
    return Run(
        fingerprint,
        RUNNING,
        who,
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
        now = replace(old, status=RUNNING, again=[*old.again, note])
    now.write()
    return now, old


def runs() -> list[Run]:
    """Read the journal, oldest first."""
    return sorted((Run.read(path) for path in EXPERIMENTS.glob("*.json")), key=lambda run: (run.when, run.fingerprint))


def known(run: Run) -> str:
    """Say who tried a run, when, and what came out."""
    failed = f" ({', '.join(run.failing[:3])})" if run.failing else ""
    lesson = f" Lesson: {run.lesson}" if run.lesson else ""
    return f"{run.who} tried this on {run.when[:10]}: {run.status}{failed}, {figures(run)}.{lesson}"


def figures(run: Run) -> str:
    """Give the headline metric of a run."""
    name = next((HEADLINE[task][0] for task in HEADLINE if HEADLINE[task][0] in run.metrics), None)
    return f"{name} {run.metrics[name]:.4g}" if name else "no metric"


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
    """Give the size of the largest child process so far, in MB; None on Windows, which does not tell."""
    try:
        import resource
    except ImportError:
        return None
    size = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return round(size / (1e6 if sys.platform == "darwin" else 1e3), 1)


def watched(command: list[str], env: dict[str, str]) -> tuple[int, list[str]]:
    """Run a command, show what it says, and keep the end of what it said in error."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace", env=env)
    said: list[str] = []
    for line in process.stderr or ():
        sys.stderr.write(line)
        said = [*said, line.rstrip()][-LINES:]
    return process.wait(), said


def train(hypothesis: str, again: str, against: str | None) -> int:
    """Run the pipeline, and keep what was tried before it starts; a run that is known does not train again.

    Returns
    -------
    int
        The exit code of DVC.
    """
    champion.name(against)
    now = begin(Params.load(), hypothesis)
    now, old = started(now, again)
    env = dict(os.environ)
    if now is old:
        env[KNOWN] = f'{known(old)} `make train AGAIN="why"` trains it all the same'
    begun = time.perf_counter()
    try:
        code, said = 0, list[str]()
        if again:
            code, said = watched(["dvc", "repro", "--quiet", "--force", "--single-item", "train"], env)
        if not code:
            code, said = watched(["dvc", "repro"], env)
    except BaseException:
        replace(now, status=CRASHED if now is not old else now.status, said="interrupted").write()
        raise
    if now is old:
        if not code:
            print(f"known: {known(old)}")
            finished(now, _text(METRICS), _text(VERDICT)).write()
        return code
    spent: dict[str, Any] = {"seconds": round(time.perf_counter() - begun, 1), "memory": memory()}
    if code:
        replace(now, status=CRASHED, said="\n".join(said), **spent).write()
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
    """Give params.yaml with some values replaced, checked as the file itself is.

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
        told = " ".join(f"{name}={value}" for name, value in chosen.items())
        now, old = started(begin(with_settings(chosen), hypothesis), again)
        if now is old:
            print(f"{told}: {known(old)}")
            continue
        queued.append((now, told, [word for name, value in chosen.items() for word in ("-S", f"++{name}={value}")]))
    env, begun = {**os.environ, "PYTHONPATH": "src"}, time.perf_counter()
    where = ["--temp"] if len(queued) == 1 else ["--queue"]
    for now, _, words in queued:
        subprocess.run(["dvc", "exp", "run", *where, "--force", "--name", name_of(now), *words], env=env, check=False)
    if len(queued) > 1:
        subprocess.run(["dvc", "exp", "run", "--run-all"], env=env, check=False)
    each = round((time.perf_counter() - begun) / max(1, len(queued)), 1)
    outcomes = [(told, outcome(now, each)) for now, told, _ in queued]
    for told, found in outcomes:
        found.write()
        print(f"{told}: {found.status}, {figures(found)}; {found.said}\n  to keep it: dvc exp apply {name_of(found)}")
    return int(any(found.status == CRASHED for _, found in outcomes))


def name_of(run: Run) -> str:
    """Name the DVC experiment of a run."""
    return f"run-{run.fingerprint}"


def outcome(run: Run, seconds: float) -> Run:
    """Read what a DVC experiment has brought, from the git commit that DVC made of it."""
    refs = (champion.git("for-each-ref", "--format=%(refname)", "refs/exps") or "").split()
    ref = next((ref for ref in refs if ref.endswith(f"/{name_of(run)}")), None)
    spent: dict[str, Any] = {"seconds": seconds, "memory": memory()}
    if ref is None:
        return replace(run, status=CRASHED, said="DVC made no commit of it; `dvc queue logs` says more", **spent)
    texts = [champion.git("show", f"{ref}:{path.as_posix()}") for path in (METRICS, VERDICT)]
    return replace(finished(run, *texts), **spent)


def current() -> Run:
    """Give the run of the model at hand.

    Raises
    ------
    DataError
        If the journal does not hold it.
    """
    path = begin(Params.load(), "").path
    if not path.exists():
        raise DataError(f"{path} is missing: `make train` writes it")
    return Run.read(path)


def told(found: list[Run], by: str = "when") -> str:
    """Lay the journal out as a table of 80 columns and, where there is something to say, lines below."""
    keys = {
        "when": lambda r: r.when,
        "metric": lambda r: figures(r),
        "status": lambda r: r.status,
        "who": lambda r: r.who,
    }
    if by not in keys:
        raise DataError(f"--sort {by}: it sorts by {', '.join(keys)}")
    lines = [f"{'run':8}  {'when':16}  {'who':12}  {'status':12}  metric"]
    for entry in sorted(found, key=keys[by]):
        lines.append(
            f"{entry.fingerprint[:8]}  {entry.when[:16].replace('T', ' ')}  {entry.who[:12]:12}  "
            f"{entry.status:12}  {figures(entry)}"
        )
        notes = {
            "why": entry.hypothesis,
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
        If there is no such run, or more than one.
    """
    found = [run for run in runs() if run.fingerprint.startswith(fingerprint)]
    if not found or (fingerprint and len(found) > 1):
        raise DataError(f"{len(found)} runs begin with {fingerprint!r}: `make journal` lists them")
    replace(found[-1], lesson=lesson).write()
    print(f"{found[-1].path}: {lesson}")


def main() -> None:
    """Train, try, sweep, list, or add a lesson."""
    parser = argparse.ArgumentParser(prog=f"{__package__}.journal", description=__doc__)
    parser.add_argument("verb", choices=["train", "try", "sweep", "list", "learn"])
    parser.add_argument("--why", default="", help="the hypothesis")
    parser.add_argument("--again", default="", help="why a run that is known is run again")
    parser.add_argument("--against", default=None, help="train: another champion than the last release")
    parser.add_argument("--set", default="", help='try, sweep: "model.max_iter=50,100 model.kind=linear"')
    parser.add_argument("--failed", action="store_true", help="list: crashed and rejected runs only")
    parser.add_argument("--sort", default="when", help="list: when, metric, status, who")
    parser.add_argument("--lesson", default="", help="learn: what was learnt")
    parser.add_argument("--run", default="", help="learn: the beginning of the fingerprint; the newest run if left out")
    said = parser.parse_args()
    if said.verb == "train":
        sys.exit(train(said.why, said.again, said.against or None))
    if said.verb in ("try", "sweep"):
        grid = settings(said.set)
        if not said.why:
            raise DataError('a run without a reason teaches nobody: WHY="deeper trees may find the interaction"')
        if said.verb == "try" and len(grid) > 1:
            raise DataError(f"SET names {len(grid)} variants: `make sweep` runs them all")
        sys.exit(experiments(said.why, grid, said.again))
    if said.verb == "learn":
        learn(said.lesson, said.run)
        return
    print(told([run for run in runs() if not said.failed or run.status in (CRASHED, "rejected")], said.sort))


if __name__ == "__main__":
    run(main)
