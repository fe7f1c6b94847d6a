"""A run of the journal, as its file in experiments/ holds it."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from mlproduct.errors import DataError
from mlproduct.evaluation.metrics import HEADLINE
from mlproduct.experiments.shipped import shipped

EXPERIMENTS = Path("experiments")
RUNNING, CRASHED, REJECTED, SHIPPED = "running", "crashed", "rejected", "shipped"
MOST = 3  # gates that are named of those that failed


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
            raise DataError(f"{path} is not a run of the journal: {error}") from None


def runs(folder: Path = EXPERIMENTS) -> list[Run]:
    """Read the journal, oldest first."""
    return sorted((Run.read(path) for path in folder.glob("*.json")), key=lambda run: (run.when, run.fingerprint))


def status_here(run: Run) -> str:
    """Return the status of a run, which is "shipped" where its model was shipped from this clone."""
    ended = run.status not in (RUNNING, CRASHED)
    return SHIPPED if ended and run.model in shipped() else run.status


def known(run: Run) -> str:
    """Say who tried a run, when, and what came out."""
    failed = f" ({', '.join(run.failing[:MOST])})" if run.failing else ""
    lesson = f" Lesson: {run.lesson}" if run.lesson else ""
    return f"{run.who} tried this on {run.when[:10]}: {status_here(run)}{failed}, {figures(run)}.{lesson}"


def figures(run: Run) -> str:
    """Return the headline metric of a run."""
    name, value = headline(run)
    return "no metric" if value is None else f"{name} {value:.4g}"


def headline(run: Run) -> tuple[str, float | None]:
    """Return the name and the value of the headline metric of a run; None if it has none."""
    name = next((name for name, _ in HEADLINE.values() if name in run.metrics), "")
    return name, run.metrics.get(name)
