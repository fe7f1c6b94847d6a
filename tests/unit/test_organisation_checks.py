"""Checks that an overlay declares; nothing of them runs."""

from pathlib import Path

import pytest
import yaml

from mlscaffold.check.run import Report, examine
from mlscaffold.errors import UserError

ANSWERS = "_commit: v0.1.0\n_src_path: /somewhere/acme\n"
RULE = {"number": 1, "title": "The page is there", "fix": "Write it.", "severity": "high"}


def examined(folder: Path, *rules: object, ignore: str = "", **files: str) -> Report:
    texts = {
        ".copier-answers.acme.yml": ANSWERS,
        ".mlscaffold/acme/checks.yaml": yaml.safe_dump({"checks": list(rules)}),
        **{name.replace("_DOT_", "."): text for name, text in files.items()},
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return examine(folder, "OR", ignore)


def outcome(report: Report) -> tuple[str, list[str]]:
    assert len(report.outcomes) == 1
    first = report.outcomes[0]
    return first.status, [str(finding) for finding in first.findings]


def test_a_file_has_to_be_there(tmp_path: Path) -> None:
    rule = {**RULE, "files": "page.md", "exist": True}
    assert outcome(examined(tmp_path, rule)) == ("failed", ["there is no page.md"])
    report = examined(tmp_path, rule, page_DOT_md="# hello\n")
    assert outcome(report) == ("passed", [])
    assert [family.name for family, _ in report.families] == ["Organisation"]
    assert report.outcomes[0].check.id == "ACME-001"


def test_files_hold_and_lack_texts(tmp_path: Path) -> None:
    rule = {**RULE, "files": "*.md", "hold": "Ada", "lack": ["Bob", "Eve"]}
    assert outcome(examined(tmp_path, rule)) == ("nothing to look at", [])
    wrong = outcome(examined(tmp_path, rule, page_DOT_md="one\nand Eve\n"))
    assert wrong == ("failed", ["page.md: lacks 'Ada'", "page.md:2: holds 'Eve'"])
    assert outcome(examined(tmp_path, rule, page_DOT_md="Ada\n"))[0] == "passed"


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        ({"at_most": 0.02}, ""),
        ({"at_most": 0.001}, "params.yaml: compare.margin is 0.01, not at most 0.001"),
        ({"at_least": 0.5}, "params.yaml: compare.margin is 0.01, not at least 0.5"),
        ({"is": 0.01, "at_least": 0}, ""),
        ({"is": "0.01"}, "params.yaml: compare.margin is 0.01, not is '0.01'"),
    ],
)
def test_a_value_keeps_to_a_bound(bound: dict[str, object], expected: str, tmp_path: Path) -> None:
    rule = {**RULE, "file": "params.yaml", "value": "compare.margin", **bound}
    assert outcome(examined(tmp_path, rule))[0] == "nothing to look at"
    status, findings = outcome(examined(tmp_path, rule, params_DOT_yaml="compare: {margin: 0.01}\n"))
    assert (status, findings) == (("failed", [expected]) if expected else ("passed", []))


def test_a_value_that_is_no_number_keeps_to_no_bound(tmp_path: Path) -> None:
    rule = {**RULE, "file": "params.yaml", "value": "compare.margin", "at_most": 1}
    assert outcome(examined(tmp_path, rule, params_DOT_yaml="compare: {margin: wide}\n"))[0] == "failed"
    assert outcome(examined(tmp_path, rule, params_DOT_yaml="compare: {}\n"))[0] == "failed"


def test_one_is_ignored_with_a_reason_and_only_by_its_id(tmp_path: Path) -> None:
    rule = {**RULE, "files": "page.md", "exist": True}
    assert outcome(examined(tmp_path, rule, ignore="ACME-001"))[0] == "ignored"
    (tmp_path / "pyproject.toml").write_text('[tool.mlscaffold.check]\nignore = { "ACME-001" = "we have a wiki" }\n')
    assert examine(tmp_path, "OR").outcomes[0].reason == "we have a wiki"
    with pytest.raises(UserError, match="there is no check or family ACME-007"):
        examined(tmp_path, rule, ignore="ACME-007")


def test_an_overlay_of_an_older_version_says_mend(tmp_path: Path) -> None:
    rule = {name: value for name, value in RULE.items() if name != "fix"} | {"mend": "Write it again."}
    found = examined(tmp_path, {**rule, "files": "page.md", "exist": True})
    assert next(each for each in found.outcomes if each.check.id == "ACME-001").check.fix == "Write it again."


def test_without_the_overlay_its_checks_say_nothing(tmp_path: Path) -> None:
    examined(tmp_path, {**RULE, "files": "page.md", "exist": True})
    (tmp_path / ".copier-answers.acme.yml").unlink()
    assert examine(tmp_path, "OR").outcomes == ()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("a word", "has a number from 1 to 999"),
        ({**RULE, "number": 1000}, "has a number from 1 to 999"),
        ({"number": 1, "title": "x", "severity": "high"}, "check 1 has no fix"),
        ({**RULE, "severity": "awful", "files": "x", "exist": True}, "none of high, medium, low"),
        ({**RULE, "url": "javascript:x", "files": "x", "exist": True}, "must be an address"),
        (RULE, "asks for nothing known"),
        ({**RULE, "files": "x"}, "asks for nothing known"),
        ({**RULE, "files": "x", "run": "rm -rf /"}, "asks for nothing known"),
    ],
)
def test_a_declaration_that_is_none_is_named(rule: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        examined(tmp_path, rule)


def test_two_of_one_number_and_no_list_are_refused(tmp_path: Path) -> None:
    rule = {**RULE, "files": "x", "exist": True}
    with pytest.raises(UserError, match="two checks with number 1"):
        examined(tmp_path, rule, rule)
    (tmp_path / ".mlscaffold/acme/checks.yaml").write_text("just words\n")
    with pytest.raises(UserError, match="must hold a list"):
        examine(tmp_path)


def test_repo_review_alone_shows_them_too(tmp_path: Path) -> None:
    from repo_review.processor import process

    rule = {**RULE, "files": "page.md", "exist": True}
    examined(tmp_path, rule)
    found = process(tmp_path)
    assert {result.name: result.result for result in found.results}["ACME-001"] is False
    assert found.families["OR"]["name"] == "Organisation"
    (tmp_path / ".copier-answers.acme.yml").unlink()
    assert "OR" not in process(tmp_path).families
