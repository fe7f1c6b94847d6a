"""What the service is held to, and in words whether it is met."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Medians = dict[str, dict[str, float]]  # by the server's key, then by figure: rps_16, p99_1, start, memory ...
FRAMES = ("a", "b", "c", "d")


@dataclass(frozen=True)
class Bar:
    """A value of the generated service and where it should be."""

    text: str
    needs: tuple[str, ...]
    value: Callable[[Medians], float]
    least: float | None = None
    most: float | None = None

    def met(self, medians: Medians) -> bool:
        """Say whether it is met."""
        value = self.value(medians)
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    @property
    def wanted(self) -> str:
        """Say what is wanted."""
        if self.least is None and self.most is None:
            return ""  # stands there to compare with
        return f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"


def times(key: str, figure: str = "rps_16") -> Callable[[Medians], float]:
    """Give the generated service's figure as a multiple of another's."""
    return lambda medians: medians["0"][figure] / medians[key][figure]


def tail(key: str) -> Callable[[Medians], float]:
    """Give how far a server's p99 at one connection lies from its p50."""
    return lambda medians: medians[key]["p99_1"] / medians[key]["p50_1"]


BARS = [
    Bar("requests/s at 16 connections, times (a)", ("a",), times("a"), least=8),
    Bar("requests/s at 16 connections, times (c)", ("c",), times("c"), least=10),
    Bar("requests/s at 16 connections, times (e)", ("e",), times("e"), least=1.5),
    Bar("p99 / p50 at 1 connection", (), tail("0"), most=10),
    Bar("the same of (f): what the machine does at that time", ("f",), tail("f")),
    *(Bar(f"p99 at 16 connections, times ({key})", (key,), times(key, "p99_16"), most=1) for key in FRAMES),
    Bar("start to first answer, times (a)", ("a",), times("a", "start"), most=1),
    Bar("stretch: requests/s at 16 connections, share of (f)", ("f",), times("f"), least=0.5),
    Bar("the same by the core time of a request", ("f",), lambda medians: 1 / times("f", "core_16")(medians)),
]


def judged(medians: Medians) -> Iterator[str]:
    """Give a row of a table for each bar that can be judged."""
    for bar in BARS:
        if "0" in medians and all(key in medians for key in bar.needs):
            said = "" if not bar.wanted else "met" if bar.met(medians) else "MISSED"
            yield f"| {bar.text} | {bar.value(medians):.2f} | {bar.wanted} | {said} |"
