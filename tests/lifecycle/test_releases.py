"""From every released version of the real template to the newest: what teams will go through."""

import re
from pathlib import Path

import pytest

from conftest import Run, git
from mlscaffold.bundle import BUNDLE, newest, tags

RELEASES = list(tags(BUNDLE))
OLDER = [tag for tag in RELEASES if tag != newest(RELEASES)]
ANSWERS = [
    {},
    {"target": "body_mass_g", "protected": "[sex, island]", "ci": "gitlab", "storage": "s3", "license": "none"},
]
# A team's edits, one line each at the end, and which of them the step to the newest version runs into. A release that
# changes the last lines of one of these files adds a row; leaving it out fails below.
EDITED = ("README.md", "params.yaml", "Makefile", "src/churn/model.py", "src/churn/features.py", "contract.yaml")
CHANGED = {"params.yaml": ("max_iter: 200", "max_iter: 300"), "Makefile": ("PORT ?= 3000", "PORT ?= 3001")}
# 0.6.0 rewrites the ends of these files and the head of the Makefile: a line that a team has put there conflicts.
CONFLICTS = {version: {"params.yaml", "README.md", "Makefile"} for version in OLDER}


def make(run: Run, folder: Path, version: str, answers: dict[str, str]) -> Path:
    pairs = [word for name, value in answers.items() for word in ("-d", f"{name}={value}")]
    result = run("new", folder / "churn", "--defaults", "--ref", version, *pairs)
    assert result.code == 0, result.err
    # What the wheel of that day vendored: all versions up to its own.
    return folder / "churn"


def contents(project: Path) -> dict[str, tuple[bytes, int]]:
    files = [path for path in project.rglob("*") if path.is_file() and ".git/" not in path.as_posix()]
    return {path.relative_to(project).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o111) for path in files}


def test_there_is_a_release() -> None:
    assert newest(RELEASES)


@pytest.mark.parametrize("answers", ANSWERS, ids=["default", "regression"])
@pytest.mark.parametrize("version", OLDER)
def test_a_pristine_project_becomes_a_fresh_one(
    version: str, answers: dict[str, str], run: Run, tmp_path: Path
) -> None:
    project = make(run, tmp_path / "old", version, answers)
    result = run("update", project)
    assert result.code == 0, result.out + result.err
    fresh = make(run, tmp_path / "new", newest(RELEASES) or "", answers)
    assert contents(project) == contents(fresh)


@pytest.mark.parametrize("version", OLDER)
def test_a_teams_edits_conflict_where_it_is_written_down(version: str, run: Run, tmp_path: Path) -> None:
    project = make(run, tmp_path, version, {})
    for name in EDITED:
        with (project / name).open("a") as file:
            file.write("# a line of ours\n")
    for name, (theirs, ours) in CHANGED.items():
        text = (project / name).read_text()
        (project / name).write_text(text.replace(theirs, ours))
    git(project, "commit", "-qam", "ours")
    predicted = run("update", project, "--dry-run")
    assert git(project, "status", "--porcelain") == ""
    result = run("update", project)
    marked = set(re.findall(r"^  ! (\S+)$", result.out, re.MULTILINE))
    assert marked == CONFLICTS.get(version, set())
    assert set(re.findall(r"^  ! (\S+)$", predicted.out, re.MULTILINE)) == marked
    assert result.code == predicted.code == (1 if marked else 0)
    for name in set(EDITED) - marked:
        assert (project / name).read_text().endswith("# a line of ours\n")


# Modules that 0.5.0 moved into folders: a small one, one in which much has changed, and one that is served.
MOVED = {"store.py": "shipping/store.py", "bias.py": "judging/bias.py", "service.py": "serving/service.py"}


def test_an_edit_in_a_module_that_moved_is_carried_to_the_new_place(run: Run, tmp_path: Path) -> None:
    project = make(run, tmp_path, "v0.4.0", {})
    package = project / "src" / "churn"
    for name in MOVED:
        with (package / name).open("a") as file:
            file.write("# a line of ours\n")
    git(project, "commit", "-qam", "ours")
    predicted = run("update", project, "--to", "v0.5.2", "--dry-run").out
    result = run("update", project, "--to", "v0.5.2")
    for old, new in MOVED.items():
        line = f"Carried: your changes to src/churn/{old}, which is src/churn/{new} now"
        assert line in predicted
        assert line in result.out
        assert "# a line of ours\n" in (package / new).read_text()
        assert not (package / old).exists()
    assert not (package / "gate.py").exists()
