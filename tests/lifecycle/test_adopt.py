"""`mlscaffold adopt`: adds, keeps, proposes; updates go on from there."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import layouts
from conftest import Run, Template, git

Ship = Callable[..., Path]
MODEL = "template/src/{{ package }}/model.py"
DEEPER = "depth = 5\n\n\ndef build():\n    return depth\n"
BRANCH = "mlscaffold/adopt"
KILLED = """
import os, signal, sys
from importlib import import_module
from mlscaffold import cli

module, name, left = import_module("mlscaffold." + sys.argv[1]), sys.argv[2], int(sys.argv[3])
real = getattr(module, name)

def dying(*words, **named):
    global left
    if left == 0:
        os.kill(os.getpid(), getattr(signal, sys.argv[4]))
    left -= 1
    return real(*words, **named)

setattr(module, name, dying)
cli.main(["adopt", sys.argv[5], "--defaults", "--template", sys.argv[6]])
"""


def snapshot(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and ".git/" not in path.as_posix()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def state(folder: Path) -> tuple[dict[str, bytes], str, str]:
    refs = git(folder, "for-each-ref", "--format=%(refname) %(objectname)")
    return snapshot(folder), git(folder, "status", "--porcelain", "--untracked-files=all"), refs


def keeps(before: dict[str, bytes], folder: Path) -> set[str]:
    """Assert that every file is what it was, byte for byte, and give the names of new ones."""
    after = snapshot(folder)
    assert {name: after.get(name) for name in before} == before
    return after.keys() - before.keys()


@pytest.fixture
def team(tmp_path: Path, shipped: Ship) -> Path:
    """Give a team's repository, part of which collides with v0.1.0 of the tiny template."""
    shipped("v0.1.0")
    files = {"README.md": "# ours\n", "train.py": "print(1)\n", ".gitignore": "*.local\nsecret.txt\n", "run.sh": None}
    folder = layouts.built(tmp_path / "churn", files)
    (folder / "secret.txt").write_text("my secret")
    return folder


def committed(folder: Path) -> Path:
    git(folder, "commit", "-qm", "adopt")
    return folder


def test_what_is_lacking_is_added_and_staged_and_nothing_else_changes(team: Path, run: Run) -> None:
    before, head = snapshot(team), git(team, "rev-parse", "HEAD")
    result = run("adopt", team, "--defaults")
    assert result.code == 1, result.err
    added = keeps(before, team)
    assert added == {".copier-answers.yml", ".mlscaffold/template.bundle", "run.sh", "src/churn/model.py"}
    assert (team / "run.sh").stat().st_mode & 0o100
    assert git(team, "rev-parse", "HEAD") == head
    status = git(team, "status", "--porcelain").splitlines()
    assert {line[3:] for line in status if line.startswith("A  ")} == added
    assert len(status) == len(added)
    assert "_src_path: .mlscaffold/template.bundle" in (team / ".copier-answers.yml").read_text()


def test_it_is_given_up_by_a_reset(team: Path, run: Run) -> None:
    before = snapshot(team)
    run("adopt", team, "--defaults")
    git(team, "reset", "-q", "--hard")
    assert snapshot(team) == before


def test_what_collides_is_proposed_on_a_branch_whose_commit_shows_it(team: Path, run: Run) -> None:
    result = run("adopt", team, "--defaults")
    assert "! README.md" in result.out
    assert git(team, "diff", "--name-only", "HEAD", BRANCH).split() == [".gitignore", "README.md"]
    assert git(team, "rev-parse", f"{BRANCH}^") == git(team, "rev-parse", "HEAD")
    assert git(team, "show", f"{BRANCH}:README.md") == "# churn\n\nby the team\n\nthe end\n"
    committed(team)
    git(team, "merge", "-q", "--no-edit", BRANCH)
    assert (team / "README.md").read_text().startswith("# churn")
    assert "nothing to commit" in git(team, "status")


