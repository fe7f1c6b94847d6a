"""Verdicts and waivers: what is known is shown, what has expired or belongs to nobody stops."""

from datetime import date
from pathlib import Path

import pytest
from mlproduct.contract import validation as contract
from mlproduct.evaluation import gates as gate
from mlproduct.evaluation import verdict

BAD = gate.Gate("slices.gap", "FAIL", "loses", slice="ward=b")
GOOD = gate.Gate("bias.parity", "PASS", "even", slice="sex")
UNSURE = gate.Gate("compare.loss", "INCONCLUSIVE", "too few")
TODAY = date(2026, 11, 23)


def granted(tmp_path: Path, text: str) -> list:
    path = tmp_path / "waivers.yaml"
    path.write_text(text, encoding="utf-8")
    return verdict.waivers(path)


def test_a_verdict_names_what_fails():
    found = verdict.decide("abc", [BAD, GOOD, UNSURE], [], TODAY)
    assert (found.verdict, found.failing, found.undecided) == ("rejected", ["slices.gap (ward=b)"], ["compare.loss"])
    assert found.said == "This model should not ship: 1 of 3 checks failed (slices.gap (ward=b))."
    assert verdict.decide("abc", [GOOD, UNSURE], [], TODAY).verdict == "inconclusive"
    assert verdict.decide("abc", [GOOD], [], TODAY).said == "This model may ship: all 1 checks passed."
    other = gate.Gate("compare.loss", "NOT COMPARABLE", "other rows")
    assert verdict.decide("abc", [other], [], TODAY).verdict == "rejected"


def test_a_waiver_lets_a_gate_be_known(tmp_path: Path):
    text = "- {gate: slices.gap, slice: ward=b, reason: few rows, owner: Ada, expires: 2026-12-31}\n"
    found = verdict.decide("abc", [BAD, GOOD], granted(tmp_path, text), TODAY)
    assert found.verdict == "blessed"
    assert found.waived == [
        {"gate": "slices.gap (ward=b)", "reason": "few rows", "owner": "Ada", "expires": "2026-12-31"}
    ]
    elsewhere = granted(tmp_path, text.replace("ward=b", "ward=c"))
    assert verdict.decide("abc", [BAD], elsewhere, TODAY).verdict == "rejected"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {gate: a, reason: b, owner: Ada, expires: 2026-11-22}", "expired: a on 2026-11-22, granted by Ada"),
        ("- {gate: a, reason: b, expires: 2027-01-01}", "waiver 1: owner is missing"),
        ("- {gate: a, reason: b, owner: '', expires: 2027-01-01}", "owner is missing"),
        ("- {gate: a, reason: b, owner: c, expires: soon}", "expires is a date"),
        ("- {gate: a, why: b, owner: c, expires: 2027-01-01}", "and nothing else"),
        ("gate: a", "is a list of waivers"),
        ("[", "is not valid YAML"),
    ],
)
def test_a_waiver_that_does_not_hold_stops(tmp_path: Path, text: str, message: str):
    with pytest.raises(contract.DataError, match=message):
        verdict.decide("abc", [BAD], granted(tmp_path, text), TODAY)


def test_a_model_needs_a_blessing_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("models").mkdir()
    Path("models/meta.json").write_text('{"version": "abc"}', encoding="utf-8")
    with pytest.raises(contract.DataError, match="model abc has no blessing of its own"):
        verdict.require_accepted()
    for name in gate.FAMILIES:
        gate.Family(name, [BAD] if name == "slices" else [GOOD]).write()
    Path("reports/verdict.json").write_text('{"model": "other"}', encoding="utf-8")
    with pytest.raises(contract.DataError, match="no blessing of its own"):
        verdict.require_accepted()
    verdict.main()
    with pytest.raises(contract.DataError, match=r"not blessed: slices.gap \(ward=b\)\. Fix it"):
        verdict.require_accepted()
    gate.Family("slices", [GOOD]).write()
    assert verdict.require_accepted().verdict == "blessed"
