"""Commit what a training read and wrote: code, parameters, lock, imports, reports, model card and journal."""

import subprocess
from pathlib import Path

from mlproduct.errors import DataError

STORE = ".bentoml"  # in the work tree of a release a link, which the pattern of the folder in .gitignore does not match
CODE = ("src", "tests", "ce", "notebooks")  # new files too: a stage may import them
GENERATED = (
    "dvc.lock",
    "imports.yaml",
    "champion.yaml",
    "docs/model-card.md",
    "reports",
    "experiments",
    "data/*.dvc",
)


def git(*words: str) -> str:
    """Run git and return what it prints.

    Raises
    ------
    DataError
        If it refuses; with what it says.
    """
    done = subprocess.run(["git", *words], capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise DataError(f"git {words[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def uncommitted() -> list[str]:
    """Return the paths that differ from the last commit, new ones too; empty outside of git."""
    words = ["git", "status", "--porcelain", "--untracked-files=normal"]
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", check=False)
    paths = [line[3:] for line in done.stdout.splitlines()]
    return [path for path in paths if path != STORE]


def commit(message: str) -> str:
    """Commit changes of tracked files, new files of code, and what training wrote; return the commit, short.

    Raises
    ------
    DataError
        If the message is empty, there is nothing to commit, or a hook of git refuses.
    """
    if not message.strip():
        raise DataError('a commit says what it is for: mlproduct commit -m "deeper trees"')
    written = [name for name in (*CODE, *GENERATED) if any(Path().glob(name))]
    git("add", "--update")
    git("add", "--", *[str(path) for name in written for path in sorted(Path().glob(name))])
    if not git("diff", "--cached", "--name-only").strip():
        raise DataError("there is nothing to commit: all that training wrote is committed")
    git("commit", "--quiet", "--message", message)
    return git("rev-parse", "--short", "HEAD").strip()


def next_command(message: str) -> str:
    """Return the line that tells how to commit what is not committed; empty where all is."""
    if not uncommitted():
        return ""
    return f'commit it   mlproduct commit -m "{message}"'
