"""The checks on folders that nobody generated: nothing passes by accident, and what is wrong is named."""

import json
from pathlib import Path

import pytest

from conftest import Run, git
from mlscaffold.check.run import Report, examine, explain, score_of
from mlscaffold.checks import CHECKS, FAMILIES, rules
from mlscaffold.checks.repository import LARGEST, ml_repository
from mlscaffold.errors import UserError

TRAIN = """\
import pickle
import pandas as pd
import numpy as np
from sklearn.ensemble import RandomForestClassifier as Forest
from sklearn.model_selection import train_test_split

rows = pd.read_csv("/home/ada/churn.csv")
train, test = train_test_split(rows)
model = Forest(n_estimators=10)
model.fit(train.drop(columns="churned"), train["churned"])
np.random.shuffle(rows.values)
pickle.dump(model, open("model.pkl", "wb"))
"""
FOREIGN = {
    "train.py": TRAIN,
    "serve.py": "import pickle\nfrom flask import Flask\n\nmodel = pickle.load(open('model.pkl', 'rb'))\n",
    "requirements.txt": "pandas\nflask==3.0.0\ntorch==2.5.1\n",
    "README.md": "# Churn\n\nAsk Ada. See [the notes](notes.md).\n",
    "model.pkl": "not really",
    "churn.csv": "age,churned\n" + "40,No\n" * 20_000,
    ".github/workflows/ci.yml": (
        "on: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - run: python train.py\n"
    ),
    "deploy.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: churn}\nspec:\n  template:\n    spec:\n"
        "      containers:\n        - name: api\n          image: churn:latest\n"
        "          env: [{name: DB_PASSWORD, value: hunter2}]\n"
    ),
}
# What is right with it: found by hand, kept by this test.
SOUND = {"LH006", "LH009", "EV002", "SV001", "DL003", "SC005", "SC007", "SC012", "SC013"}


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    folder = tmp_path / "foreign"
    for name, text in FOREIGN.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "init", "-q")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "-qm", "all of it")
    return folder


def ids(report: Report, status: str) -> set[str]:
    return {outcome.check.id for outcome in report.outcomes if outcome.status == status}


def findings(report: Report, name: str) -> list[str]:
    return [str(finding) for outcome in report.failing if outcome.check.id == name for finding in outcome.findings]


def test_there_are_many_checks_each_with_all_that_a_reader_needs() -> None:
    assert len(CHECKS) >= 40
    assert [family.letters for family in FAMILIES] == sorted({check.family for check in CHECKS.values()}, key=list(
        dict.fromkeys(check.family for check in CHECKS.values())
    ).index)  # fmt: skip
    for check in CHECKS.values():
        assert all((check.title, check.why, check.fix, check.needs, check.source.title)), check.id
        assert check.url.startswith("https://")
        assert check.severity in ("high", "medium", "low")


def test_an_empty_folder_passes_nothing(tmp_path: Path) -> None:
    report = examine(tmp_path)
    assert ids(report, "passed") == set()
    assert ids(report, "failed") == set()
    assert report.score is None


def test_an_empty_git_repository_passes_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert ids(examine(tmp_path), "passed") == set()


def test_a_foreign_repository_passes_what_is_right_and_no_more(foreign: Path) -> None:
    report = examine(foreign)
    assert ids(report, "passed") == SOUND
    assert len(report.failing) > 40
    assert report.failing[0].check.severity == "high"


def test_what_is_wrong_is_named_with_its_line(foreign: Path) -> None:
    report = examine(foreign)
    assert findings(report, "SC001") == [
        "serve.py:4: pickle.load() runs what the file says",
        "train.py:12: pickle.dump() runs what the file says",
    ]
    assert findings(report, "RE004") == [
        "train.py:8: train_test_split() has no seed",
        "train.py:9: RandomForestClassifier() has no seed",
    ]
    assert findings(report, "RE001") == ["requirements.txt: pandas is not pinned"]
    assert findings(report, "SC003") == [".github/workflows/ci.yml:6: actions/checkout@v4 is no commit"]
    assert findings(report, "SC014") == ["deploy.yaml:10: DB_PASSWORD stands there in clear"]
    assert findings(report, "DA002") == ["churn.csv: 120 kB of data are in git"]
    assert findings(report, "LH010") == ["train.py:7: holds /home/ada/"]
    assert any("torch 2.5.1" in text and "CVE-2025-32434" in text for text in findings(report, "SC009"))


