"""Create a repository from answers, completely or not at all."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .answers import Answers, columns, names
from .dataset import Dataset, answers_from, write_dataset
from .errors import UserError
from .git import asked, first_commit, identity
from .overlays.render import add_overlays
from .render import render
from .source import Source, vendor
from .staging import move, staging, vacant


@dataclass(frozen=True)
class Created:
    """The new repository.

    Attributes
    ----------
    path : Path
        The repository.
    version : str
        Of the template.
    identity : tuple of str, optional
        Name and address of the first commit's author, where git had none.
    notes : tuple of str
        Messages for the user.
    """

    path: Path
    version: str
    identity: tuple[str, str] | None
    notes: tuple[str, ...]


def create(
    path: Path,
    answers: Answers,
    source: Source,
    dataset: Dataset | None = None,
    *,
    overlays: Sequence[Source] = (),
    ask: bool = False,
) -> Created:
    """Create a repository.

    Parameters
    ----------
    path : Path
        The folder: new, or empty.
    answers : Answers
        To the template's questions; the rest have defaults.
    source : Source
        The template.
    dataset : Dataset, optional
        The table it starts with; the template's example if None.
    overlays : sequence of Source
        Templates of an organisation's, on top of it.
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
    data, notes = answered(target, answers, dataset)
    with staging(target) as staged:
        version = fill(staged, data, source, dataset, named=answers.named, ask=ask)
        notes = (*notes, *add_overlays(overlays, staged, data))
        identity = first_commit(staged, f"{data['name']}: made by mlscaffold from template {version}")
        move(staged, target)
    return Created(target, version, identity, (*source.notes, *notes, *_nested(target)))


def answered(folder: Path, answers: Answers, dataset: Dataset | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Merge all known answers: the user's, the names that follow from the folder, the roles of the table.

    Parameters
    ----------
    folder : Path
        Of the repository.
    answers : Answers
        The user's.
    dataset : Dataset, optional
        The table it starts with.

    Returns
    -------
    dict
        By question.
    tuple of str
        Messages for the user.
    """
    named, notes = names(folder, answers.values)
    data = {"table": "example", **answers.values, **named, **(answers_from(dataset.contract) if dataset else {})}
    if "protected" in data:
        data["protected"] = list(columns(data["protected"]))
    if dataset is None and data.get("table") == "own":
        raise UserError("a table of your own comes with --data FILE")
    return data, notes


def fill(
    folder: Path,
    data: Mapping[str, Any],
    source: Source,
    dataset: Dataset | None,
    *,
    named: Sequence[str] = (),
    ask: bool = False,
) -> str:
    """Render the template into an empty folder, with its bundle and the table, and return the version."""
    vendor(source, folder)
    version = render(source, folder, data, named=named, ask=ask)
    if dataset:
        write_dataset(dataset, folder)
    return version


def _nested(target: Path) -> tuple[str, ...]:
    outer = asked("rev-parse", "--show-toplevel", cwd=target.parent)
    return (f"it is a git repository of its own inside another one, {outer}",) if outer else ()


def ship(project: Path) -> int:
    """Run `make ship` in a new repository, with a commit of the first model, and return its exit code."""
    if not shutil.which("make"):
        raise UserError(
            f"make is not installed, so {project} is made but not shipped; `mlscaffold doctor` says how to get it"
        )
    # The project has an environment of its own; ours must not stand in for it.
    environ = {name: text for name, text in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    if stand_in := identity(project):
        for role in ("AUTHOR", "COMMITTER"):
            environ |= {f"GIT_{role}_NAME": stand_in[0], f"GIT_{role}_EMAIL": stand_in[1]}
    words = ["make", "ship", "COMMIT=Train the first model"]
    return subprocess.run(words, cwd=project, env=environ, check=False).returncode