def test_a_list_of_patterns_is_proposed_with_the_teams_own_lines(team: Path, run: Run) -> None:
    run("adopt", team, "--defaults")
    assert git(team, "show", f"{BRANCH}:.gitignore") == "*.local\nsecret.txt\n.env\n/mine.txt\n"


def test_without_collisions_there_is_no_branch_and_exit_code_0(tmp_path: Path, shipped: Ship, run: Run) -> None:
    shipped("v0.1.0")
    folder = layouts.built(tmp_path / "churn", {"train.py": "print(1)\n"})
    result = run("adopt", folder, "--defaults")
    assert result.code == 0, result.err
    assert "Next: make setup train" in result.out
    assert git(folder, "branch", "--list", "mlscaffold/*") == ""


def test_a_dry_run_says_it_all_and_touches_nothing(team: Path, run: Run) -> None:
    before = state(team)
    objects = git(team, "count-objects")
    result = run("adopt", team, "--defaults", "--dry-run")
    assert (result.code, "Would add 4 file(s) of template v0.1.0" in result.out) == (1, True)
    assert "  + src/churn/model.py" in result.out
    preview = json.loads(run("adopt", team, "--dry-run", "--json").out)
    assert (preview["to"], preview["collisions"], preview["branch"]) == ("v0.1.0", 2, BRANCH)
    states = {each["path"]: each["state"] for each in preview["files"]}
    assert (states["README.md"], states["run.sh"]) == ("collides", "added")
    assert preview["score"]["after"] > preview["score"]["before"]
    assert all(each["fix"] for each in preview["asked"])
    assert (state(team), git(team, "count-objects")) == (before, objects)


def test_json_without_a_dry_run_adopts(team: Path, run: Run) -> None:
    assert json.loads(run("adopt", team, "--json").out)["to"] == "v0.1.0"
    assert (team / "src/churn/model.py").exists()


def test_the_same_file_is_neither_added_nor_a_collision(tmp_path: Path, shipped: Ship, run: Run) -> None:
    shipped("v0.1.0")
    folder = layouts.built(tmp_path / "churn", {"run.sh": "#!/bin/sh\necho run\n"})
    result = run("adopt", folder, "--defaults")
    assert (result.code, "There already, the very same: run.sh" in result.out) == (0, True)


def test_an_ignored_local_file_is_kept_and_goes_nowhere(
    team: Path, run: Run, template: Template, shipped: Ship
) -> None:
    template.release("v0.2.0", {"template/secret.txt": "an example\n"})
    shipped()
    result = run("adopt", team, "--defaults")
    assert "Kept: secret.txt is a local file, ignored by git" in result.out
    assert (team / "secret.txt").read_text() == "my secret"
    assert "secret.txt" not in git(team, "ls-tree", "-r", "--name-only", BRANCH)
    assert "secret.txt" not in git(team, "ls-files")


def test_files_that_the_teams_gitignore_hides_are_staged_and_let_through(
    tmp_path: Path, run: Run, template: Template, shipped: Ship
) -> None:
    deep = {"template/data/.gitignore": "/raw.csv\n", "template/data/deep/x.dvc": "x\n", "template/notes.log": "n\n"}
    template.release("v0.2.0", deep)
    shipped()
    folder = layouts.built(tmp_path / "churn", {".gitignore": "/data/\n*.log\n"})
    result = run("adopt", folder, "--defaults")
    assert "git ignores 3 of the added files here" in result.out
    assert "`make setup train` needs the standard's parts of .gitignore" in result.out
    committed(folder)
    assert {"data/.gitignore", "data/deep/x.dvc", "notes.log"} <= set(git(folder, "ls-files").split())
    git(folder, "merge", "-q", "--no-edit", BRANCH)
    for name, ignored in (("data/deep/x.dvc", False), ("data/deep/y", True), ("data/z", True), ("notes.log", False)):
        words = ["git", "check-ignore", "--quiet", "--no-index", name]
        assert (subprocess.run(words, cwd=folder, check=False).returncode == 0) is ignored, name
    assert "nothing to commit" in git(folder, "status")


