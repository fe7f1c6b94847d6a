"""Two people trained: what git could not merge of the generated files is made again from what both have changed."""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from mlproduct.config.yaml_file import read_yaml
from mlproduct.errors import DataError
from mlproduct.experiments import journal
from mlproduct.experiments.commits import git

REMADE = ("dvc.lock", "imports.yaml", "champion.yaml", "docs/model-card.md", "reports/*")
PARAMS = "params.yaml"


def unmerged() -> list[str]:
    """Return the paths that git could not merge."""
    lines = git("ls-files", "--unmerged", "-z").split("\0")
    return sorted({line.partition("\t")[2] for line in lines if line})


def remade(path: str) -> bool:
    """Return whether a file is made by training, so that it needs no decision of a person."""
    return any(fnmatch(path, pattern) for pattern in REMADE)


def _flat(document: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in (document or {}).items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _params_of(revision: str, folder: Path) -> dict[str, Any]:
    path = folder / PARAMS
    path.write_text(git("show", f"{revision}:{PARAMS}"), encoding="utf-8")
    return dict(_flat(read_yaml(path)))


def combined(theirs: str) -> dict[str, list[str]]:
    """Return which parameters each side has changed since both were one: `ours` and `theirs`, as `key=value`."""
    from tempfile import TemporaryDirectory

    base = git("merge-base", "HEAD", theirs).strip()
    with TemporaryDirectory() as folder:
        old, ours, other = (_params_of(revision, Path(folder)) for revision in (base, "HEAD", theirs))
    sides = {"ours": ours, "theirs": other}
    return {
        side: [f"{key}={value}" for key, value in values.items() if old.get(key) != value]
        for side, values in sides.items()
    }


def resolve() -> str:
    """Take our side of the generated files, conclude the merge, and return why the model is trained again.

    Raises
    ------
    DataError
        If no merge is going on, or a file is in conflict that a person has to decide.
    """
    head = Path(git("rev-parse", "--git-path", "MERGE_HEAD").strip())
    if not head.exists():
        raise DataError("no merge is going on: `git merge BRANCH` first; where it conflicts, `make merge` goes on")
    theirs = head.read_text(encoding="utf-8").split()[0]
    found = unmerged()
    if manual := [path for path in found if not remade(path)]:
        raise DataError(f"decide these yourself, then `git add` them and run `make merge` again: {', '.join(manual)}")
    changed = combined(theirs)
    for path in found:
        _take(path)
    git("commit", "--quiet", "--no-edit")
    parameters = "; ".join(f"{side}: {', '.join(names)}" for side, names in changed.items() if names)
    return f"merge of {theirs[:8]}" + (f", parameters of both combined ({parameters})" if parameters else "")


def _take(path: str) -> None:
    """Take our side of a file, or theirs where we have none: training writes it anew."""
    stages = {line.split()[2] for line in git("ls-files", "--unmerged", "--", path).splitlines()}
    git("checkout", "--ours" if "2" in stages else "--theirs", "--", path)
    git("add", "--", path)


def merge() -> int:
    """Resolve the generated files of a merge and train; returns the exit code of the training."""
    why = resolve()
    print(f"{why}: training again")
    return journal.train(why, "", None)
