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


def created(made: "Created", *, shipping: bool) -> None:
    """Say what was made, and what comes next."""
    notes(made.notes)
    if made.identity:
        name, mail = made.identity
        notes([f"git has no identity here, so the first commit is by {name} <{mail}>; set user.name and user.email"])
    say(f"Made {made.path} from template {made.version}, with its first commit.", style="green")
    if not shipping:
        say(f"Next: cd {near(made.path)} && make ship")


def made_overlay(made: "Made") -> None:
    """Say which overlay was made, and what comes next."""
    say(f"Made the overlay {made.name} in {made.path}, version {made.version}.", style="green")
    say(f"Next: read {near(made.path / 'README.md')}, then: mlscaffold overlay add {near(made.path)} REPOSITORY")
