"""The verdict: gates and waivers -> blessed, inconclusive or rejected; a model ships with a blessing of its own."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from mlproduct.artifacts import META, VERDICT
from mlproduct.errors import DataError
from mlproduct.evaluation.gates import FAIL, FAMILIES, INCONCLUSIVE, NOT_COMPARABLE, REPORTED, Family, Gate

WAIVERS = Path("waivers.yaml")
BLESSED, UNDECIDED, REJECTED = "blessed", "inconclusive", "rejected"


@dataclass(frozen=True)
class Waiver:
    """A gate that is known to fail, and accepted for a while; `slice` is empty where it is the whole gate."""

    gate: str
    reason: str
    owner: str
    expires: date
    slice: str = ""

    def covers(self, gate: Gate) -> bool:
        """Return whether a gate is meant."""
        return gate.name == self.gate and self.slice in ("", gate.slice)


def waivers(path: Path = WAIVERS) -> list[Waiver]:
    """Read waivers.yaml.

    Raises
    ------
    DataError
        If one lacks gate, reason, owner or expiry date, or has something else.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else []
    except yaml.YAMLError as error:
        raise DataError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(document or [], list):
        raise DataError(f"{path} is a list of waivers, each with gate, reason, owner and expires")
    return [_waiver(path, i, entry) for i, entry in enumerate(document or [], start=1)]


def _waiver(path: Path, number: int, entry: Any) -> Waiver:
    place, required = f"{path}, waiver {number}", {"gate", "reason", "owner", "expires"}
    if not isinstance(entry, dict) or set(entry) - required - {"slice"}:
        raise DataError(f"{place}: a waiver has gate, slice (if not all), reason, owner, expires, and nothing else")
    if lacking := [key for key in sorted(required) if not entry.get(key)]:
        raise DataError(f"{place}: {', '.join(lacking)} is missing; nobody answers for it, or for how long")
    if type(entry["expires"]) is not date:
        raise DataError(f"{place}: expires is a date, 2027-01-31")
    texts = {key: str(entry.get(key, "")) for key in ("gate", "reason", "owner", "slice")}
    return Waiver(expires=entry["expires"], **texts)


@dataclass(frozen=True)
class Verdict:
    """What follows from all gates.

    Attributes
    ----------
    model : str
        The version of the model that was judged.
    verdict : str
        blessed, inconclusive (no gate fails, some cannot decide) or rejected.
    failing, undecided : list of str
        Titles of the gates that fail without a waiver, and of those that cannot decide.
    waived : list of dict
        Waivers that were used, with the gate that fails.
    said : str
        The verdict in one sentence.
    """

    model: str
    verdict: str
    failing: list[str]
    undecided: list[str]
    waived: list[dict[str, str]]
    said: str


def decide(model: str, gates: list[Gate], granted: list[Waiver], today: date) -> Verdict:
    """Come to the verdict.

    Raises
    ------
    DataError
        If a waiver has expired: it is removed, or granted again by somebody.
    """
    if expired := [waiver for waiver in granted if waiver.expires < today]:
        details = "; ".join(f"{w.gate} {w.slice}".strip() + f" on {w.expires}, granted by {w.owner}" for w in expired)
        raise DataError(
            f"waivers.yaml: expired: {details}. Fix the cause and remove it, or grant it again with a new date"
        )
    bad = [gate for gate in gates if gate.verdict in (FAIL, NOT_COMPARABLE)]
    used = [(gate, next((w for w in granted if w.covers(gate)), None)) for gate in bad]
    failing = [gate.title for gate, waiver in used if waiver is None]
    undecided = [gate.title for gate in gates if gate.verdict == INCONCLUSIVE]
    waived = [
        {"gate": gate.title, "reason": w.reason, "owner": w.owner, "expires": str(w.expires)} for gate, w in used if w
    ]
    judged = sum(gate.verdict != REPORTED for gate in gates)
    verdict = REJECTED if failing else UNDECIDED if undecided else BLESSED
    return Verdict(
        model, verdict, failing, undecided, waived, sentence(verdict, failing, undecided, judged, len(waived))
    )


def sentence(verdict: str, failing: list[str], undecided: list[str], n: int, waived: int) -> str:
    """Say the verdict so that a product owner understands it."""
    weaknesses = f", with {waived} known weakness{'es'[: 2 * (waived > 1)]} accepted for a while" if waived else ""
    if verdict == REJECTED:
        return f"This model should not ship: {len(failing)} of {n} checks failed ({_some(failing)}){weaknesses}."
    if verdict == UNDECIDED:
        return (
            f"This model may ship, but {len(undecided)} of {n} checks cannot tell yet ({_some(undecided)}){weaknesses}."
        )
    return f"This model may ship: all {n} checks passed{weaknesses}."


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def judge(today: date | None = None) -> Verdict:
    """Judge what the last evaluation found, today."""
    meta = json.loads(META.read_text(encoding="utf-8"))
    gates = [gate for name in FAMILIES for gate in Family.read(name).gates]
    return decide(meta["version"], gates, waivers(), today or date.today())


def require_accepted(on: date | None = None) -> Verdict:
    """Return the blessing of the model at hand, as of today, or as of the day of its release.

    Raises
    ------
    DataError
        If there is none of its own, or a gate fails; the message names the gates.
    """
    version = json.loads(META.read_text(encoding="utf-8"))["version"]
    written = json.loads(VERDICT.read_text(encoding="utf-8")) if VERDICT.exists() else {}
    if written.get("model") != version:
        raise DataError(f"model {version} has no blessing of its own: `make train` evaluates it")
    verdict = judge(on)
    if verdict.verdict == REJECTED:
        raise DataError(
            f"model {version} is not blessed: {', '.join(verdict.failing)}. Fix it (reports/ce.html says how), grant "
            'a waiver in waivers.yaml, or ship it all the same: `make ship FORCE="why"`'
        )
    return verdict


def main() -> None:
    """Write reports/verdict.json."""
    verdict = judge()
    VERDICT.write_text(json.dumps(asdict(verdict), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(verdict.said)
