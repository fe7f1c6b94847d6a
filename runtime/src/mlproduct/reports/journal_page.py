"""The journal as a page: the headline metric of each run, champions and failures marked, and all of it as a table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mlproduct.reports.drawing import Estimate, Intervals, Table
from mlproduct.reports.rendering import render

HEAD = ["run", "when", "who", "status", "metric", "why", "changed", "failing", "forced", "lesson"]


@dataclass(frozen=True)
class Entry:
    """One run as the page shows it.

    Attributes
    ----------
    run, when, who, status, why : str
        As in the journal.
    metric : str
        The headline metric in words.
    value : float or None
        The same as a figure.
    settings : dict of str to any
        The parameters by their full names: the page says which differ from those of the run before.
    failing : str
        The gates that failed, or what a crash said.
    failed, crashed, ended : bool
        Whether it brought no model that may ship, no model at all, and whether anything is known of its end.
    champion : bool
        Whether its model is or was the one that runs.
    """

    run: str
    when: str
    who: str
    status: str
    metric: str
    value: float | None
    why: str
    settings: dict[str, Any] = field(default_factory=dict)
    failing: str = ""
    forced: str = ""
    lesson: str = ""
    failed: bool = False
    crashed: bool = False
    ended: bool = True
    champion: bool = False

    @property
    def estimate(self) -> Estimate:
        """Its line of the plot."""
        mark = self.value if self.champion else None
        return Estimate(f"{self.when} {self.status}", self.value, mark=mark, open=self.failed, failed=self.crashed)


def journal_page(entries: Sequence[Entry]) -> str:
    """Render the journal, whose runs come oldest first, as a page that lists the newest first."""
    drawn = Intervals("The headline metric of each run", [entry.estimate for entry in entries], "metric")
    rows, before = list[tuple[Any, ...]](), dict[str, Any]()
    for e in entries:
        changed = ", ".join(f"{k}={value}" for k, value in e.settings.items() if before.get(k, value) != value)
        rows.append((e.run, e.when, e.who, e.status, e.metric, e.why, changed, e.failing, e.forced, e.lesson))
        before = e.settings
    unfinished = sum(not entry.ended for entry in entries)
    return render("journal.html", drawn=drawn, listed=Table(HEAD, rows[::-1], sortable=True), unfinished=unfinished)
