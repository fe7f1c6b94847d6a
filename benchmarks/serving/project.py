"""The generated repository whose service is measured, rendered from this checkout's template and shipped once."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "benchmarks"
FLIGHTS = ROOT.parent / "shared" / "data" / "flights.csv"
WORDS = {
    "penguins": [],
    "flights": ["--data", str(FLIGHTS), "--target", "late", "--time", "date", "--id", "flight_id"],
}


@dataclass(frozen=True)
class Project:
    """A generated repository with a Bento, and the environments that it was made and is served in."""

    home: Path
    environment: Path

    @property
    def package(self) -> str:
        """Name the package of the service."""
        return next((self.home / "src").glob("*/model.py")).parent.name

    @property
    def library(self) -> Path:
        """Return the folder that holds the library of the newest Bento, beside the package."""
        bentos = self.home / ".bentoml" / "bentos" / self.package
        return bentos / (bentos / "latest").read_text(encoding="utf-8").strip() / "src"

    @property
    def model(self) -> Path:
        """Say where the fitted pipeline is."""
        return self.home / "models" / "model.skops"

    @property
    def record(self) -> Path:
        """Say where `make ship` left a record of the test set."""
        return self.home / ".bentoml" / "example.json"


def shipped(data: str) -> Project:
    """Give the repository of a data set; it is rendered and shipped again when the template has changed."""
    sys.path.insert(0, str(ROOT / "tests"))
    from template.conftest import committed_template, installed, with_library

    service = installed("requirements-service.lock")
    with tempfile.TemporaryDirectory() as folder:
        template = committed_template(Path(folder))
        home = CACHE / "projects" / f"{digest(template)}" / data
        project = Project(home, service)
        if not project.record.exists():
            shutil.rmtree(home, ignore_errors=True)
            print(f"making and shipping {home.relative_to(ROOT)}", file=sys.stderr)
            new = [sys.executable, "-m", "mlscaffold", "new", str(home), "--template", str(template), "--defaults"]
            loud([*new, *WORDS[data]], ROOT)
            (wheel,) = (template / "template" / "vendor").glob("*.whl")
            environment = with_library(installed("requirements.lock"), wheel)
            for done in (".ready", ".library"):  # the environment is there: `make setup` has nothing to do
                (environment / done).touch()
            loud(["make", "ship", f"VENV={environment}"], home, PYTHONPATH="src")
    return project


def digest(template: Path) -> str:
    """Name what the template holds."""
    tree = subprocess.run(["git", "rev-parse", "HEAD^{tree}"], cwd=template, capture_output=True, text=True, check=True)
    return hashlib.sha256(tree.stdout.encode()).hexdigest()[:12]


def loud(command: list[str], folder: Path, **environment: str) -> None:
    """Run a command; where it fails, show what it said."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{done.stdout[-4000:]}{done.stderr[-4000:]}\n{' '.join(command)}: exit code {done.returncode}")
