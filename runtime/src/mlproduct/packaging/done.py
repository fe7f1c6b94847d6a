"""Which steps of `mlproduct ship` were done for what is here: a step that would do the same again is left out.

Kept beside the Bentos, in a file that git ignores. A step is done for a hash of all that it reads; anything else, an
interrupted step or another Python or library too, does it anew.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from mlproduct.packaging.store import STORE

KEPT = STORE / "done.json"
WRITTEN = ("reports/", "experiments/", "docs/model-card.md", "dvc.lock", "imports.yaml", "champion.yaml")


def is_done(step: str, digest: str) -> bool:
    """Return whether a step was done for this very state."""
    return bool(digest) and _read().get(step) == digest


def mark_done(step: str, digest: str) -> None:
    """Note that a step was done for a state."""
    STORE.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(_read() | {step: digest}, indent=1) + "\n", encoding="utf-8")


def _read() -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(KEPT.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found


def digest(paths: Iterable[Path], *more: str) -> str:
    """Hash names and contents of files, the Python that runs, and some texts."""
    total = hashlib.sha256("\0".join([sys.version, *more]).encode())
    for path in sorted(set(paths)):
        content = path.read_bytes() if path.is_file() else b""
        total.update(f"{path.as_posix()}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def of_code() -> str:
    """Hash all that the tests may read: what git would hold, but for what training writes; empty without git."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        return ""
    names = [name for name in done.stdout.decode(errors="surrogateescape").split("\0") if name]
    return digest(Path(name) for name in names if not name.startswith(WRITTEN))
