"""Put the raw data under DVC and check it: what `mlproduct data` does."""

import os
import subprocess
from pathlib import Path

from mlproduct import processes
from mlproduct.errors import DataError

FOLDER = Path("data")
CAUSES = {  # what DVC says -> what it means and how it ends
    "could not be acquired": "another DVC command is running in this repository; wait for it, or end it",
    "unable to acquire lock": "another DVC command is running in this repository; wait for it, or end it",
    "unable to read": "a DVC file cannot be read",
    "yaml": "a DVC file is not valid YAML",
}
MARKERS = ("<<<<<<<", "=======\n", ">>>>>>>")


def raw_files() -> list[Path]:
    """Return the raw data files: data/raw.* without DVC's pointers."""
    return sorted(path for path in FOLDER.glob("raw.*") if path.suffix != ".dvc")


def conflicted() -> list[Path]:
    """Return the files of DVC that hold conflict markers of git."""
    files = [Path("dvc.lock"), *sorted(Path().glob("*.dvc")), *sorted(FOLDER.glob("*.dvc"))]
    return [path for path in files if path.is_file() and MARKERS[0] in path.read_text(encoding="utf-8")]


def refuse_conflicts() -> None:
    """Refuse to go on while files of DVC hold conflict markers.

    Raises
    ------
    DataError
        Which files, and how the conflict ends.
    """
    words = ["git", "ls-files", "--unmerged", "--", "dvc.lock", "*.dvc"]
    if subprocess.run(words, capture_output=True, text=True, check=False).stdout:
        raise DataError("a merge is not finished: `make merge` resolves the generated files and trains again")
    if found := conflicted():
        names = " ".join(map(str, found))
        raise DataError(
            f"{names}: unresolved merge conflict; take one side, `git checkout --ours {names}`, then retrain"
        )


def track() -> int:
    """Add the raw data to DVC, and check it against contract.yaml; returns DVC's exit code.

    Raises
    ------
    DataError
        If DVC refuses, with the cause and the fix.
    """
    refuse_conflicts()
    if files := raw_files():
        words = ["dvc", "add", "--quiet", *map(str, files)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DataError(explained(done.stderr))
    return processes.watch(["dvc", "repro", "contract"], os.environ, 0)[0]


def explained(stderr: str) -> str:
    """Return the cause of an error of DVC in plain words, and what it said itself."""
    text = stderr.strip() or "it gave no reason; `dvc add --verbose` says more"
    cause = next((meaning for words, meaning in CAUSES.items() if words in text.lower()), "DVC refused the raw data")
    return f"{cause}: {text.removeprefix('ERROR: ')}"
