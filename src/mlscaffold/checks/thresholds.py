"""Thresholds of params.yaml that decide about a model, as the standard sets them, and which way is looser."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .untrusted_yaml import within

PARAMS = "params.yaml"
_REASON = re.compile(r"#.*?\bloosened:\s*(\S.*)")


@dataclass(frozen=True)
class Limit:
    """What a threshold may be: at most so much, or at least."""

    value: float
    least: bool = False

    def loosened(self, value: float) -> bool:
        """Whether a value lets more through."""
        return value < self.value if self.least else value > self.value


LIMITS: Mapping[str, Limit] = {
    "compare.margin": Limit(0.02),
    "compare.headline_margin": Limit(0.02),
    "slices.gap": Limit(0.6),
    "slices.worse": Limit(0.1),
    "slices.min_rows": Limit(200),  # smaller slices decide nothing
    "slices.min_class_rows": Limit(30),
    "slices.bands": Limit(4, least=True),
    "slices.most_groups": Limit(20, least=True),
    "bias.parity": Limit(0.2),
    "bias.odds": Limit(0.2),
    "bias.worst_group": Limit(0.6),
    "bias.calibration": Limit(0.1),
    "bias.base_rate": Limit(0.35),
    "bias.worse": Limit(0.05),
    "drift.factor": Limit(1.5),
    "drift.floor": Limit(0.08),
    "drift.concept": Limit(0.1),
    "fragility.rows": Limit(50, least=True),
    "fragility.tolerance": Limit(0.02),
    "service.tolerance": Limit(0.000001),
}
# Versions 0.3 and 0.4 let concept drift go further; whoever has their copy of the platform has not loosened it.
COPIED: Mapping[str, Limit] = {**LIMITS, "drift.concept": Limit(0.25)}


def loosened(params: object, limits: Mapping[str, Limit]) -> list[tuple[str, float, Limit]]:
    """Return the thresholds of a params.yaml that let more through than the standard: name, value and limit."""
    found = [(name, _number(within(params, *name.split("."))), limit) for name, limit in limits.items()]
    return [(name, value, limit) for name, value, limit in found if value is not None and limit.loosened(value)]


def _number(value: object) -> float | None:
    """Return a number; YAML 1.1 takes 2e-06 for a text, YAML 1.2 for the number that it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def line_of(text: str, name: str) -> int:
    """Return the line of a key, `section.key`; 0 where it is not found."""
    section, _, key = name.partition(".")
    pattern, inside = re.compile(rf"""(^|[\s{{,])['"]?{re.escape(key)}['"]?\s*:"""), False
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1].strip() and not line.startswith("#"):
            inside = line.startswith(f"{section}:")
        if inside and pattern.search(line.partition("#")[0]):
            return number
    return 0


def reason_at(text: str, line: int) -> str:
    """Return the reason after `# loosened:` on a line, or on a line of comment directly above; empty for none."""
    lines = ["", *text.splitlines(), ""]
    above = lines[line - 1] if line and lines[line - 1].lstrip().startswith("#") else ""
    found = (_REASON.search(lines[line]) if line else None) or _REASON.search(above)
    return found[1].strip() if found else ""
