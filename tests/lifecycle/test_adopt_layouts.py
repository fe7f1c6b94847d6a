"""The released template in repositories of well-known shapes; the versions before it too."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import layouts
from conftest import Run, git
from mlscaffold.bundle import BUNDLE, tags

BRANCH = "mlscaffold/adopt"
COLLIDING = {
    "cookiecutter": [".gitignore", "Makefile", "README.md"],
    "kedro": [".gitignore", ".gitlab-ci.yml", "README.md", "pyproject.toml"],
    "flat": [],
}
LAYOUTS = {"cookiecutter": layouts.cookiecutter, "kedro": layouts.kedro, "flat": layouts.flat}


def snapshot(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and ".git/" not in path.as_posix()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(params=sorted(LAYOUTS))
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def team(tmp_path: Path, layout: str) -> Path:
    (tmp_path / "shop").mkdir()
    return LAYOUTS[layout](tmp_path / "shop")


def test_a_layout_is_adopted_and_every_file_of_the_teams_stays(team: Path, layout: str, run: Run) -> None:
    before, commits = snapshot(team), git(team, "log", "--format=%H")
    result = run("adopt", team, "--target", "churned", "--json")
    report = json.loads(result.out)
    collides = [each["path"] for each in report["files"] if each["state"] == "collides"]
    assert (collides, result.code) == (COLLIDING[layout], 1 if COLLIDING[layout] else 0)
    after = snapshot(team)
    assert {name: after.get(name) for name in before} == before
    assert git(team, "log", "--format=%H") == commits
    assert (team / "data/raw.csv").read_text() == layouts.customers()
    assert "data/raw.csv" not in git(team, "ls-files").split()
    package = "shop_product" if layout == "kedro" else "shop"
    assert (team / "src" / package / "model.py").exists()
    assert report["score"]["after"] > report["score"]["before"] + 30
    git(team, "commit", "-qm", "adopt")
    assert git(team, "status", "--porcelain") == ""


def test_check_says_of_the_result_what_adopt_said_it_would(team: Path, layout: str, run: Run) -> None:
    foretold = json.loads(run("adopt", team, "--target", "churned", "--json", "--dry-run").out)
    run("adopt", team, "--target", "churned", "--defaults")
    git(team, "commit", "-qm", "adopt")
    found = json.loads(run("check", team, "--format", "json").out)
    assert found["score"] == foretold["score"]["after"]


@pytest.mark.parametrize("way", ["mlscaffold", "copier"])
def test_one_that_was_adopted_at_an_older_version_is_updated(team: Path, way: str, layout: str, run: Run) -> None:
    older, newest = list(tags(BUNDLE))[-2:]
    before = snapshot(team)
    assert run("adopt", team, "--target", "churned", "--defaults", "--ref", older).code in (0, 1)
    git(team, "commit", "-qm", "adopt")
    if way == "mlscaffold":
        result = run("update", team)
        assert result.code in (0, 1), result.err
    else:
        words = [sys.executable, "-m", "copier", "update", "--defaults", "--vcs-ref", newest]
        done = subprocess.run(words, cwd=team, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert f"_commit: {newest}" in (team / ".copier-answers.yml").read_text()
    conflicts = set(git(team, "diff", "--name-only", "--diff-filter=U").split())
    assert conflicts <= set(COLLIDING[layout])
    after = snapshot(team)
    for name in before.keys() - COLLIDING[layout]:
        assert after[name] == before[name], name
    for name in COLLIDING[layout]:
        lines = before[name].decode().splitlines()
        assert [line for line in lines if line not in after[name].decode().splitlines()] == [], name


def test_a_table_is_asked_for_where_there_are_several(tmp_path: Path, run: Run) -> None:
    folder = layouts.built(tmp_path / "shop", {"a.csv": "a,b\n1,2\n", "b.csv": "a,b\n1,2\n"})
    result = run("adopt", folder, "--defaults")
    assert (result.code, "there are a.csv, b.csv (or take -d table=example)" in result.err) == (2, True)
    assert "give --target; its columns are: a, b" in run("adopt", folder, "--defaults", "--data", folder / "a.csv").err


def test_questions_are_asked_at_a_terminal(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlscaffold import show

    folder = layouts.flat(tmp_path / "shop")
    replies = {"target": "churned", "protected": "age", "time": "", "id": ""}
    monkeypatch.setattr(show, "interactive", lambda: True)
    monkeypatch.setattr(show, "ask", lambda question, *_: replies[question])
    assert run("adopt", folder).code == 0
    answers = (folder / ".copier-answers.yml").read_text()
    assert "target: churned" in answers
    assert "- age" in answers


def test_raw_data_that_git_tracks_is_named(tmp_path: Path, run: Run) -> None:
    folder = layouts.built(tmp_path / "shop", {"data/raw.csv": layouts.customers()})
    result = run("adopt", folder, "--defaults", "--target", "churned")
    assert "git rm --cached data/raw.csv" in result.err
    assert git(folder, "status", "--porcelain", "data/raw.csv") == ""


def test_without_a_table_it_starts_with_the_example(tmp_path: Path, run: Run) -> None:
    folder = layouts.built(tmp_path / "shop", {"train.py": "print(1)\n"})
    result = run("adopt", folder, "--defaults")
    assert "no table was found or given" in result.err
    assert (folder / "data/raw.csv").read_text().startswith("species,island,")
