"""`mlscaffold update --branch`: an update as a pull request, described for whoever reviews it."""

from pathlib import Path

import pytest

from conftest import Run, Template, git
from mlscaffold.check.run import examine

MODEL = "template/src/{{ package }}/model.py"
LOG = "# Changelog\n\n## 0.3.0 - later\n\nnot yet\n\n## 0.2.0 - now\n\n- Deeper trees.\n\n## 0.1.0 - then\n\n- First.\n"
MAKEFILE = "lint:\n\t@grep -q 'depth = 5' src/churn/model.py\n\ntest:\n\t@echo tested; test -f new.txt\n"
UPDATE = {MODEL: "depth = 5\n", "template/new.txt": "new\n", "CHANGELOG.md": LOG, "template/.env": "KEY=\n"}


@pytest.fixture
def project(run: Run, template: Template, tmp_path: Path) -> Path:
    template.release("v0.1.1", {"template/Makefile": MAKEFILE})
    folder = tmp_path / "churn"
    assert run("new", folder, "--defaults", "--template", template.path).code == 0
    return folder


def state(project: Path) -> tuple[str, str, str]:
    words = (("rev-parse", "HEAD"), ("branch", "--show-current"), ("status", "--porcelain", "--ignored"))
    return tuple(git(project, *each) for each in words)  # type: ignore[return-value]


def description(project: Path) -> str:
    return (project / ".git" / "mlscaffold-pull-request.md").read_text()


def checked_out(project: Path, tmp_path: Path) -> Path:
    git(project, "worktree", "add", "-q", str(tmp_path / "aside"), "mlscaffold/v0.2.0")
    return tmp_path / "aside"


def test_the_branch_holds_the_update_and_the_repository_stays(
    project: Path, template: Template, run: Run, tmp_path: Path
) -> None:
    (project / ".env").write_text("my secret")
    template.release("v0.2.0", UPDATE)
    before = state(project)
    result = run("update", project, "--branch")
    assert result.code == 0, result.out + result.err
    assert "make lint: passed\nmake test: passed\nBranch mlscaffold/v0.2.0 holds it" in result.out
    assert state(project) == before
    assert (project / ".env").read_text() == "my secret"
    changed = git(project, "diff", "--name-status", "HEAD", "mlscaffold/v0.2.0").splitlines()
    assert changed == ["M\t.copier-answers.yml", "A\tnew.txt", "M\tsrc/churn/model.py"]
    assert (
        git(project, "log", "-1", "--format=%s", "mlscaffold/v0.2.0") == "Update the standard from v0.1.1 to v0.2.0\n"
    )
    text = description(project)
    assert text.startswith(
        "# Update the standard from v0.1.1 to v0.2.0\n\n## What changed in the standard\n\n### 0.2.0"
    )
    assert "- Deeper trees." in text
    assert "First." not in text
    assert "not yet" not in text
    assert "- `make lint` passed" in text
    assert "`.env` is a local file" in text
    before, after = (examine(folder).score for folder in (project, checked_out(project, tmp_path)))
    assert f"## Score\n\n`mlscaffold check`: {before} of 100 before, {after} of 100 after." in text
    git(project, "merge", "-q", "mlscaffold/v0.2.0")
    assert "Nothing to do" in run("update", project, "--branch").out


def test_a_failing_check_is_shown_and_exit_code_1(project: Path, template: Template, run: Run) -> None:
    template.release("v0.2.0", {**UPDATE, MODEL: "depth = 6\n"})
    result = run("update", project, "--branch", "--check", "make lint", "--check", "sh -c 'echo why; exit 3'")
    assert (result.code, "sh -c 'echo why; exit 3': failed" in result.out) == (1, True)
    assert "- `make lint` **failed**" in description(project)
    assert "```\nwhy\n```" in description(project)
    assert run("update", project, "--branch").code == 2, "the branch is there already"
    assert "there is no such command" in again(project, run, "--check", "no-such-command-here").err


def again(project: Path, run: Run, *words: str):
    git(project, "branch", "-qD", "mlscaffold/v0.2.0")
    result = run("update", project, "--branch", *words)
    assert not git(project, "branch", "--list", "mlscaffold/*") or result.code != 2
    return result


def test_conflicts_are_committed_with_markers_and_described(project: Path, template: Template, run: Run) -> None:
    (project / "src/churn/model.py").write_text("depth = 9\n\n\ndef build():\n    return depth\n")
    (project / "run.sh").write_text("#!/bin/sh\necho something of my own\n")
    git(project, "commit", "-qam", "ours")
    template.release("v0.2.0", {**UPDATE, "template/run.sh": None})
    before = state(project)
    result = run("update", project, "--branch")
    assert result.code == 1
    assert state(project) == before
    assert "<<<<<<<" in git(project, "show", "mlscaffold/v0.2.0:src/churn/model.py")
    assert "own" in git(project, "show", "mlscaffold/v0.2.0:run.sh")
    text = description(project)
    assert "## Conflicts" in text
    assert "<<<<<<< before updating\ndepth = 9" in text
    assert "`run.sh` has local changes, but the template no longer has it" in text
    assert "Not run: conflicts are left." in text


def test_a_check_that_fails_since_the_update_is_named(project: Path, template: Template, run: Run) -> None:
    template.release("v0.2.0", {"template/evil.py": "eval('1')\n"})
    assert run("update", project, "--branch", "--check", "true").code == 0
    assert "- **Fails now**: SC012 No text is run as code" in description(project)
    git(project, "merge", "-q", "mlscaffold/v0.2.0")
    template.release("v0.3.0", {"template/evil.py": None})
    assert run("update", project, "--branch", "--check", "true").code == 0
    assert "- Passes now: SC012 No text is run as code" in description(project)


def test_a_template_without_a_changelog_says_so(project: Path, template: Template, run: Run) -> None:
    template.release("v0.2.0", {MODEL: "depth = 5\n", "template/new.txt": "new\n"})
    assert run("update", project, "--branch").code == 0
    assert "The template has no changelog for these versions." in description(project)
    assert run("update", project, "--branch", "--json").code == 2
