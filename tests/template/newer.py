"""A newer library than the template's: a wheel of a patched runtime/, and an environment in which it is installed."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from template.conftest import ROOT, build_runtime

MARKER = "said by a newer library"
SERVICE = "src/mlproduct/serving/service.py"
NAMES_ITSELF = '"service": self._package,'


def newer_wheel(folder: Path) -> Path:
    """Build a wheel whose service says in /version that it is newer."""
    runtime = shutil.copytree(ROOT / "runtime", folder / "runtime", ignore=shutil.ignore_patterns("__pycache__"))
    service = runtime / SERVICE
    text = service.read_text(encoding="utf-8")
    assert NAMES_ITSELF in text
    service.write_text(text.replace(NAMES_ITSELF, f'{NAMES_ITSELF} "library": "{MARKER}",'), encoding="utf-8")
    return build_runtime.build(runtime, folder / "wheel")


def vendor(project: Path, wheel: Path) -> None:
    """Pin a wheel in a generated repository, as an update does."""
    for old in (project / "vendor").glob("*.whl"):
        old.unlink()
    shutil.copy2(wheel, project / "vendor")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    pin = f"./vendor/{wheel.name} --hash=sha256:{digest}\n"
    (project / "vendor" / "requirements.txt").write_text(pin, encoding="utf-8")


def overlay(environment: Path, wheel: Path, folder: Path) -> Path:
    """Make an environment with all that another one holds, and this library in place of its own."""
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", str(environment / "bin" / "python"), str(folder)], check=True)
    subprocess.run([*uv, "pip", "install", "--python", str(folder), "--no-deps", str(wheel)], check=True)
    (shared,), (own,) = (list(where.glob("lib/python*/site-packages")) for where in (environment, folder))
    (own / "shared.pth").write_text(f"import site; site.addsitedir({str(shared)!r})\n", encoding="utf-8")
    for script in ("bentoml", "dvc"):
        text = (environment / "bin" / script).read_text(encoding="utf-8")
        (folder / "bin" / script).write_text(text.replace(str(environment), str(folder)), encoding="utf-8")
        (folder / "bin" / script).chmod(0o755)
    for done in (".ready", ".library"):
        (folder / done).touch()
    return folder
