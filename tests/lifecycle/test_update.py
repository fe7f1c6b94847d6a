"""`mlscaffold update`: predicts, applies, loses nothing; plain `copier update` goes on working."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import FILES, Run, Template, git
from mlscaffold import source

Ship = Callable[..., Path]
MODEL = "template/src/{{ package }}/model.py"
DEEPER = "depth = 5\n\n\ndef build():\n    return depth\n"


def commit(project: Path, **files: str | None) -> None:
    for name, text in files.items():
        path = project / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
    git(project, "add", "--all")
    git(project, "commit", "-qm", "change")


def edit(project: Path, name: str, text: str) -> None:
    (project / name).write_text(text)
    git(project, "commit", "-qam", "edit")


def snapshot(project: Path) -> dict[str, bytes]:
    files = [path for path in project.rglob("*") if path.is_file()]
    return {str(path.relative_to(project)): path.read_bytes() for path in files if ".git/" not in str(path)}


@pytest.fixture
def newer(template: Template, shipped: Ship) -> Callable[..., None]:
    """Release v0.2.0 and install the package that carries it."""

    def release(files: dict[str, str | None]) -> None:
        template.release("v0.2.0", files)
        shipped()

    return release


def test_a_pristine_project_becomes_what_a_fresh_one_is(
    project: Path, newer: Callable[..., None], run: Run, tmp_path: Path
) -> None:
    newer({MODEL: DEEPER, "template/new.sh": "#!/bin/sh\n", "template/run.sh": None, "template/.gitignore": ".env\n"})
    result = run("update", project)
    assert result.code == 0, result.err
    (tmp_path / "fresh").mkdir()
    run("new", tmp_path / "fresh" / "churn", "--defaults")
    assert snapshot(project) == snapshot(tmp_path / "fresh" / "churn")
    assert (project / "new.sh").stat().st_mode & 0o100
    assert "+ new.sh" in result.out
    assert "- run.sh" in result.out


def test_edits_elsewhere_are_merged(project: Path, newer: Callable[..., None], run: Run) -> None:
    edit(project, "README.md", "# churn\n\nby the team\n\nthe end, and more\n")
    newer({MODEL: DEEPER})
    assert run("update", project).code == 0
    assert "and more" in (project / "README.md").read_text()
    assert (project / "src/churn/model.py").read_text() == DEEPER


def test_a_conflict_is_listed_marked_and_exit_code_1(project: Path, newer: Callable[..., None], run: Run) -> None:
    edit(project, "src/churn/model.py", DEEPER.replace("5", "9"))
    newer({MODEL: DEEPER})
    result = run("update", project)
    assert result.code == 1
    assert "! src/churn/model.py" in result.out
    assert "<<<<<<< before updating" in (project / "src/churn/model.py").read_text()
    assert "UU src/churn/model.py" in git(project, "status", "--porcelain")


def test_dry_run_says_the_same_and_touches_nothing(project: Path, newer: Callable[..., None], run: Run) -> None:
    edit(project, "src/churn/model.py", DEEPER.replace("5", "9"))
    newer({MODEL: DEEPER})
    before = snapshot(project)
    result = run("update", project, "--dry-run")
    assert (result.code, "Would update from v0.1.0 to v0.2.0" in result.out) == (1, True)
    assert snapshot(project) == before
    assert git(project, "status", "--porcelain") == ""
    assert len(git(project, "worktree", "list").splitlines()) == 1


def test_dry_run_shows_the_lines_of_a_conflict_and_as_json_too(
    project: Path, newer: Callable[..., None], run: Run
) -> None:
    edit(project, "src/churn/model.py", DEEPER.replace("5", "9"))
    (project / ".env").write_text("my secret")
    newer({MODEL: DEEPER, "template/.env": "KEY=\n", "template/new.txt": "new\n"})
    hunk = "<<<<<<< before updating\ndepth = 9\n=======\ndepth = 5\n>>>>>>> after updating"
    assert hunk in run("update", project, "--dry-run").out
    result = run("update", project, "--dry-run", "--json")
    preview = json.loads(result.out)
    assert (result.code, preview["from"], preview["to"], preview["conflicts"]) == (1, "v0.1.0", "v0.2.0", 1)
    files = {each["path"]: each for each in preview["files"]}
    assert files["new.txt"] == {"path": "new.txt", "change": "added", "state": "clean"}
    assert files["src/churn/model.py"]["hunks"] == [hunk]
    assert files[".env"]["state"] == "local"
    assert git(project, "status", "--porcelain") == ""


def test_the_preview_as_json_tells_lost_edits_and_what_the_team_deleted(
    project: Path, newer: Callable[..., None], run: Run, template: Template, shipped: Ship
) -> None:
    newer({"template/mine.txt": "an example\n", "template/.gitignore": ".env\n"})
    assert run("update", project).code == 0
    edit(project, "src/churn/model.py", "depth = 3\n\n\ndef build():\n    return depth  # mine\n")
    edit(project, "run.sh", "#!/bin/sh\necho something of my own\n")
    commit(project)
    commit(project, mine_DOT_txt=None)
    moved = "template/src/{{ package }}/estimator.py"
    template.release(
        "v0.3.0",
        {MODEL: None, moved: FILES[MODEL], "template/run.sh": None, "template/mine.txt": "another\n"},
    )
    shipped()
    result = run("update", project, "--dry-run", "--json")
    files = {each.pop("path"): each for each in json.loads(result.out)["files"]}
    assert files["src/churn/model.py"] == {"change": "deleted", "state": "clean"}
    assert json.loads(result.out)["carried"] == [{"path": "src/churn/model.py", "moved_to": "src/churn/estimator.py"}]
    assert files["run.sh"] == {"change": "none", "state": "edited", "moved_to": None}
    assert files["mine.txt"] == {"change": "none", "state": "removed"}
    assert files["src/churn/estimator.py"] == {"change": "added", "state": "clean"}
    assert result.code == 0


def test_a_file_that_the_team_deleted_does_not_come_back(
    project: Path, newer: Callable[..., None], run: Run, template: Template, shipped: Ship
) -> None:
    newer({"template/mine.txt": "an example\n", "template/.gitignore": ".env\n", "template/run.sh": None})
    assert run("update", project).code == 0
    assert (project / "mine.txt").exists()
    commit(project)
    commit(project, mine_DOT_txt=None, README_DOT_md=None)
    template.release("v0.3.0", {MODEL: DEEPER, "template/mine.txt": "another\n", "template/run.sh": "#!/bin/sh\n"})
    shipped()
    result = run("update", project)
    assert result.code == 0, result.err
    assert "Left out: mine.txt, which you deleted and the template still has" in result.out
    assert not (project / "mine.txt").exists()
    assert not (project / "README.md").exists()
    assert (project / "src/churn/model.py").read_text() == DEEPER
    assert (project / "run.sh").exists(), "what the template itself took away may come again"


def test_an_ignored_local_file_is_never_overwritten(project: Path, newer: Callable[..., None], run: Run) -> None:
    (project / ".env").write_text("my secret")
    (project / "x.local").write_text("a file where the template has a folder")
    newer({"template/.env": "KEY=\n", "template/x.local/y": "y\n", MODEL: DEEPER})
    result = run("update", project)
    assert result.code == 0
    assert "Kept: .env is a local file" in result.out
    assert (project / ".env").read_text() == "my secret"
    assert (project / "x.local").is_file()
    assert (project / "src/churn/model.py").read_text() == DEEPER


def test_files_that_belong_to_the_team_are_not_even_mentioned(
    project: Path, newer: Callable[..., None], run: Run
) -> None:
    (project / "mine.txt").write_text("mine")
    newer({"template/mine.txt": "template's\n", MODEL: DEEPER})
    assert "mine.txt" not in run("update", project).out
    assert (project / "mine.txt").read_text() == "mine"


def test_a_clone_without_its_ignored_data_does_not_get_the_examples(
    project: Path, newer: Callable[..., None], run: Run
) -> None:
    newer({"template/mine.txt": "template's\n", MODEL: DEEPER})
    assert "mine.txt" not in run("update", project).out
    assert not (project / "mine.txt").exists()
    assert (project / "src/churn/model.py").read_text() == DEEPER


def test_edits_to_a_renamed_file_are_carried_and_those_to_a_deleted_one_kept(
    project: Path, newer: Callable[..., None], run: Run
) -> None:
    edit(project, "src/churn/model.py", "depth = 3\n\n\ndef build():\n    return depth  # mine\n")
    edit(project, "run.sh", "#!/bin/sh\necho something of my own\n")
    text = "depth = 3\n\n\ndef build():\n    return depth\n"
    newer({MODEL: None, "template/src/{{ package }}/estimator.py": text, "template/run.sh": None})
    result = run("update", project)
    assert "Carried: your changes to src/churn/model.py, which is src/churn/estimator.py now" in result.out
    assert "run.sh has local changes, but the template no longer has it" in result.out
    assert "# mine" in (project / "src/churn/estimator.py").read_text()
    assert not (project / "src/churn/model.py").exists()


def test_a_dirty_tree_is_refused(project: Path, newer: Callable[..., None], run: Run) -> None:
    newer({MODEL: DEEPER})
    (project / "scratch.txt").touch()
    result = run("update", project)
    assert (result.code, "uncommitted changes (scratch.txt)" in result.err) == (2, True)


def test_nothing_to_do_is_said_twice_in_a_row(project: Path, newer: Callable[..., None], run: Run) -> None:
    assert "Nothing to do" in run("update", project).out
    newer({MODEL: DEEPER})
    run("update", project)
    git(project, "add", "--all")
    git(project, "commit", "-qm", "update")
    assert "Nothing to do: the repository is at v0.2.0" in run("update", project).out


def test_to_names_the_version(
    project: Path, newer: Callable[..., None], run: Run, template: Template, shipped: Ship
) -> None:
    newer({MODEL: DEEPER})
    template.release("v0.3.0", {"template/third.txt": "3\n"})
    shipped()
    assert run("update", project, "--to", "v0.2.0").code == 0
    assert "_commit: v0.2.0" in (project / ".copier-answers.yml").read_text()
    assert not (project / "third.txt").exists()
    git(project, "add", "--all")
    git(project, "commit", "-qm", "update")
    assert "downgrading" in run("update", project, "--to", "v0.1.0").err
    assert "there is no version v7" in run("update", project, "--to", "v7").err


def test_plain_copier_update_works_in_the_same_repository(
    project: Path, newer: Callable[..., None], run: Run, template: Template, shipped: Ship
) -> None:
    newer({MODEL: DEEPER})
    assert run("update", project).code == 0
    git(project, "add", "--all")
    git(project, "commit", "-qm", "update")
    template.release("v0.3.0", {"template/third.txt": "3\n"})
    bundle = shipped()
    (project / ".mlscaffold/template.bundle").write_bytes(bundle.read_bytes())
    git(project, "commit", "-qam", "newer bundle")
    words = [sys.executable, "-m", "copier", "update", "--defaults"]
    done = subprocess.run(words, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (project / "third.txt").read_text() == "3\n"


def test_a_project_in_a_folder_of_a_larger_repository(
    project: Path, newer: Callable[..., None], run: Run, tmp_path: Path
) -> None:
    outer = tmp_path / "monorepo"
    (outer / "ml").mkdir(parents=True)
    git(outer, "init", "-q")
    subprocess.run(["cp", "-r", str(project), str(outer / "ml" / "churn")], check=True)
    subprocess.run(["rm", "-rf", str(outer / "ml" / "churn" / ".git")], check=True)
    git(outer, "add", "--all")
    git(outer, "commit", "-qm", "all")
    newer({MODEL: DEEPER})
    result = run("update", outer / "ml" / "churn")
    assert result.code == 0, result.err
    assert (outer / "ml/churn/src/churn/model.py").read_text() == DEEPER


def test_a_template_by_path_is_updated_from_there(run: Run, template: Template, tmp_path: Path) -> None:
    assert run("new", tmp_path / "churn", "--defaults", "--template", template.path).code == 0
    template.release("v0.2.0", {MODEL: DEEPER, "template/run.sh": None})
    edit(tmp_path / "churn", "run.sh", "#!/bin/sh\nmine\n")
    result = run("update", tmp_path / "churn")
    assert result.code == 0, result.err
    assert "run.sh has local changes" in result.out
    assert (tmp_path / "churn" / "src/churn/model.py").read_text() == DEEPER


def test_another_history_under_the_same_names_is_not_mixed(
    project: Path, template: Template, shipped: Ship, run: Run
) -> None:
    git(template.path, "commit", "-q", "--amend", "-m", "another")
    git(template.path, "tag", "-f", "v0.1.0")
    template.release("v0.2.0", {MODEL: DEEPER})
    shipped()
    result = run("update", project)
    assert "is another one than the repository's own" in result.err
    assert "Nothing to do" in result.out


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({".copier-answers.yml": None}, "was not made by mlscaffold"),
        ({".copier-answers.yml": "a: [\n"}, "cannot be read"),
        ({".copier-answers.yml": "name: churn\n"}, "does not say which version"),
        ({".mlscaffold/template.bundle": None}, "restore it"),
    ],
)
def test_what_is_broken_is_named(broken: dict[str, str | None], message: str, project: Path, run: Run) -> None:
    commit(project, **broken)
    result = run("update", project)
    assert (result.code, message in result.err) == (2, True), result.err


def test_a_folder_without_git_is_refused(project: Path, run: Run) -> None:
    (project / ".git").rename(project.parent / "gone")
    assert "not a git repository" in run("update", project).err


def test_a_project_of_a_url_is_updated_from_the_bundle_without_a_network(
    run: Run, template: Template, shipped: Ship, tmp_path: Path
) -> None:
    shipped()
    url = "http://127.0.0.1:9/ml/template"
    assert run("new", tmp_path / "churn", "--defaults", "--template", url).code == 0
    template.release("v0.2.0", {MODEL: DEEPER, "template/run.sh": None})
    shipped()
    result = run("update", tmp_path / "churn")
    assert result.code == 0, result.err
    assert (tmp_path / "churn/src/churn/model.py").read_text() == DEEPER
    assert f"_src_path: git+{url}" in (tmp_path / "churn/.copier-answers.yml").read_text()


def test_a_users_hooks_do_not_run_while_an_update_is_predicted(
    project: Path, newer: Callable[..., None], run: Run, home: Path
) -> None:
    hooks = project / ".git" / "hooks"
    for name in ("post-checkout", "pre-commit", "post-commit"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {home}/ran\nexit 1\n")
        (hooks / name).chmod(0o755)
    newer({MODEL: DEEPER})
    assert run("update", project, "--dry-run").code == 0
    assert not (home / "ran").exists()


def test_the_address_of_a_template_is_resolved_once(
    run: Run, template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "churn"
    assert run("new", project, "--defaults", "--template", f"file://{template.path}/.git").code == 0
    (project / "run.sh").write_text("#!/bin/sh\necho ours\n")
    git(project, "commit", "-qam", "edit")
    template.release("v0.2.0", {"template/run.sh": None})  # an edited file is dropped: the old version is rendered too
    commands: list[str] = []
    real = source.git

    def counting(*words: str, **named: Any) -> str:
        commands.append(words[0])
        return real(*words, **named)

    monkeypatch.setattr(source, "git", counting)
    result = run("update", project, "--dry-run")
    assert (result.code, "run.sh has local changes" in result.out) == (0, True), result.out
    assert commands.count("ls-remote") == 1


EJECTABLE = {
    "copier.yml": FILES["copier.yml"]
    + "runtime: {type: str, default: vendored, choices: [vendored, ejected]}\n"
    + "_exclude: [\"{% if runtime == 'ejected' %}/vendor{% endif %}\"]\n",
    "template/vendor/mlproduct-1.whl": "one",
}


def test_an_ejected_library_is_left_alone_and_the_update_says_so(
    template: Template, shipped: Ship, run: Run, tmp_path: Path
) -> None:
    template.release("v0.1.1", EJECTABLE)
    shipped()
    project = tmp_path / "ejected"
    assert run("new", project, "--defaults").code == 0
    answers = (project / ".copier-answers.yml").read_text()
    assert (project / "vendor/mlproduct-1.whl").exists()
    edited = {
        "_DOT_copier-answers_DOT_yml": answers.replace("runtime: vendored", "runtime: ejected"),
        "vendor__mlproduct-1_DOT_whl": None,
        "runtime__core_DOT_py": "one\n",
    }
    commit(project, **edited)
    template.release("v0.2.0", {"template/vendor/mlproduct-1.whl": None, "template/vendor/mlproduct-2.whl": "two"})
    template.release("v0.2.1", {MODEL: DEEPER})
    shipped()
    result = run("update", project)
    assert result.code == 0, result.err
    assert "the library is ejected: this update leaves runtime/ as it is" in (result.out + result.err).lower()
    assert not list(project.glob("vendor/*"))
    assert (project / "runtime/core.py").read_text() == "one\n"
    assert (project / "src/ejected/model.py").read_text() == DEEPER


def test_an_update_of_a_vendored_library_says_nothing_of_that(
    project: Path, newer: Callable[..., None], run: Run
) -> None:
    newer({MODEL: DEEPER})
    result = run("update", project)
    assert "ejected" not in result.out + result.err
