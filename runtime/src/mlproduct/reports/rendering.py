"""Write pages and Markdown from the Jinja2 templates of this folder: whatever a value holds, it stays text."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).with_name("templates")


def number(value: Any) -> str:
    """Write a figure with four digits, or whole where it has five to seven of them, and nothing where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    if isinstance(value, int) or 1e4 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def code(value: Any) -> Markup:
    """Keep a value inside its cell of a Markdown table, where it stands between backticks."""
    return Markup(_line(value))  # noqa: S704 (it is Markdown)


def cell(value: Any) -> Markup:
    """Keep a value inside its cell of a Markdown table of a forge, which would take `<` for HTML."""
    if isinstance(value, Markup):  # from `code`, or from a macro
        return value
    return Markup(_line(value).replace("<", "&lt;").replace(">", "&gt;"))  # noqa: S704 (it is Markdown)


def _line(value: Any) -> str:
    return " ".join(number(value).split()).replace("|", "\\|").replace("`", "'")


def render(name: str, **values: Any) -> str:
    """Fill a template: values are escaped for HTML in a page, and for the cells of a table in Markdown.

    Parameters
    ----------
    name : str
        Of a file in templates/.
    **values
        What the template names; one that is missing is an error.
    """
    return environment(markdown=name.endswith(".md")).get_template(name).render(values)


def environment(markdown: bool = False) -> Environment:
    """Return the environment of the pages, or that of Markdown, in which each value passes `cell`."""
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=cell if markdown else None,
    )
    templates.filters |= {"number": number, "code": code}
    return templates
