"""Rendering, by copier: into a folder, into a project, or in memory. The only importer of copier."""

import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..answers import config_file
from ..credentials import refuse_answers
from ..errors import UserError
from ..source import Source, served
from ..trust import trusted

if TYPE_CHECKING:
    from .memory import Standard

_UNSAFE = (
    "the template contains {features}: these run code on the machine of whoever uses it, so mlscaffold refuses them; "
    "take them out of the template's copier.yml, or put its address on your trust list if you trust who writes it "
    "(`trust` in {file}, or MLSCAFFOLD_TRUST)"
)


def render(
    source: Source, target: Path, data: Mapping[str, Any], *, named: Sequence[str] = (), ask: bool = False
) -> str:
    """Render a template.

    Parameters
    ----------
    source : Source
        The template; a relative URL is seen from `target`.
    target : Path
        An existing folder.
    data : mapping
        Answers; those that the template does not ask for are left out.
    named : sequence of str
        Answers that the user named: the template must ask for them.
    ask : bool
        Whether copier asks for what `data` lacks.

    Returns
    -------
    str
        The version that was rendered.

    Raises
    ------
    UserError
        If an answer is wrong, or the template cannot be used.
    """
    with _copier(source, target) as worker:
        job = worker(dst_path=target, src_path=source.url, vcs_ref=source.ref, data=dict(data), defaults=not ask)
        with job:
            if not job.unsafe:
                _refuse_migrations(job.template.config_data)
            _refuse_unknown(named, list(job.template.questions_data))
            job.run_copy()
            refuse_answers(job.answers.combined)
            return str(job.template.commit)


@dataclass(frozen=True)
class Merged:
    """What a merge came to.

    Attributes
    ----------
    version : str
        The version that was reached.
    skips : callable
        Whether a path belongs to the team from the first day (`_skip_if_exists`).
    changelog : str
        CHANGELOG.md beside the template, or nothing.
    """

    version: str
    skips: Callable[[Path], bool]
    changelog: str


def merge(source: Source, project: Path, answers: str | None = None) -> Merged:
    """Bring a project to another version of its template, as `copier update` does.

    Parameters
    ----------
    source : Source
        The template; `ref` is the version to go to.
    project : Path
        The project's folder in a clean work tree.
    answers : str, optional
        Name of its answers file; the standard's if None.

    Returns
    -------
    Merged
        The version that was reached, and what the template says of it.
    """
    with _copier(source, project) as worker:
        job = worker(dst_path=project, answers_file=answers, vcs_ref=source.ref, defaults=True)
        with job:
            job.run_update()
            changelog = job.template.local_abspath / "CHANGELOG.md"
            text = changelog.read_text(encoding="utf-8", errors="replace") if changelog.is_file() else ""
            return Merged(str(job.template.commit), job.match_skip, text)


@contextmanager
def opened(source: Source, project: Path, data: Mapping[str, Any]) -> "Iterator[Standard]":
    """Render a version of a template in memory.

    Parameters
    ----------
    source : Source
        The template; a relative URL is seen from `project`.
    project : Path
        The folder of the repository; nothing is written to it.
    data : mapping
        Its answers.

    Yields
    ------
    Standard
        The files, and the template's repository as long as the block is open.
    """
    with _copier(source, project), TemporaryDirectory(prefix="mlscaffold-standard-") as folder:
        from .memory import Keeper, Standard
        from .worker import maker

        # The folder stays empty; its name is the project's, as a template may ask for it.
        place = Path(folder) / project.name
        words = {"dst_path": place, "src_path": source.url, "vcs_ref": source.ref, "data": dict(data), "defaults": True}
        # Nothing is made here, so the tasks of a template that is trusted have nothing to do.
        with maker(Keeper, unsafe=trusted(source.url))(**words, skip_tasks=True) as job:
            yield Standard(job)


def _refuse_migrations(config: Mapping[str, Any]) -> None:
    # copier refuses them when it comes to an update, which is too late for whoever has made a repository by then.
    if config.get("migrations"):
        raise UserError(_UNSAFE.format(features="migrations", file=config_file()))


def _refuse_unknown(named: Sequence[str], questions: Sequence[str]) -> None:
    for name in named:
        if name not in questions:
            from difflib import get_close_matches

            alike = get_close_matches(name, questions, n=1)
            hint = f"did you mean {alike[0]}?" if alike else f"it asks for {', '.join(questions)}"
            raise UserError(f"the template has no question {name!r}; {hint}")


@contextmanager
def _copier(source: Source, folder: Path) -> Iterator[Any]:
    """Give a maker of copier workers, in an environment where they work alike for everybody."""
    from copier.errors import CopierAnswersInterrupt, CopierError, UnsafeTemplateError
    from jinja2 import TemplateError
    from plumbum import ProcessExecutionError, local
    from yaml import YAMLError

    from .worker import QuickWorker, maker

    try:
        # plumbum keeps its own idea of the current folder and of the environment, so both are set here.
        with served(source), local.env(), local.cwd(folder), warnings.catch_warnings():
            local.env.clear()
            local.env.update(os.environ)
            warnings.simplefilter("ignore")
            yield maker(QuickWorker, unsafe=trusted(source.url))
    except CopierAnswersInterrupt as error:
        raise KeyboardInterrupt from error
    except UnsafeTemplateError as error:
        features = str(error).partition(": ")[2].split("\n")[0] or error
        raise UserError(_UNSAFE.format(features=features, file=config_file())) from error
    except ProcessExecutionError as error:
        raise UserError(f"git could not fetch the template: {_last_line(error.stderr or str(error))}") from error
    except (CopierError, TemplateError, YAMLError, ValueError) as error:
        raise UserError(_message(error)) from error


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")


def _message(error: Exception) -> str:
    text = str(error).strip()
    if text.startswith("Validation error for question "):
        question, _, reason = text.removeprefix("Validation error for question ").partition(": ")
        return f"answer {question}: {reason.strip()}"
    choice = re.match(r"Invalid choice for '(.+?)': (.*)", text, re.DOTALL)
    if choice:
        return f"answer {choice[1]!r}: {choice[2]}"
    if text.startswith("Question "):
        return f"{text[0].lower()}{text[1:]}; give it with -d NAME=VALUE"
    return f"the template cannot be used: {text or type(error).__name__}"
