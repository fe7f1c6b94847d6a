"""An update that is killed: the repository is as before, or the next `mlscaffold update` makes it whole."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import Run, Template, git

MODEL = "template/src/{{ package }}/model.py"
# Runs an update that kills itself as it is about to call a function of a module for the nth time.
KILLED = """
import os, signal, sys
from importlib import import_module
from mlscaffold import cli

module, name, left = import_module("mlscaffold." + sys.argv[1]), sys.argv[2], int(sys.argv[3])
real = getattr(module, name)

def dying(*words, **named):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return real(*words, **named)

setattr(module, name, dying)
cli.main(["update", *sys.argv[4:]])
"""


def snapshot(project: Path) -> dict[str, bytes]:
    files = [path for path in project.rglob("*") if path.is_file()]
    return {str(path.relative_to(project)): path.read_bytes() for path in files if ".git/" not in str(path)}


@pytest.fixture
def behind(run: Run, template: Template, tmp_path: Path) -> Path:
    """Make a project whose update adds, changes, deletes and conflicts."""
    project = tmp_path / "churn"
    assert run("new", project, "--defaults", "--template", template.path).code == 0
    (project / "README.md").write_text("# ours\n\nby ourselves\n\nthe end\n")
    git(project, "commit", "-qam", "edit")
    template.release(
        "v0.2.0",
        {
            MODEL: "depth = 5\n",
            "template/README.md.jinja": "# {{ name }}, renamed\n\nby {{ owner }}\n\nthe end\n",
            "template/new/new.sh": "#!/bin/sh\n",
            "template/run.sh": None,
        },
    )
    return project


def killed(project: Path, name: str, times: int, *more: str, module: str = "update.apply") -> None:
    words = [sys.executable, "-c", KILLED, module, name, str(times), str(project), *more]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, (done.stdout, done.stderr)


def whole(project: Path, tmp_path: Path, run: Run) -> tuple[dict[str, bytes], str]:
    other = tmp_path / "undisturbed"
    shutil.copytree(project, other, symlinks=True)
    assert run("update", other).code == 1
    return snapshot(other), git(other, "status", "--porcelain")


@pytest.mark.parametrize(("name", "times"), [("_write_record", 0), ("_state", 0), ("_state", 4)])
def test_killed_before_its_record_stands_nothing_has_happened(
    name: str, times: int, behind: Path, tmp_path: Path, run: Run
) -> None:
    expected = whole(behind, tmp_path, run)
    before = snapshot(behind)
    killed(behind, name, times)
    assert snapshot(behind) == before
    assert git(behind, "status", "--porcelain") == ""
    assert run("update", behind).code == 1
    assert (snapshot(behind), git(behind, "status", "--porcelain")) == expected


@pytest.mark.parametrize(
    ("name", "times"),
    [("_run_record", 0), ("_replace", 0), ("_replace", 1), ("_replace", 3), ("_delete", 0), ("git", 0)],
)
def test_killed_after_that_the_next_update_finishes_it(
    name: str, times: int, behind: Path, tmp_path: Path, run: Run
) -> None:
    expected = whole(behind, tmp_path, run)
    killed(behind, name, times)
    refused = run("update", behind, "--dry-run")
    assert (refused.code, "was interrupted" in refused.err) == (2, True)
    result = run("update", behind)
    assert (result.code, "An update to v0.2.0 was interrupted; it is complete now" in result.out) == (1, True)
    assert "! README.md" in result.out
    assert (snapshot(behind), git(behind, "status", "--porcelain")) == expected
    assert "uncommitted changes" in run("update", behind).err  # and it is finished once


def test_what_was_edited_since_is_not_overwritten(behind: Path, run: Run) -> None:
    killed(behind, "_replace", 1)
    (behind / "src/churn/model.py").write_text("depth = 77\n")
    result = run("update", behind)
    assert (result.code, "src/churn/model.py has changed since; restore it" in result.err) == (2, True)
    assert (behind / "src/churn/model.py").read_text() == "depth = 77\n"
    git(behind, "checkout", "HEAD", "--", "src/churn/model.py")
    assert run("update", behind).code == 1
    assert (behind / "src/churn/model.py").read_text() == "depth = 5\n"


def test_the_work_tree_of_a_killed_update_is_taken_away_by_the_next(behind: Path, run: Run) -> None:
    killed(behind, "_write_record", 0)
    left = [line for line in git(behind, "worktree", "list").splitlines() if "mlscaffold-update-" in line]
    assert len(left) == 1
    run("update", behind, "--dry-run")
    assert len(git(behind, "worktree", "list").splitlines()) == 1
    assert not Path(left[0].split()[0]).exists()


@pytest.mark.parametrize(("name", "times"), [("_commit", 0), ("describe", 0), ("git", 0), ("git", 5)])
def test_a_branch_that_was_killed_before_it_was_whole_is_not_there(
    name: str, times: int, behind: Path, run: Run
) -> None:
    before = snapshot(behind)
    killed(behind, name, times, "--branch", module="update.branch")
    assert (snapshot(behind), git(behind, "status", "--porcelain")) == (before, "")
    assert git(behind, "branch", "--list", "mlscaffold/*") == ""
    assert run("update", behind, "--branch").code == 1
    assert "<<<<<<<" in git(behind, "show", "mlscaffold/v0.2.0:README.md")
    assert len(git(behind, "worktree", "list").splitlines()) == 1
    assert (snapshot(behind), git(behind, "status", "--porcelain")) == (before, "")


@pytest.mark.slow
def test_killed_at_any_time_it_can_be_made_whole(behind: Path, tmp_path: Path, run: Run) -> None:
    expected = whole(behind, tmp_path, run)
    before = snapshot(behind)
    begun = time.perf_counter()
    whole(behind, tmp_path / "timed", run)
    takes = time.perf_counter() - begun + 0.5  # with the start of Python
    for turn in range(12):
        project = tmp_path / f"turn{turn}" / "churn"
        shutil.copytree(behind, project, symlinks=True)
        words = [sys.executable, "-m", "mlscaffold", "update", str(project)]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(takes * turn / 11)
            os.kill(process.pid, signal.SIGKILL)
        if snapshot(project) != before or git(project, "status", "--porcelain"):
            run("update", project)
        else:
            assert run("update", project).code == 1
        assert (snapshot(project), git(project, "status", "--porcelain")) == expected, turn
