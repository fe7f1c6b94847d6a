"""What a repository was when it was rendered: the old version of its template, with its answers, once more."""

from dataclasses import replace
from pathlib import Path

from .project import answers_of
from .render import render
from .source import template_source


def render_old(url: str, version: str, answers: Path, near: Path, into: Path) -> None:
    """Render a template as a repository has it.

    Parameters
    ----------
    url, version : str
        As the answers file says.
    answers : Path
        The answers file.
    near : Path
        The folder from which a relative URL is seen.
    into : Path
        Where to.
    """
    url = (near / url).as_posix() if (near / url).is_file() else url
    source = template_source(url, version)
    said = {name: each for name, each in answers_of(answers).items() if not name.startswith("_")}
    render(replace(source, url=url), into, said)