# Where it cannot be done


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "new.txt").touch(), "uncommitted changes (new.txt)"),
        (lambda folder: git(folder, "checkout", "-q", "--detach"), "git switch -c adopt"),
        (lambda folder: git(folder, "update-ref", "-d", "HEAD"), "no commit yet"),
        (lambda folder: (folder / ".git").rename(folder.parent / "gone"), "git init && git add -A && git commit"),
        (lambda folder: layouts.built(folder, {"src": "a file\n"}), "src is a file where the standard has a folder"),
        (lambda folder: layouts.built(folder, {"run.sh/x": "x\n"}), "run.sh is a folder where the standard has a file"),
        (lambda folder: layouts.built(folder, {".copier-answers.yml": "_commit: v1\n"}), "mlscaffold update"),
        (lambda folder: git(folder, "branch", BRANCH), f"git branch -D {BRANCH}"),
    ],
    ids=["dirty", "detached", "no commit", "no git", "file for folder", "folder for file", "made already", "branch"],
)
def test_what_is_in_the_way_is_named_and_nothing_happens(
    change: Callable[[Path], object], message: str, team: Path, run: Run
) -> None:
    change(team)
    before = snapshot(team)
    result = run("adopt", team, "--defaults")
    assert (result.code, message in result.err) == (2, True), result.err
    assert snapshot(team) == before


