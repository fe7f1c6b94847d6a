"""The example rendered from two templates, to be compared: the last one of copied code, and the one of the checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

import copier

ROOT = Path(__file__).parents[1]
BUNDLE = ROOT / "src" / "mlscaffold" / "template.bundle"
BEFORE, CHECKOUT = "v0.5.2", "checkout"

sys.path.insert(0, str(ROOT / "scripts"))

import build_runtime  # noqa: E402


def render(folder: Path) -> dict[str, Path]:
    """Render both with the same answers; the checkout's template carries a wheel built from runtime/."""
    return {
        BEFORE: _rendered(BUNDLE, folder / "before", BEFORE),
        CHECKOUT: _rendered(_copy(folder / "template"), folder / "after", None),
    }


def _copy(target: Path) -> Path:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "copier.yml", "template"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    build_runtime.write(ROOT / "runtime", target / "template" / "vendor")
    return target


def _rendered(source: Path, target: Path, version: str | None) -> Path:
    copier.run_copy(str(source), target, data={"name": "churn"}, defaults=True, quiet=True, vcs_ref=version)
    return target
