"""Apply a planned update to the repository's files: recorded first, so that an interrupted one can be completed.

No file system changes many files at once. So the new files and what is to be done with them are put into git's own
folder; once this record is written the update counts as done, and the next command that finds the record applies it.
"""

import glob
import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..git import git
from ..project import Project
from .preview import Plan

JOURNAL = "mlscaffold-update"  # in git's own folder of this work tree
RECORD = "record.json"


@dataclass(frozen=True)
class Finished:
    """An update that was interrupted and is complete now.

    Attributes
    ----------
    version : str
        The version of the template it went to.
    conflicts : tuple of Path
        Files that hold conflict markers.
    """

    version: str
    conflicts: tuple[Path, ...]


def apply(planned: Plan) -> None:
    """Apply a planned update to the repository's files, uncommitted, with conflicts marked in git's index.

    Parameters
    ----------
    planned : Plan
        A plan that is still open.
    """
    if planned.tree is None:
        return
    folder = planned.project.git_dir / JOURNAL
    with _uninterrupted():
        _write_record(planned, folder)
        _run_record(folder, planned.project.root)


def unfinished(project: Project) -> bool:
    """Whether an update of this repository was interrupted after its record was written."""
    return (project.git_dir / JOURNAL / RECORD).is_file()


def finish(project: Project) -> Finished | None:
    """Complete an interrupted update (or adoption), if there is one.

    Parameters
    ----------
    project : Project
        The repository.

    Returns
    -------
    Finished or None
        None where nothing was left undone.

    Raises
    ------
    UserError
        If a file has changed since: it is neither what it was nor what the update makes of it.
    """
    if not unfinished(project):
        return None
    folder = project.git_dir / JOURNAL
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    for entry in record["files"]:
        if _state(project.root / entry["path"]) not in (entry["old"], entry["new"]):
            back = f"git checkout HEAD -- {entry['path']}" if entry["old"] else f"rm {entry['path']}"
            raise UserError(
                f"an update to {record['version']} was interrupted, and {entry['path']} has changed since; restore it "
                f"({back}) and run the same command again, or discard that update: "
                f"rm -r {folder} && git checkout HEAD -- ."
            )
    with _uninterrupted():
        _run_record(folder, project.root)
    return Finished(record["version"], tuple(Path(path) for path in record["conflicts"]))


def _write_record(planned: Plan, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files: list[dict[str, Any]] = []
    for number, change in enumerate(planned.changes):
        if change.kind != "deleted":
            shutil.copy(_in(planned.tree, change.path), folder / str(number), follow_symlinks=False)
        old, new = _state(planned.project.root / change.path), _state(folder / str(number))
        files.append({"path": change.path.as_posix(), "old": old, "new": new})
    record = {
        "version": planned.version,
        "files": files,
        "conflicts": [path.as_posix() for path in planned.conflicts],
        "stages": planned.stages.decode(errors="surrogateescape"),
        "branch": planned.branch,
    }
    partial = folder / f"{RECORD}.partial"
    partial.write_text(json.dumps(record), encoding="utf-8")
    partial.replace(folder / RECORD)


def _in(tree: Path | None, path: Path) -> Path:
    assert tree is not None  # noqa: S101 - `apply` asked
    return tree / path


def _state(path: Path) -> str | None:
    """Return what tells one content of a path from another: digest and exec bit, target of a link, or None."""
    if path.is_symlink():
        return f"link {path.readlink()}"
    if not path.is_file():
        return None
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mode & 0o100:o}"


def _run_record(folder: Path, root: Path) -> None:
    """Apply the record; what had been done before is done again, with the same result."""
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    for number, entry in enumerate(record["files"]):
        if entry["new"] is None:
            _delete(root / entry["path"], root)
        else:
            _replace(folder / str(number), root / entry["path"])
    if record["stages"]:
        zero = b"".join(b"0 %s\t%s\0" % (b"0" * 40, os.fsencode(path)) for path in record["conflicts"])
        stages = record["stages"].encode(errors="surrogateescape")
        git("update-index", "-z", "--index-info", cwd=root, stdin=zero + stages)
    if record.get("branch"):
        name, commit = record["branch"]
        git("update-ref", f"refs/heads/{name}", commit, cwd=root)
    (folder / RECORD).unlink()
    shutil.rmtree(folder)


def _replace(new: Path, real: Path) -> None:
    real.parent.mkdir(parents=True, exist_ok=True)
    partial = real.with_name(f".{real.name}.mlscaffold")
    partial.unlink(missing_ok=True)
    shutil.copy(new, partial, follow_symlinks=False)
    partial.replace(real)


def _delete(path: Path, root: Path) -> None:
    path.unlink(missing_ok=True)
    compiled = path.parent / "__pycache__"
    if path.suffix == ".py" and not compiled.is_symlink():  # else its folder would stay, for nothing but bytecode
        for file in compiled.glob(f"{glob.escape(path.stem)}.*.pyc"):
            file.unlink()
        with suppress(OSError):
            compiled.rmdir()
    for folder in path.parents:
        if folder == root or (folder.is_dir() and any(folder.iterdir())):
            return
        if folder.is_dir():
            folder.rmdir()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Block Ctrl-C: a complete update is better than one to complete later."""
    signals = (signal.SIGINT, signal.SIGTERM)
    mask: Callable[..., object] | None = getattr(signal, "pthread_sigmask", None)
    if mask is None:  # pragma: no cover - Windows
        yield
        return
    mask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        mask(signal.SIG_UNBLOCK, signals)
