"""The team's own sections of the report and the model card, checked and escaped: `report` of extensions.py."""

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from mlproduct.evaluation.own import Evaluated
from mlproduct.reports.drawing import Table
from mlproduct.team import returned_wrong


@dataclass(frozen=True)
class Section:
    """A section of reports/ce.html and of the model card.

    Attributes
    ----------
    title : str
    text : str
        Markdown; HTML in it is shown as it is written.
    table : Table or None
        Below the text: `Table(["plan", "rows"], [("basic", 70), ("pro", 30)])`.
    """

    title: str
    text: str = ""
    table: Table | None = None

    @property
    def html(self) -> Markup:
        """The text as HTML."""
        from markdown_it import MarkdownIt

        return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(self.text))  # noqa: S704 (escaped)

    @property
    def markdown(self) -> Markup:
        """The text as Markdown in which no HTML begins."""
        return Markup(self.text.strip().replace("&", "&amp;").replace("<", "&lt;"))  # noqa: S704 (it is Markdown)


Report = Callable[[Evaluated], list[Section]]


def own_sections(report: Report | None, evaluated: Evaluated) -> list[Section]:
    """Return the team's sections.

    Raises
    ------
    DataError
        If the function returned something else than sections with a title and something to show.
    """
    found = [] if report is None else report(evaluated)
    if not isinstance(found, list | tuple) or not all(isinstance(section, Section) for section in found):
        raise returned_wrong("report", found, "a list of Section, from mlproduct.extensions")
    for section in found:
        _check(section)
    return list(found)


def _check(section: Section) -> None:
    if not isinstance(section.title, str) or not section.title.strip():
        raise returned_wrong("report", section.title, "a title for each section")
    if not isinstance(section.text, str):
        raise returned_wrong("report", section.text, f"Markdown as the text of {section.title!r}")
    if section.table is None:
        if not section.text.strip():
            raise returned_wrong("report", section, f"a text or a table in {section.title!r}")
        return
    if not isinstance(section.table, Table):
        raise returned_wrong("report", section.table, f"a Table, from mlproduct.extensions, in {section.title!r}")
    if wrong := [row for row in section.table.rows if len(row) != len(section.table.head)]:
        raise returned_wrong("report", wrong[0], f"rows of {len(section.table.head)} cells in {section.title!r}")
