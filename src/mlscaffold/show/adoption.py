"""What `adopt` says."""

from typing import TYPE_CHECKING

from .terminal import notes, say, wrapped

if TYPE_CHECKING:
    from pathlib import Path

    from ..adopt.adoption import Adoption
    from ..adopt.detect import Found

_MOST = 10  # checks that fit on a screen; `mlscaffold check` has all


def adoption(planned: "Adoption", *, dry: bool) -> None:
    """Show what an adoption does, or would do."""
    notes(planned.notes)
    _found(planned.found)
    added, same = planned.having("added"), planned.having("same")
    say(f"{'Would add' if dry else 'Added'} {len(added)} file(s) of template {planned.version}:", style="bold")
    for path in added:
        say(f"  + {path.as_posix()}", style="green")
    if same:
        say(f"There already, the very same: {_names(same)}")
    for path in planned.having("local"):
        say(f"Kept: {path.as_posix()} is a local file, ignored by git; the standard's is left out", style="yellow")


def _found(found: "Found") -> None:
    ci = [*found.forges, *found.other_ci]
    parts = {
        "package": found.packages,
        "framework": found.frameworks,
        "environment": found.environment,
        "CI": ci,
        "data": found.tables[:3],
        "notebooks": [str(found.notebooks)] if found.notebooks else [],
    }
    parts_text = "; ".join(f"{name} {', '.join(each)}" for name, each in parts.items() if each)
    say(f"Found: layout {found.layout}{f'; {parts_text}' if parts_text else ''}", style="bold")


def _names(paths: "tuple[Path, ...]") -> str:
    return ", ".join(path.as_posix() for path in paths)


def adopted(planned: "Adoption", *, dry: bool) -> None:
    """Show what is left to do."""
    from ..adopt.adoption import BRANCH

    collisions = planned.having("collides")
    if collisions:
        say(f"{len(collisions)} file(s) collide: yours stay as they are.", style="bold yellow")
        for path in collisions:
            say(f"  ! {path.as_posix()}", style="yellow")
        say(f"Branch {BRANCH} {'would hold' if dry else 'holds'} the standard's version of them:")
        say(f"  git diff HEAD {BRANCH}                  the differences")
        say(f"  git checkout --patch {BRANCH} -- FILE  take what fits, piece by piece")
    if planned.masked:
        say(f"git ignores {len(planned.masked)} of the added files here; they are staged all the same:", style="yellow")
        for path, source in planned.masked.items():
            say(f"  {path.as_posix()}, by {source.as_posix()}", style="yellow")
    if planned.in_the_way:
        say(f"`make setup train` needs the standard's parts of {_names(planned.in_the_way)}", style="yellow")
    _asked(planned)
    if not dry:
        say("Added, and staged. Look at it and commit: git diff --staged, git commit", style="green")
        if not planned.in_the_way:
            say("Next: make setup train")


def _asked(planned: "Adoption") -> None:
    failing = planned.after.failing
    say(f"Score of `mlscaffold check`: {planned.before.score} before, {planned.after.score} after", style="bold")
    for outcome in failing[:_MOST]:
        say(f"  {outcome.check.id} {outcome.check.title} ({outcome.check.severity})", style="red")
        wrapped(f"fix: {outcome.check.fix}", indent=6)
    if len(failing) > _MOST:
        say(f"  and {len(failing) - _MOST} more: mlscaffold check")
