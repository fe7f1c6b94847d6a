"""What `new` and `infer` say."""

from typing import TYPE_CHECKING

from .terminal import near, notes, remark, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..inference.findings import Finding
    from ..new import Created
    from ..overlays.make import Made


def findings(found: "Iterable[Finding]") -> None:
    """Say what is worth knowing about a table, one line each."""
    for each in found:
        warning = each.severity == "warning"
        remark(f"{'Note' if warning else 'Data'}: {each.text}", style="yellow" if warning else "")


def created(project: "Created", *, shipping: bool) -> None:
    """Say what was made, and what comes next."""
    notes(project.notes)
    if project.identity:
        name, mail = project.identity
        notes([f"git has no identity here, so the first commit is by {name} <{mail}>; set user.name and user.email"])
    say(f"Made {project.path} from template {project.version}, with its first commit.", style="green")
    if not shipping:
        say(f"Next: cd {near(project.path)} && make ship")


def made_overlay(overlay: "Made") -> None:
    """Say which overlay was made, and what comes next."""
    say(f"Made the overlay {overlay.name} in {overlay.path}, version {overlay.version}.", style="green")
    say(f"Next: read {near(overlay.path / 'README.md')}, then: mlscaffold overlay add {near(overlay.path)} REPOSITORY")
