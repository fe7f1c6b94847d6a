"""Edits of files that a template renames or deletes, on a tiny template: merged, kept as patches, recovered."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Run, Template, git

GATE = "src/churn/gate.py"
OLD = (
    '"""Gates."""\n\nlimit = 3\n\n\ndef decide(loss):\n    return loss < limit\n\n\n'
    'def say(loss):\n    return f"loss {loss}"\n'
)
EDITED = OLD.replace("limit = 3", "limit = 4")
MOVED = "template/src/{{ package }}/judging/gates.py"
MODULE = "template/src/{{ package }}/gate.py"
Newer = Callable[..., None]


@pytest.fixture
def project(template: Template, shipped: Callable[..., Path], run: Run, tmp_path: Path) -> Path:
    """Make a repository whose team has edited a module, which is executed by nobody."""
    template.release("v0.2.0", {MODULE: OLD})
    shipped()
    folder = tmp_path / "churn"
    assert run("new", folder, "--defaults").code == 0
    (folder / GATE).write_text(EDITED)
    git(folder, "commit", "-qam", "ours")
    return folder


@pytest.fixture
def newer(template: Template, shipped: Callable[..., Path]) -> Newer:
    def release(files: dict[str, str | None], version: str = "v0.3.0") -> Path:
        template.release(version, files)
        return shipped()

    return release


def commit(project: Path, message: str = "ours") -> None:
    git(project, "add", "--all")
    git(project, "commit", "-qm", message)


def test_an_edit_is_merged_into_a_file_that_the_template_renamed(project: Path, newer: Newer, run: Run) -> None:
    newer({MODULE: None, MOVED: OLD.replace('f"loss {loss}"', 'f"a loss of {loss}"')})
    result = run("update", project)
    assert result.code == 0, result.out + result.err
    text = (project / "src/churn/judging/gates.py").read_text()
    assert ("limit = 4" in text, "a loss of" in text) == (True, True)
    assert not (project / GATE).exists()
    commit(project)
    assert run("diff", project).out.count(" x ") == 0, "what was carried is not lost"


def test_edits_that_collide_in_a_renamed_file_are_a_conflict(project: Path, newer: Newer, run: Run) -> None:
    newer({MODULE: None, MOVED: OLD.replace("limit = 3", "limit = 5")})
    result = run("update", project)
    assert (result.code, "! src/churn/judging/gates.py" in result.out) == (1, True)
    text = (project / "src/churn/judging/gates.py").read_text()
    assert "<<<<<<< before updating\nlimit = 4\n=======\nlimit = 5\n>>>>>>> after updating" in text
    assert "UU src/churn/judging/gates.py" in git(project, "status", "--porcelain").replace("AA", "UU")


def test_two_files_that_share_little_are_no_rename(project: Path, newer: Newer, run: Run) -> None:
    newer({MODULE: None, MOVED: '"""Gates."""\n\n\nclass Gate:\n    threshold = 0.5\n'})
    result = run("update", project, "--dry-run", "--json")
    report = json.loads(result.out)
    assert (result.code, report["carried"], [each["path"] for each in report["edits"]]) == (1, [], [GATE])


def test_a_patch_without_a_library_names_no_module_and_holds_the_bytes(project: Path, newer: Newer, run: Run) -> None:
    (project / GATE).write_bytes(b"# caf\xe9 in Latin-1\r\nlimit = 4")
    commit(project)
    newer({MODULE: None})
    git(project, "config", "diff.external", "false")
    assert run("update", project).code == 1
    patch = project / f"vendor/edits/{GATE}.patch"
    assert b"Library:" not in patch.read_bytes()
    git(project, "checkout", "-q", "HEAD", "--", GATE)
    git(project, "apply", "-R", str(patch))
    assert (project / GATE).read_text() == OLD


def test_a_decision_is_to_delete_the_patch(project: Path, newer: Newer, run: Run) -> None:
    newer({MODULE: None})
    assert run("update", project).code == 1
    commit(project)
    newer({"template/more.txt": "more\n"}, "v0.4.0")
    again = run("update", project)
    assert (again.code, "Nothing is updated before" in again.out) == (1, True)
    (project / f"vendor/edits/{GATE}.patch").unlink()
    commit(project)
    assert run("update", project).code == 0
    assert (project / "more.txt").exists()
    assert run("diff", project).code == 0, "what was decided is not lost"


def test_edits_are_accepted_beforehand(project: Path, newer: Newer, run: Run) -> None:
    newer({MODULE: None})
    assert run("update", project, "--accept-edits").code == 0
    assert "Status: accepted" in (project / f"vendor/edits/{GATE}.patch").read_text()
    commit(project)
    assert "Nothing to do" in run("update", project).out


def test_a_patch_is_not_written_behind_a_link(project: Path, newer: Newer, run: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project / "vendor").symlink_to(tmp_path / "elsewhere")
    commit(project)
    newer({MODULE: None})
    result = run("update", project)
    assert (result.code, "there is a link on the way" in result.err) == (2, True)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_branch_for_review_holds_the_patch_and_its_text_the_diff(project: Path, newer: Newer, run: Run) -> None:
    newer({MODULE: None})
    assert run("update", project, "--branch", "--check", "true").code == 1
    assert f"vendor/edits/{GATE}.patch" in git(project, "ls-tree", "-r", "--name-only", "mlscaffold/v0.3.0")
    text = (project / ".git/mlscaffold-pull-request.md").read_text()
    assert "## Edits to decide on" in text
    assert "+limit = 4" in text


def test_what_plain_copier_deletes_is_recovered_from_git(project: Path, newer: Newer, run: Run, tmp_path: Path) -> None:
    before = git(project, "rev-parse", "--short", "HEAD").strip()
    bundle = newer({MODULE: None})
    shutil.copy(bundle, project / ".mlscaffold/template.bundle")
    commit(project, "newer bundle")
    words = [sys.executable, "-m", "copier", "update", "--defaults", "--quiet"]
    subprocess.run(words, cwd=project, check=True, capture_output=True)
    assert not (project / GATE).exists(), "copier says nothing of it"
    last = git(project, "rev-parse", "--short", "HEAD").strip()
    uncommitted = json.loads(run("diff", project, "--json").out)["lost"]
    assert uncommitted == [{"path": GATE, "commit": last, "patch": f"vendor/edits/{GATE}.patch"}]
    commit(project, "update")
    result = run("diff", project)
    assert (result.code, f"x {GATE}, in commit {last}" in result.out) == (1, True)
    assert last != before
    assert run("diff", project, "--recover").code == 1
    assert "+limit = 4" in (project / f"vendor/edits/{GATE}.patch").read_text()
    assert run("update", project).code == 1, "it waits for a decision, as after an update with mlscaffold"
    assert run("update", project, "--accept-edits").code == 0
    assert run("diff", project).code == 0


def test_a_past_that_cannot_be_had_stops_no_comparison(project: Path, newer: Newer, run: Run) -> None:
    answers = project / ".copier-answers.yml"
    text = answers.read_text()
    for broken in ("a: [\n", text.replace("v0.2.0", "v0.1.5")):
        answers.write_text(broken)
        commit(project)
    answers.write_text(text)
    (project / "tests").mkdir()
    (project / "tests/test_gone.py").write_text("")
    commit(project)
    (project / "tests/test_gone.py").unlink()
    assert run("diff", project).code == 1, "gate.py differs; nothing is lost"
    assert json.loads(run("diff", project, "--json").out)["lost"] == []


def test_a_file_that_the_team_has_where_the_template_adds_one_is_merged(project: Path, newer: Newer, run: Run) -> None:
    (project / "vendor").mkdir()
    (project / "vendor/requirements.txt").write_text("ours==1\n")
    commit(project)
    newer({"template/vendor/requirements.txt": "theirs==2\n"})
    result = run("update", project)
    assert (result.code, "! vendor/requirements.txt" in result.out) == (1, True)
    text = (project / "vendor/requirements.txt").read_text()
    assert ("ours==1" in text, "theirs==2" in text) == (True, True)


def test_what_git_ignores_in_vendor_is_said_to_be_added_by_force(project: Path, newer: Newer, run: Run) -> None:
    (project / ".gitignore").write_text(f"{(project / '.gitignore').read_text()}*.whl\n*.patch\n")
    commit(project)
    newer({MODULE: None, "template/vendor/library-1-py3-none-any.whl": "wheel"})
    stderr = run("update", project).err
    assert (
        f"git ignores vendor/edits/{GATE}.patch, vendor/library-1-py3-none-any.whl; commit them: git add --force"
        in stderr
    )


def test_a_moved_package_is_followed_and_two_are_asked_for(project: Path, newer: Newer, run: Run) -> None:
    git(project, "mv", "src/churn", "src/core")
    commit(project)
    assert run("diff", project, "--json").code == 1, "the edit in gate.py, and not each file of src/churn"
    newer({MODULE: None, "template/src/{{ package }}/extra.py": "extra = 1\n"})
    assert run("update", project, "--dry-run").code == 1
    (project / "src/other").mkdir()
    shutil.copy(project / "src/core/model.py", project / "src/other/model.py")
    commit(project)
    result = run("update", project)
    assert (result.code, "several packages hold a model.py (core, other)" in result.err) == (2, True)
    git(project, "reset", "-q", "--hard", "HEAD^")
    assert run("update", project, "--accept-edits").code == 0
    assert (project / "src/core/extra.py").exists()
    assert not (project / "src/churn").exists()
    assert "package: core" in (project / ".copier-answers.yml").read_text()