def test_nothing_is_written_through_a_link(team: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (team / "src").symlink_to(tmp_path / "elsewhere")
    git(team, "add", "--all")
    committed(team)
    result = run("adopt", team, "--defaults")
    assert (result.code, "src is a link" in result.err) == (2, True)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_template_that_brings_a_link_is_refused(team: Path, run: Run, template: Template, tmp_path: Path) -> None:
    (template.path / "template/leak.txt").symlink_to(tmp_path / "secret")
    questions = (template.path / "copier.yml").read_text() + "_preserve_symlinks: true\n"
    template.release("v0.2.0", {"copier.yml": questions})
    before = state(team)
    result = run("adopt", team, "--defaults", "--template", template.path)
    assert (result.code, "the template contains links (leak.txt)" in result.err) == (2, True), result.err
    assert state(team) == before


def test_nothing_is_written_into_a_submodule(team: Path, run: Run, template: Template) -> None:
    git(team, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(template.path), "src")
    committed(team)
    assert "src is a submodule" in run("adopt", team, "--defaults").err


def test_a_bare_repository_and_no_folder_are_refused(team: Path, run: Run, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(team), str(tmp_path / "bare"))
    assert "clone it, and adopt the clone" in run("adopt", tmp_path / "bare", "--defaults").err
    assert "there is no folder" in run("adopt", tmp_path / "nowhere", "--defaults").err


def test_a_wrong_answer_leaves_the_repository_as_it_was(team: Path, run: Run) -> None:
    before = state(team)
    assert "somebody must own it" in run("adopt", team, "--defaults", "-d", "owner=nobody").err
    assert "has no question 'ownr'" in run("adopt", team, "--defaults", "-d", "ownr=us").err
    assert state(team) == before


def test_a_folder_of_a_larger_repository_is_adopted_in_place(
    tmp_path: Path, run: Run, template: Template, shipped: Ship
) -> None:
    shipped("v0.1.0")
    files = {"web/app.js": "1\n", "ml/churn/train.py": "print(1)\n", "ml/churn/README.md": "ours\n"}
    root = layouts.built(tmp_path / "monorepo", files)
    before = snapshot(root)
    result = run("adopt", root / "ml" / "churn", "--defaults")
    assert result.code == 1, result.err
    assert "the forge reads CI at the root of the repository alone" in result.err
    assert all(name.startswith("ml/churn/") for name in keeps(before, root))
    assert git(root, "diff", "--name-only", "HEAD", BRANCH).split() == ["ml/churn/README.md"]
    committed(root)
    assert git(root, "status", "--porcelain") == ""
    template.release("v0.2.0", {MODEL: DEEPER})
    shipped()
    assert run("update", root / "ml" / "churn").code == 0
    assert (root / "ml/churn/src/churn/model.py").read_text() == DEEPER


# Cut off


def killed(folder: Path, template: Path, place: str, times: int, how: str = "SIGKILL") -> int:
    module, _, name = place.rpartition(".")
    words = [sys.executable, "-c", KILLED, module, name, str(times), how, str(folder), str(template)]
    return subprocess.run(words, capture_output=True, check=False).returncode


@pytest.mark.parametrize(
    ("place", "times", "how"),
    [
        ("adopt.apply._proposal", 0, "SIGKILL"),
        ("adopt.apply._entries", 1, "SIGKILL"),
        ("update.apply._write_record", 0, "SIGKILL"),
        ("update.apply._state", 3, "SIGKILL"),
        ("adopt.apply._proposal", 0, "SIGINT"),
        ("adopt.apply._proposal", 0, "SIGTERM"),
    ],
)
def test_cut_off_before_its_record_stands_nothing_has_happened(
    place: str, times: int, how: str, team: Path, template: Template
) -> None:
    before = state(team)
    code = killed(team, template.path, place, times, how)
    assert code in (-signal.SIGKILL, 130, 143)
    assert state(team) == before


@pytest.mark.parametrize(
    ("place", "times"),
    [
        ("update.apply._run_record", 0),
        ("update.apply._replace", 0),
        ("update.apply._replace", 1),
        ("update.apply.git", 0),
        ("update.apply.git", 1),
    ],
)
def test_killed_after_that_the_next_one_finishes_it(
    place: str, times: int, team: Path, template: Template, run: Run, tmp_path: Path
) -> None:
    whole = tmp_path / "whole" / "churn"
    whole.parent.mkdir()
    subprocess.run(["cp", "-r", str(team), str(whole)], check=True)
    assert run("adopt", whole, "--defaults", "--template", template.path).code == 1
    assert killed(team, template.path, place, times) == -signal.SIGKILL
    refused = run("adopt", team, "--dry-run")
    assert (refused.code, "was interrupted" in refused.err) == (2, True)
    result = run("adopt", team)
    assert (result.code, "it is complete now" in result.out) == (1, True)
    assert state(team)[:2] == state(whole)[:2]
    assert git(team, "show", f"{BRANCH}:README.md") == git(whole, "show", f"{BRANCH}:README.md")


def test_a_failure_while_files_are_written_is_finished_by_the_next(
    team: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, replace = snapshot(team), Path.replace
    written: list[Path] = []

    def full_at_the_third(self: Path, target: Path) -> Path:
        written.append(self)
        if len(written) == 3:
            raise OSError("disk full")
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full_at_the_third)
        assert run("adopt", team, "--defaults").code == 70
    keeps(before, team)
    assert "it is complete now" in run("adopt", team).out
    assert (team / "src/churn/model.py").exists()


# From then on


def test_an_update_brings_what_is_new_and_leaves_the_teams_own_alone(
    team: Path, run: Run, template: Template, shipped: Ship
) -> None:
    run("adopt", team, "--defaults")
    committed(team)
    before = snapshot(team)
    template.release("v0.2.0", {MODEL: DEEPER, "template/new.txt": "new\n"})
    shipped()
    result = run("update", team)
    assert result.code == 0, result.err
    assert (team / "src/churn/model.py").read_text() == DEEPER
    assert (team / "new.txt").exists()
    for name in ("README.md", ".gitignore", "train.py"):
        assert (team / name).read_bytes() == before[name], "the template did not change it, so nothing came to it"


def test_a_change_of_a_colliding_file_is_a_conflict_and_never_silent(
    team: Path, run: Run, template: Template, shipped: Ship
) -> None:
    run("adopt", team, "--defaults")
    committed(team)
    template.release("v0.2.0", {"template/README.md.jinja": "# {{ name }}\n\nby {{ owner }}\n\nanother end\n"})
    shipped()
    result = run("update", team)
    assert (result.code, "! README.md" in result.out) == (1, True)
    text = (team / "README.md").read_text()
    assert "<<<<<<< before updating\n# ours\n" in text
    assert "UU README.md" in git(team, "status", "--porcelain")


def test_a_line_that_both_have_alike_is_updated_and_listed(
    team: Path, run: Run, template: Template, shipped: Ship
) -> None:
    layouts.built(team, {"README.md": "# churn\n\nby the team\n\nthe end\n\nours\n"})
    run("adopt", team, "--defaults")
    committed(team)
    template.release("v0.2.0", {"template/README.md.jinja": "# {{ name }}!\n\nby {{ owner }}\n\nthe end\n"})
    shipped()
    result = run("update", team)
    assert (result.code, "~ README.md" in result.out) == (0, True), result.out
    assert (team / "README.md").read_text() == "# churn!\n\nby the team\n\nthe end\n\nours\n"


@pytest.mark.parametrize("end", ["the end", "another end"])
def test_a_link_that_collides_stays_one(end: str, team: Path, run: Run, template: Template, shipped: Ship) -> None:
    (team / "README.md").unlink()
    (team / "notes.md").write_text("# ours\n")
    (team / "README.md").symlink_to("notes.md")
    layouts.built(team, {})
    run("adopt", team, "--defaults")
    assert git(team, "ls-tree", BRANCH, "README.md").startswith("100644")
    committed(team)
    readme = f"# {{{{ name }}}}\n\nby {{{{ owner }}}}\n\n{end}\n"
    template.release("v0.2.0", {MODEL: DEEPER, "template/README.md.jinja": readme})
    shipped()
    result = run("update", team)
    assert (team / "notes.md").read_text() == "# ours\n"
    assert (result.code, (team / "README.md").is_symlink()) == (0, True)
    assert (team / "src/churn/model.py").read_text() == DEEPER


def test_what_was_taken_from_the_branch_is_updated_like_any_other_file(
    team: Path, run: Run, template: Template, shipped: Ship
) -> None:
    run("adopt", team, "--defaults")
    committed(team)
    git(team, "merge", "-q", "--no-edit", BRANCH)
    (team / "README.md").write_text((team / "README.md").read_text() + "\nours\n")
    git(team, "commit", "-qam", "ours below")
    template.release("v0.2.0", {"template/README.md.jinja": "# {{ name }}!\n\nby {{ owner }}\n\nthe end\n"})
    shipped()
    assert run("update", team).code == 0
    assert (team / "README.md").read_text() == "# churn!\n\nby the team\n\nthe end\n\nours\n"


def test_a_colliding_file_that_the_template_drops_stays(
    team: Path, run: Run, template: Template, shipped: Ship
) -> None:
    run("adopt", team, "--defaults")
    committed(team)
    template.release("v0.2.0", {"template/README.md.jinja": None, MODEL: DEEPER})
    shipped()
    result = run("update", team)
    assert "README.md has local changes, but the template no longer has it" in result.out
    assert (team / "README.md").read_text() == "# ours\n"


def test_plain_copier_updates_an_adopted_repository(team: Path, run: Run, template: Template, shipped: Ship) -> None:
    run("adopt", team, "--defaults")
    committed(team)
    template.release("v0.2.0", {MODEL: DEEPER, "template/README.md.jinja": "# another\n\nby {{ owner }}\n\nthe end\n"})
    (team / ".mlscaffold/template.bundle").write_bytes(shipped().read_bytes())
    git(team, "commit", "-qam", "newer bundle")
    words = [sys.executable, "-m", "copier", "update", "--defaults"]
    done = subprocess.run(words, cwd=team, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (team / "src/churn/model.py").read_text() == DEEPER
    assert "<<<<<<< before updating\n# ours\n" in (team / "README.md").read_text()
    assert (team / "train.py").read_text() == "print(1)\n"
