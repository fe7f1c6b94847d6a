"""Find the overlays of a repository by their answers files."""

import re
from dataclasses import dataclass
from pathlib import Path

from ..project import made_from

_NAME = re.compile(r"^\.copier-answers\.(?P<name>[a-z][a-z0-9-]*)\.yml$")
HOME = ".mlscaffold"  # holds a folder of each overlay's, of its name: gates.yaml, checks.yaml


@dataclass(frozen=True)
class Overlay:
    """An overlay that a repository has.

    Attributes
    ----------
    name : str
        Of the overlay.
    answers : str
        Name of its answers file.
    url : str
        Where it comes from.
    version : str
        Which version of it.
    """

    name: str
    answers: str
    url: str
    version: str


def find_overlays(folder: Path) -> tuple[Overlay, ...]:
    """Find the overlays of a repository, in the order in which they are updated: by name."""
    found = {name: file for file in folder.glob(".copier-answers.*.yml") if (name := overlay_name(file.name))}
    return tuple(Overlay(name, file.name, *made_from(file)) for name, file in sorted(found.items()))


def overlay_name(answers: str) -> str:
    """Return the name of the overlay whose answers file has this name; empty where it is none."""
    match = _NAME.match(answers)
    return match["name"] if match else ""
