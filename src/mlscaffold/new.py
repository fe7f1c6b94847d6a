"""Answers become a repository, whole or not at all."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from .answers import Answers, columns, names
from .errors import UserError
from .git import asked, first_commit
from .render import render
from .source import Source, vendor

if TYPE_CHECKING:
    from .contract import Contract
    from .inference.findings import Finding
    from .tables.table import Table

_CHUNK = 2**20


@dataclass(frozen=True)
class OwnTable:
    """A table of the user's, and the contract inferred from it."""

    table: "Table"
    contract: "Contract"
    findings: "tuple[Finding, ...]"


@dataclass(frozen=True)
class Created:
    """What was made.

    Attributes
    ----------
    path : Path
        The repository.
    version : str
        Of the template.
    identity : tuple of str, optional
        Name and address of the first commit's author, where git had none.
    notes : tuple of str
        What to tell the user.
    """

    path: Path
    version: str
    identity: tuple[str, str] | None
    notes: tuple[str, ...]


def infer_contract(data: Path, values: Mapping[str, Any], positive: str | None = None) -> OwnTable:
    """Open a table and infer its contract.

    Parameters
    ----------
    data : Path
        CSV, CSV.gz, TSV or Parquet.
    values : mapping
        Answers: target, task, protected, time, id.
    positive : str, optional
        The label that counts as positive.

    Returns
    -------
    OwnTable
        Table, contract, findings.

    Raises
    ------
    UserError
        If there is no target, or the table does not fit what was said about it.
    """
    from .inference.infer import infer
    from .tables.table import header, open_table

    target = values.get("target")
    if not target:
        listed = ", ".join(header(data))
        raise UserError(f"which column of {data.name} is to be predicted? give --target; its columns are: {listed}")
    table = open_table(data)
    protected = values.get("protected")
    found = infer(
        table,
        target=str(target),
        task=values.get("task") or None,
        protected=(protected,) if protected in table.columns else columns(protected),
        time=values.get("time") or None,
        id=values.get("id") or None,
        positive=positive,
    )
    return OwnTable(table, found.contract, found.findings)


def create(path: Path, answers: Answers, source: Source, own: OwnTable | None = None, *, ask: bool = False) -> Created:
    """Make a repository.

    Parameters
    ----------
    path : Path
        The folder: new, or empty.
    answers : Answers
        To the template's questions; the rest have defaults.
    source : Source
        The template.
    own : OwnTable, optional
        The table it starts with; the template's example if None.
    ask : bool
        Whether to ask for answers that are not given.

    Returns
    -------
    Created
        The repository, with its first commit.

    Raises
    ------
    UserError
        If the folder is taken, or an answer is wrong; nothing is left behind then.
    """
    target = vacant(path)
    named, notes = names(target, answers.values)
    data = {"table": "example", **answers.values, **named, **(_answers_of(own.contract) if own else {})}
    if "protected" in data:
        data["protected"] = list(columns(data["protected"]))
    if own is None and data.get("table") == "own":
        raise UserError("a table of your own comes with --data FILE")
    with _staging(target) as staged:
        vendor(source, staged)
        version = render(source, staged, data, named=answers.named, ask=ask)
        if own:
            _bring_table(own, staged)
        identity = first_commit(staged, f"{named['name']}: made by mlscaffold from template {version}")
        _move(staged, target)
    return Created(target, version, identity, (*source.notes, *notes, *_nested(target)))


def _nested(target: Path) -> tuple[str, ...]:
    outer = asked("rev-parse", "--show-toplevel", cwd=target.parent)
    return (f"it is a git repository of its own inside another one, {outer}",) if outer else ()


def vacant(path: Path) -> Path:
    """Return the folder's full path if a repository can be made there."""
    target = path.expanduser().absolute()
    target = Path(os.path.normpath(target))
    if target.is_symlink() or target.exists():
        target = target.resolve()
    if not target.exists():
        if not os.access(_existing(target), os.W_OK):
            raise UserError(f"{_existing(target)} cannot be written to; choose another folder")
        return target
    if not target.is_dir():
        raise UserError(f"{path} is a file; choose another name for the folder")
    if any(target.iterdir()):
        raise UserError(f"{path} is not empty; choose a new folder, or an empty one")
    return target


def _existing(path: Path) -> Path:
    found = next(parent for parent in path.parents if parent.exists())
    if not found.is_dir():
        raise UserError(f"{found} is a file, so {path} cannot be made in it; choose another folder")
    return found


def _answers_of(contract: "Contract") -> dict[str, Any]:
    time, entity = contract.named("time"), contract.named("id")
    return {
        "table": "own",
        "task": contract.task,
        "target": contract.target,
        "protected": list(contract.named("protected")),
        "time": time[0] if time else "",
        "id": entity[0] if entity else "",
    }


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """Give a folder beside the target (inside it, if it is there), and leave nothing behind if something fails."""
    with ExitStack() as undo:
        missing = [parent for parent in target.parents if not parent.exists()]
        undo.callback(_remove_empty, missing)
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(mkdtemp(prefix=f".{target.name}-", dir=target if target.exists() else target.parent))
        undo.callback(shutil.rmtree, scratch, ignore_errors=True)
        # mkdtemp's folder is for its owner only; the project's has the user's usual mode.
        staged = scratch / "project"
        staged.mkdir()
        yield staged


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _move(staged: Path, target: Path) -> None:
    if not target.exists():
        staged.rename(target)
        return
    # An existing folder may be somebody's current one, or a mount: it stays, and is filled.
    moved: list[Path] = []
    try:
        for entry in sorted(staged.iterdir()):
            entry.rename(target / entry.name)
            moved.append(target / entry.name)
    except BaseException:
        for entry in moved:
            entry.rename(staged / entry.name)
        raise


def _bring_table(own: OwnTable, project: Path) -> None:
    from .contract import contract_yaml

    raw = project / own.contract.source.path
    raw.parent.mkdir(parents=True, exist_ok=True)
    (project / "contract.yaml").write_text(contract_yaml(own.contract), encoding="utf-8", newline="\n")
    digest, size = _copy(own.table.path, raw)
    raw.with_name(f"{raw.name}.dvc").write_text(pointer(raw.name, digest, size), encoding="utf-8", newline="\n")


def _copy(origin: Path, target: Path) -> tuple[str, int]:
    """Copy a file and return its MD5 and size, reading it once.

    It is copied, never linked: who edits the original must not change data that has a version.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with origin.open("rb") as reading, target.open("wb") as writing:
        while chunk := reading.read(_CHUNK):
            digest.update(chunk)
            writing.write(chunk)
        return digest.hexdigest(), writing.tell()


def pointer(name: str, digest: str, size: int) -> str:
    """Write what `dvc add` would write beside a file."""
    return f"outs:\n- md5: {digest}\n  size: {size}\n  hash: md5\n  path: {name}\n"


def ship(project: Path) -> int:
    """Run `make ship` in a repository, its output going where ours goes, and return its exit code."""
    if not shutil.which("make"):
        raise UserError(
            f"make is not installed, so {project} is made but not shipped; `mlscaffold doctor` says how to get it"
        )
    # The project has an environment of its own; ours must not stand in for it.
    environ = {name: text for name, text in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return subprocess.run(["make", "ship"], cwd=project, env=environ, check=False).returncode