def test_what_git_ignores_is_not_looked_at(foreign: Path) -> None:
    (foreign / ".gitignore").write_text("/extra.py\n")
    (foreign / "extra.py").write_text("eval('1')\n")
    assert findings(examine(foreign), "SC012") == []
    (foreign / ".gitignore").write_text("")
    assert findings(examine(foreign), "SC012") == ["extra.py:1: eval() runs text"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("broken.py", "def (:\n"),
        ("broken.yaml", "groups: [\n"),
        ("pyproject.toml", "[project\n"),
        ("dvc.yaml", "stages: [a, b]\n"),
        ("contract.yaml", "columns: [a]\n"),
        (".github/workflows/odd.yml", "on: push\njobs: [a]\n"),
        ("rules.yaml", "groups:\n  - 3\n  - rules: [4, {alert: A}]\n"),
        ("compose.yaml", "services: {a: 3, b: {environment: [A]}}\n"),
        ("odd.yaml", "apiVersion: v1\nkind: Deployment\nspec: {template: {spec: {containers: [1, {}]}}}\n"),
        ("nested.yaml", "a: " + "[" * 5000 + "\n"),
        ("params.yaml", "- 1\n"),
        ("waivers.yaml", "- 3\n"),
        ("ml_test_score.yaml", "data: 3\n"),
        ("look.ipynb", "[1]"),
        (".copier-answers.yml", "_commit: 3\n"),
        ("raw.dvc", "outs: [3]\n"),
        (".pre-commit-config.yaml", "repos: [{hooks: [1]}, 2]\n"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_stops_nothing(foreign: Path, file: str, text: str) -> None:
    (foreign / file).write_text(text)
    assert examine(foreign).score is not None


def test_links_out_of_the_repository_and_huge_files_are_not_read(foreign: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("AKIA" + "Q7ZD4XK2N8W5R3TV\n")
    (foreign / "link.md").symlink_to(tmp_path / "secret.md")
    (foreign / "loop").symlink_to(foreign)
    (foreign / "huge.md").write_text("AKIA" + "Q7ZD4XK2N8W5R3TV\n" + "x" * LARGEST)
    assert findings(examine(foreign), "SC007") == []


def test_a_repository_runs_no_code_when_it_is_looked_at(foreign: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path / 'sprung'}\n")
    trap.chmod(0o755)
    git(foreign, "config", "core.fsmonitor", str(trap))
    examine(foreign)
    assert not (tmp_path / "sprung").exists()


def test_a_folder_inside_of_a_repository_is_looked_at_alone(foreign: Path) -> None:
    (foreign / "part").mkdir()
    (foreign / "part" / "a.py").write_text("exec('1')\n")
    assert ml_repository(foreign / "part").files == ("a.py",)


def test_select_and_ignore_take_checks_and_families(foreign: Path) -> None:
    assert ids(examine(foreign, select="sc003,OW"), "failed") == {
        "SC003",
        "OW001",
        "OW002",
        "OW003",
        "OW004",
        "OW005",
        "OW007",
    }
    report = examine(foreign, select="OW", ignore="OW001")
    assert ids(report, "ignored") == {"OW001"}
    with pytest.raises(UserError, match="no check or family XX"):
        examine(foreign, select="XX")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('ignore = ["SC003"]', "needs a reason for each check"),
        ('ignore = {"SC003" = " "}', "ignores SC003 without a reason"),
        ('ignore = {"SC999" = "why"}', "no check or family SC999"),
        ("fail-under = 101", "from 0 to 100"),
        ("fail_under = 50", "has no setting 'fail_under'"),
    ],
)
def test_a_wrong_configuration_is_refused(foreign: Path, settings: str, message: str) -> None:
    (foreign / "pyproject.toml").write_text(f"[tool.mlscaffold.check]\n{settings}\n")
    with pytest.raises(UserError, match=message):
        examine(foreign)


def test_exit_codes(run: Run, foreign: Path, tmp_path: Path) -> None:
    assert run("check", foreign).code == 1
    assert run("check", foreign, "--fail-under", "3").code == 0
    assert run("check", foreign, "--fail-under", "90").code == 1
    assert run("check", foreign, "--select", "LH007").code == 0
    assert run("check", foreign, "--select", "LH007", "--fail-under", "1").code == 1, "nothing was looked at"
    assert run("check", tmp_path / "nowhere").code == 2
    assert run("check", foreign, "--format", "pdf").code == 2


def test_the_output_says_what_would_raise_the_score(run: Run, foreign: Path) -> None:
    result = run("check", foreign)
    assert "What would raise the score, most first:" in result.out
    assert "SC003 Actions are pinned by SHA (high)" in result.out
    assert "LH007" not in result.out
    assert "1 nothing to look at" in result.out


def test_explain_tells_all(run: Run) -> None:
    result = run("check", "--explain", "sc003")
    for text in (
        "Actions are pinned by SHA",
        "severity: high",
        "why: ",
        "source: ",
        "https://",
        "fix: ",
        "looks at: ",
    ):
        assert text in result.out
    assert run("check", "--explain", "nothing").code == 2
    assert explain("OB003").family == "OB"


def test_the_score_is_100_only_if_nothing_fails(foreign: Path) -> None:
    report = examine(foreign)
    one = next(outcome for outcome in report.failing if outcome.check.severity == "low")
    passed = [outcome for outcome in report.outcomes if outcome.status == "passed"] * 100
    assert score_of([one, *passed]) == 99
    assert score_of(passed) == 100


def test_metrics_of_an_expression() -> None:
    query = """
      sum by (job, le) (rate(http_seconds_bucket{route!="other",status=~"5.."}[5m])) / on (job) group_left ()
      max(job:requests:rate5m offset 1h) > bool 0.5 and absent(up{job="a"}) or vector(1e3) # a_comment
    """
    assert rules.metrics(query) == {"http_seconds_bucket", "job:requests:rate5m"}


def test_repo_review_alone_shows_the_checks(foreign: Path) -> None:
    from repo_review.processor import as_simple_dict, process

    results = as_simple_dict([one for one in process(foreign).results if one.name in CHECKS])
    assert results.keys() == CHECKS.keys()
    assert results["SC003"]["result"] is False
    assert "actions/checkout@v4 is no commit" in results["SC003"]["err_msg"]
    assert results["SC003"]["description"] == "Actions are pinned by SHA"
    assert results["SC003"]["url"].startswith("https://")
    assert results["LH007"]["result"] is None


def test_repo_review_leaves_out_what_pyproject_ignores(foreign: Path) -> None:
    from repo_review.processor import process

    (foreign / "pyproject.toml").write_text('[tool.mlscaffold.check]\nignore = {SC003 = "internal actions"}\n')
    names = {one.name for one in process(foreign).results}
    assert "SC003" not in names
    assert "SC004" in names


def test_json_is_for_programs(run: Run, foreign: Path) -> None:
    body = json.loads(run("check", foreign, "--format", "json").out)
    assert body["repository"] == "foreign"
    assert len(body["checks"]) == len(CHECKS)
    assert body["ml_test_score"] is None


def test_a_folder_that_became_a_link_is_not_followed(foreign: Path, tmp_path: Path) -> None:
    (foreign / "docs").mkdir()
    (foreign / "docs" / "notes.md").write_text("# ours\n")
    git(foreign, "add", "--all")
    assert "docs/notes.md" in ml_repository(foreign).known
    (foreign / "docs").rename(tmp_path / "elsewhere")
    (foreign / "docs").symlink_to(tmp_path / "elsewhere")
    assert "docs/notes.md" in git(foreign, "ls-files", "--cached")
    assert "docs/notes.md" not in ml_repository(foreign).known
