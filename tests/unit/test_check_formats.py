"""Each format is what its readers expect."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml
from pydantic import ValidationError
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

from mlscaffold.check.run import Report, examine
from mlscaffold.formats import FORMATS

SCORE = "data:\n  - {item: a, tests: [t]}\n  - {item: b, checked: Ada}\nmodel:\n  - {item: c, missing: why}\n"
NASTY = "a<b>&'\"`|@x\x01.py"


@pytest.fixture
def report(tmp_path: Path) -> Report:
    folder = tmp_path / "a <b> & @c"
    folder.mkdir()
    (folder / "train.py").write_text("eval('1')\nmodel.fit()\n")
    (folder / NASTY).write_text("exec('1')\n")
    (folder / "ml_test_score.yaml").write_text(SCORE)
    (folder / "pyproject.toml").write_text('[tool.mlscaffold.check]\nignore = {LH008 = "no <linter> yet"}\n')
    return examine(folder)


def test_sarif_has_what_a_forge_needs(report: Report) -> None:
    body = json.loads(FORMATS["sarif"](report))
    assert body["version"] == "2.1.0"
    assert body["$schema"].endswith("sarif-2.1.0.json")
    run = body["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) == len(report.outcomes)
    for rule in rules:
        assert rule["help"]["text"]
        assert rule["helpUri"].startswith("https://")
        assert re.fullmatch(r"[A-Za-z]+", rule["name"])
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        place = result["locations"][0]["physicalLocation"]
        assert re.fullmatch(r"[\w./%~-]+", place["artifactLocation"]["uri"])
        assert place.get("region", {"startLine": 1})["startLine"] >= 1
    lines = {result["locations"][0]["physicalLocation"].get("region", {}).get("startLine") for result in run["results"]}
    assert {None, 1} <= lines


def test_sarif_keeps_to_its_schema(report: Report) -> None:
    text = FORMATS["sarif"](report)
    Sarif.model_validate_json(text)
    for old, new in (
        ('"version": "2.1.0"', '"version": "2.0.0"'),
        ('"startLine": 1', '"startLine": 0'),
        ('"ruleId"', '"rule"'),
        ('"level": "error"', '"level": "high"'),
    ):
        assert old in text
        with pytest.raises(ValidationError):
            Sarif.model_validate_json(text.replace(old, new, 1))


def test_junit_is_read_by_a_reader_of_junit(report: Report, tmp_path: Path) -> None:
    (tmp_path / "check.xml").write_text(FORMATS["junit"](report), encoding="utf-8")
    read = JUnitXml.fromfile(str(tmp_path / "check.xml"))
    cases = {case.name.split()[0]: case for suite in read for case in suite}
    assert cases.keys() == {outcome.check.id for outcome in report.outcomes}
    for outcome in report.outcomes:
        case = cases[outcome.check.id]
        assert case.is_passed == (outcome.status == "passed")
        assert case.is_failure == (outcome.status == "failed")
        assert case.is_skipped == (outcome.status in ("nothing to look at", "ignored"))
    assert (read.tests, read.failures, read.errors) == (len(report.outcomes), len(report.failing), 0)
    assert "eval() runs text" in cases["SC012"].result[0].text


def test_junit_counts_what_it_holds(report: Report) -> None:
    root = ElementTree.fromstring(FORMATS["junit"](report))  # noqa: S314 - our own
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == [family.name for family, _ in report.families]
    for suite in suites:
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped"))
    assert len(root.findall(".//failure")) == len(report.failing)
    skipped = [case.get("message", "") for case in root.iterfind(".//skipped")]
    assert any("nothing to look at: needs a notebook" in message for message in skipped)
    assert any("no <linter> yet" in message for message in skipped)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_html_needs_nothing_else_and_escapes(report: Report) -> None:
    page = FORMATS["html"](report)
    parser = Tags()
    parser.feed(page)
    tags = {tag for tag, _ in parser.seen}
    assert not tags & {"script", "link", "img", "iframe", "b>"}
    assert not any("src" in attributes for _, attributes in parser.seen)
    assert "url(" not in page
    assert "@import" not in page
    assert "prefers-color-scheme: dark" in page
    assert "a &lt;b&gt; &amp; @c" in page
    assert "<b>.py" not in page
    assert len([tag for tag, _ in parser.seen if tag == "article"]) == len(report.failing)


def test_markdown_carries_no_markup_of_names(report: Report) -> None:
    text = FORMATS["markdown"](report)
    assert text.startswith("# a \\<b\\> & @\u200bc: ")
    assert "| Layout and hygiene |" in text
    assert "- **SC012 No text is run as code** (high)." in text
    assert "LH008 A linter is configured, and a hook or CI runs it: no \\<linter\\> yet" in text
    assert "ML Test Score, as claimed: 0 (data 1.5 of 2, model 0 of 1)" in text


def test_the_badge_is_an_image(report: Report) -> None:
    root = ElementTree.fromstring(FORMATS["badge"](report))  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    assert f"{report.score}/100" in "".join(root.itertext())


def test_json_holds_the_ml_test_score(report: Report) -> None:
    body = json.loads(FORMATS["json"](report))
    assert body["ml_test_score"]["score"] == 0
    assert body["ml_test_score"]["sections"][0] == {"name": "data", "points": 1.5, "items": 2, "missing": []}
    broken = next(check for check in body["checks"] if check["id"] == "SC012")
    assert {"text": "eval() runs text", "path": "train.py", "line": 1} in broken["findings"]
    assert body["score"] == report.score


@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_with_nothing_in_it_has_a_report(name: str, tmp_path: Path) -> None:
    assert "nothing" in FORMATS[name](examine(tmp_path))
