"""Tables and plots as values; templates/drawing.html draws them as HTML and SVG that need nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

WIDTH, LABEL = 720, 260  # of a plot, and of the labels before its lines
MOST = 30  # letters of a label: more are cut off where the font is wide


@dataclass(frozen=True)
class Table:
    """A table that scrolls by itself; a reader can sort it if the page has the script for it."""

    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    sortable: bool = False


@dataclass(frozen=True)
class Scale:
    """Where values stand on a stretch of a drawing."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, values: Iterable[float | None], start: float, end: float) -> "Scale":
        """Return the scale that holds all finite values, with some room at both ends."""
        finite = [float(value) for value in values if value is not None and isfinite(value)] or [0.0, 1.0]
        low, high = min(finite), max(finite)
        room = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
        return cls(low - room, high + room, start, end)

    def __call__(self, value: float) -> float:
        """Return the place of a value, to a tenth; what is infinite stands at the end."""
        inside = min(max(value, self.low), self.high)
        return round(self.start + (self.end - self.start) * (inside - self.low) / (self.high - self.low), 1)


@dataclass(frozen=True)
class Estimate:
    """One line of a plot: a figure, perhaps with its interval and the limit it may reach.

    Attributes
    ----------
    n : int or None
        Rows behind it.
    open : bool
        It does not decide, or it failed: another shape says so, as colour alone would not.
    failed : bool
        There is no figure, since what would have made it crashed.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    mark: float | None = None
    open: bool = False
    failed: bool = False

    @property
    def short(self) -> str:
        """The label with the number of rows, cut where it would not fit."""
        rows = "" if self.n is None else f" ({self.n})"
        fits = len(self.label) + len(rows) <= MOST
        return (self.label if fits else self.label[: MOST - 1 - len(rows)] + "…") + rows


@dataclass(frozen=True)
class Intervals:
    """Figures with their intervals, one line each, against marks that hold for all."""

    title: str
    rows: Sequence[Estimate]
    unit: str
    marks: dict[str, float | None] = field(default_factory=dict)
    width: int = WIDTH
    left: int = LABEL
    right: int = WIDTH - 20

    @property
    def x(self) -> Scale:
        """Where figures stand from left to right."""
        values = [value for row in self.rows for value in (row.value, row.low, row.high, row.mark)]
        return Scale.over([*values, *self.marks.values()], self.left, self.right)

    @property
    def table(self) -> Table:
        """What is drawn, in numbers."""
        rows = [(row.label, row.n, row.value, row.low, row.high, row.mark) for row in self.rows]
        return Table(["what", "rows", "value", "low", "high", "allowed"], rows)


@dataclass(frozen=True)
class Curve:
    """Points joined by lines, one series a label, each with a mark of its own."""

    title: str
    series: dict[str, list[tuple[float, float]]]
    across: str
    up: str
    width: int = WIDTH
    left: int = 90  # beside the axes stand their figures, and the names of the series
    right: int = WIDTH - 150
    top: int = 10
    bottom: int = 300

    @property
    def x(self) -> Scale:
        """Where points stand from left to right."""
        return Scale.over([a for points in self.series.values() for a, _ in points], self.left, self.right)

    @property
    def y(self) -> Scale:
        """Where points stand from bottom to top."""
        return Scale.over([b for points in self.series.values() for _, b in points], self.bottom, self.top)

    @property
    def diagonal(self) -> tuple[float, float]:
        """From where to where both axes have the same value."""
        return max(self.x.low, self.y.low), min(self.x.high, self.y.high)

    @property
    def table(self) -> Table:
        """What is drawn, in numbers."""
        rows = [(name, a, b) for name, points in self.series.items() for a, b in points]
        return Table(["series", self.across, self.up], rows)
