"""What people see: the only importer of rich."""

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.prompt import Prompt
from rich.text import Text

from .doctor import can_ship

if TYPE_CHECKING:
    from .doctor import Tool
    from .findings import Finding
    from .new import Created
    from .questions import Question
    from .update import Plan

_STYLES = {"info": "dim", "warning": "yellow"}


def _say(text: str = "", style: str = "", *, err: bool = False) -> None:
    # A fresh console looks at the stream as it is now; soft wrap keeps one line one line in a pipe.
    console = Console(stderr=err, highlight=False, soft_wrap=True)
    console.print(Text(text, style=style))


def error(message: str) -> None:
    """Print what is wrong and what to do."""
    _say(f"error: {message}", "bold red", err=True)


def bug(problem: BaseException) -> None:
    """Print that the fault is ours."""
    _say(f"unexpected error, a bug of mlscaffold: {type(problem).__name__}: {problem}", "bold red", err=True)
    _say("run it again with --debug and report the traceback", err=True)


def findings(found: "Iterable[Finding]", *, err: bool = False) -> None:
    """Print what was found in a table, one line each."""
    for each in found:
        mark = "!" if each.severity == "warning" else "-"
        _say(f"{mark} {each.text}", _STYLES[each.severity], err=err)


def created(made: "Created") -> None:
    """Print what was made and what to do next."""
    for note in made.notes:
        _say(f"- {note}", "dim")
    if made.identity:
        name, mail = made.identity
        _say(f"- git knows no name of yours: the first commit is by {name} <{mail}>", "dim")
    _say(f"{made.path} is made, from template {made.version}", "bold green")


def next_steps(made: "Created") -> None:
    """Print how to go on."""
    _say(f"next: confirm contract.yaml, then\n  cd {made.path}\n  make ship")


def prompt(question: "Question") -> str:
    """Ask one question, with its help and its default, until the answer will do."""
    _say(question.help, "dim")
    shown = question.default or "none"
    while True:
        said = Prompt.ask(f"[bold]{question.name}[/]", default=shown, console=Console(soft_wrap=True)).strip()
        answer = question.default if said == shown else said
        wrong = question.check(answer)
        if not wrong:
            return answer
        _say(wrong, "yellow")


def interactive() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def plan(planned: "Plan", *, done: bool) -> None:
    """Print what an update changes, or has changed."""
    if planned.nothing:
        _say(f"{planned.project.path} is up to date with template {planned.project.version}", "green")
        return
    _say(f"template {planned.project.version} -> {planned.version}", "bold")
    for change in planned.changes:
        _say(f"  {change.letter} {change.path}", "yellow" if change.path in planned.conflicts else "")
    _list("conflicts", planned.conflicts, "both sides changed the same lines")
    _list("edits that are lost", planned.lost, "the template renamed or deleted these files; `git show HEAD:FILE` has yours")
    _list("local files", planned.ignored, "git ignores these and the template brings its own; yours are kept as FILE.backup")
    _closing(planned, done=done)


def _list(title: str, paths: Iterable[str], reason: str) -> None:
    listed = sorted(paths)
    if listed:
        _say(f"{title}: {reason}", "yellow")
        for path in listed:
            _say(f"  {path}")


def _closing(planned: "Plan", *, done: bool) -> None:
    if not done:
        _say("nothing was touched; run it without --dry-run to apply", "dim")
    elif planned.conflicts:
        _say("solve the conflicts (search for <<<<<<<), then commit", "bold yellow")
    else:
        _say("look at `git diff`, run `make test`, then commit", "bold green")


def tools(examined: "tuple[Tool, ...]", settings: str) -> None:
    """Print what is here, what is missing, what it is for and how to get it."""
    width = max(len(tool.name) for tool in examined)
    for tool in examined:
        style, mark = _judged(tool)
        mend = "" if tool.found else f"; to get it: {tool.mend}"
        _say(f"{mark} {tool.name:<{width}}  {tool.found or tool.missing}  ({tool.purpose}{mend})", style)
    _say(f"your own defaults: {settings}", "dim")
    if can_ship(examined):
        _say("a project can ship from here", "bold green")
    else:
        lacking = ", ".join(tool.name for tool in examined if tool.needed and not tool.found)
        _say(f"a project cannot ship yet: get {lacking}", "bold red")


def _judged(tool: "Tool") -> tuple[str, str]:
    if tool.found:
        return "", "+"
    return ("red", "x") if tool.needed else ("dim", "-")


Ask = Callable[["Question"], str]
