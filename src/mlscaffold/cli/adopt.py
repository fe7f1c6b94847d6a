"""`mlscaffold adopt`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import show
from ..errors import UserError
from .options import Answer, AnswersFile, Debug, Defaults, Id, Positive, Protected, Ref, Target, Task, Template, Time

if TYPE_CHECKING:
    from ..adopt.detect import Found
    from ..adopt.target_repository import TargetRepository
    from ..answers import Answers

EXAMPLE = "Example: mlscaffold adopt --data data/raw/churn.csv --target churned --dry-run"


def adopt(  # noqa: PLR0913 - one parameter an option
    path: Annotated[Path, typer.Argument(help="The repository, or a folder of one.")] = Path(),
    *,
    data: Annotated[
        Path | None, typer.Option(help="The table to learn from. Left out: the one that is there.", metavar="FILE")
    ] = None,
    target: Target = None,
    task: Task = None,
    protected: Protected = None,
    time: Time = None,
    id_: Id = None,
    positive: Positive = None,
    template: Template = None,
    ref: Ref = None,
    answer: Answer = None,
    answers: AnswersFile = None,
    defaults: Defaults = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be added; change nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, and ask nothing.")] = False,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Add the standard to an existing repository.

    Adds what is missing and leaves every existing file as it is; colliding files go to a branch. Exits 1 on
    conflicts, or after completing an interrupted adoption.
    """
    from ..adopt import adoption, plan, target_repository
    from ..adopt.apply import apply
    from ..answers import gather
    from ..dataset import infer_contract
    from ..source import template_source

    _finish_first(path, dry=dry_run)
    where = target_repository.load(path)
    roles = {"target": target, "task": task, "protected": protected, "time": time, "id": id_}
    given = gather(roles, answer or [], answers)
    source = template_source(template or given.template, ref or given.ref)
    found = plan.look(where)
    asking = show.interactive() and not defaults and not json
    table, given, notes = _complete(where, found, data, given, asking=asking)
    dataset = infer_contract(table, given.values, positive) if table else None
    if not json:
        show.findings(dataset.findings if dataset else ())
        show.notes(notes)
    with plan.plan(where, given, source, found, dataset) as planned:
        if not dry_run:
            apply(planned)
        if json:
            show.document(adoption.document(planned))
        else:
            show.adoption(planned, dry=dry_run)
            show.adopted(planned, dry=dry_run)
    raise typer.Exit(1 if planned.having("collides") else 0)


def _finish_first(path: Path, *, dry: bool) -> None:
    from ..git import asked
    from ..project import Project
    from ..update.apply import finish, unfinished

    folder = path.expanduser().resolve()
    places = asked("rev-parse", "--absolute-git-dir", "--show-toplevel", cwd=folder)
    git_dir, root = map(Path, places.splitlines()) if places else (folder / ".git", folder)
    begun = Project(folder, root, "", "", git_dir)
    if not unfinished(begun):
        return
    if dry:
        raise UserError("an earlier adoption or update was interrupted; run without --dry-run to complete it")
    if finished := finish(begun):
        show.finished(finished)
    raise typer.Exit(1)


def _complete(
    where: "TargetRepository", found: "Found", data: Path | None, given: "Answers", *, asking: bool
) -> "tuple[Path | None, Answers, tuple[str, ...]]":
    """Infer answers from the repository, and ask for the rest."""
    from ..adopt.suggest import pick_table, suggest

    if asking:
        from ..questions import ask_first

        table = data or (where.path / found.tables[0] if len(found.tables) == 1 else None)
        data, answers = ask_first(given.values, table, show.ask)
        given = given.plus(answers)
    else:
        data = pick_table(where.path, data, given.values, found)
    suggested, notes = suggest(where.path, given.values, found, at_root=where.path == where.root)
    return data, given.plus(suggested), notes
