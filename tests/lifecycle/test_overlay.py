"""An organisation's overlay: made, put on a repository, updated with the standard in one step."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Run, Template, git
from lifecycle.test_update_cut_off import killed, snapshot
from mlscaffold.bundle import BUNDLE, tags

Ship = Callable[..., Path]
MODEL = "template/src/{{ package }}/model.py"
DEEPER = "depth = 5\n\n\ndef build():\n    return depth\n"
PARAMS = "compare:\n  margin: 0.02 # small lets no decay in\n\nbias:\n  parity: 0.2\n"
GATES = "template/.mlscaffold/acme/gates.yaml"
PAGE = "template/docs/acme.md.jinja"


@pytest.fixture
def base(template: Template, shipped: Ship) -> Template:
    """Give the tiny template a file of parameters, as v0.2.0."""
    template.release("v0.2.0", {"template/params.yaml": PARAMS})
    shipped()
    return template


@pytest.fixture
def overlay(run: Run, tmp_path: Path) -> Template:
    assert run("overlay", "new", tmp_path / "acme-overlay").code == 0
    return Template(tmp_path / "acme-overlay")


@pytest.fixture
def made(run: Run, base: Template, overlay: Template, tmp_path: Path) -> Path:
    result = run("new", tmp_path / "churn", "--defaults", "--overlay", overlay.path)
    assert result.code == 0, result.err
    return tmp_path / "churn"


def commit(project: Path, message: str = "change") -> None:
    git(project, "add", "--all")
    git(project, "commit", "-qm", message)


def test_an_overlay_is_made_in_git_with_a_version(run: Run, tmp_path: Path) -> None:
    result = run("overlay", "new", tmp_path / "Acme ML-overlay")
    assert "Made the overlay acme-ml" in result.out
    folder = tmp_path / "Acme ML-overlay"
    assert git(folder, "tag").split() == ["v0.1.0"]
    assert git(folder, "status", "--porcelain") == ""
    assert (folder / "template/.mlscaffold/acme-ml/checks.yaml").exists()
    assert not [path for path in folder.rglob("*") if path.is_file() and b"@NAME@" in path.read_bytes()]


def test_no_name_and_a_folder_that_is_taken_are_refused(run: Run, tmp_path: Path) -> None:
    assert "is not a valid overlay name" in run("overlay", "new", tmp_path / "42").err
    assert not (tmp_path / "42").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    assert "is not empty" in run("overlay", "new", tmp_path / "full", "--name", "acme").err


@pytest.mark.parametrize("there", [True, False])
def test_an_overlay_that_cannot_be_made_leaves_nothing(
    there: bool, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlscaffold.overlays import make

    def fails(*words: object) -> None:
        raise OSError("disk full")

    if there:
        (tmp_path / "a").mkdir()
    monkeypatch.setattr(make, "first_commit", fails)
    assert run("overlay", "new", tmp_path / "a" / "acme").code == 70
    assert sorted(path.name for path in tmp_path.iterdir() if path.name == "a") == (["a"] if there else [])
    assert not there or list((tmp_path / "a").iterdir()) == []


def test_a_new_repository_has_the_overlay_in_its_first_commit(made: Path) -> None:
    assert git(made, "log", "--format=%s").count("\n") == 1
    assert git(made, "status", "--porcelain") == ""
    assert (made / "docs/acme.md").read_text().startswith("# churn at acme")
    assert "margin: 0.01 # small lets no decay in" in (made / "params.yaml").read_text()
    answers = (made / ".copier-answers.acme.yml").read_text()
    assert "_commit: v0.1.0" in answers
    assert "_commit: v0.2.0" in (made / ".copier-answers.yml").read_text()


def test_its_checks_are_held_by_check(made: Path, run: Run) -> None:
    found = json.loads(run("check", made, "--select", "OR", "--format", "json").out)
    assert found["score"] == 100
    (made / "docs/acme.md").unlink()
    (made / "params.yaml").write_text(PARAMS.replace("0.02", "0.5"))
    out = run("check", made, "--select", "OR").out
    assert "ACME-001 The page of the organisation is there" in out
    assert "compare.margin is 0.5, not at most 0.02" in out


def test_an_overlay_is_added_to_a_repository_and_nothing_is_committed(
    base: Template, overlay: Template, run: Run, tmp_path: Path
) -> None:
    run("new", tmp_path / "churn", "--defaults")
    before = snapshot(tmp_path / "churn")
    dry = run("overlay", "add", overlay.path, tmp_path / "churn", "--dry-run")
    assert "Would update overlay acme at v0.1.0" in dry.out
    assert "~ params.yaml" in dry.out
    assert snapshot(tmp_path / "churn") == before
    report = json.loads(run("overlay", "add", overlay.path, tmp_path / "churn", "-d", "contact=Ada", "--json").out)
    assert report["overlays"] == [{"name": "acme", "from": None, "to": "v0.1.0"}]
    after = snapshot(tmp_path / "churn")
    assert {name for name in before if after[name] != before[name]} == {"params.yaml"}
    assert b"Ada" in after["docs/acme.md"]
    commit(tmp_path / "churn")
    again = run("overlay", "add", overlay.path, tmp_path / "churn")
    assert "the overlay acme is there already" in again.err


def test_a_value_of_the_teams_own_stays(base: Template, overlay: Template, run: Run, tmp_path: Path) -> None:
    project = tmp_path / "churn"
    run("new", project, "--defaults")
    (project / "params.yaml").write_text(PARAMS.replace("0.02", "0.015"))
    commit(project)
    result = run("overlay", "add", overlay.path, project)
    assert "leaves params.yaml, compare.margin: 0.015 is your own value; the overlay sets 0.01" in result.err
    assert (project / "params.yaml").read_text() == PARAMS.replace("0.02", "0.015")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"template/README.md": "ours\n"}, "README.md exists in the repository already"),
        ({"template/run.sh/x": "a file inside a file\n"}, "run.sh/x exists in the repository already"),
        ({"copier.yml": "_subdirectory: template\n"}, "_answers_file: .copier-answers.NAME.yml"),
        ({"template/{{ _copier_conf.answers_file }}.jinja": None}, "_answers_file: .copier-answers.NAME.yml"),
        ({"copier.yml": "_subdirectory: template\n_tasks: [touch pwned]\n"}, "the template contains tasks"),
    ],
)
def test_an_overlay_that_would_replace_or_run_something_is_refused(
    files: dict[str, str | None], message: str, base: Template, overlay: Template, run: Run, tmp_path: Path
) -> None:
    run("new", tmp_path / "churn", "--defaults")
    before = snapshot(tmp_path / "churn")
    overlay.release("v0.2.0", files)
    result = run("overlay", "add", overlay.path, tmp_path / "churn")
    assert (result.code, message in result.err) == (2, True), result.err
    assert snapshot(tmp_path / "churn") == before
    assert run("new", tmp_path / "other", "--defaults", "--overlay", overlay.path).code == 2
    assert not (tmp_path / "other").exists()


def newer(base: Template, overlay: Template, shipped: Ship) -> None:
    base.release("v0.3.0", {MODEL: DEEPER, "template/params.yaml": PARAMS.replace("parity: 0.2", "parity: 0.3")})
    shipped()
    page = (overlay.path / PAGE).read_text().replace("# {{ product }} at acme", "# {{ product }} at Acme, Inc.")
    overlay.release("v0.2.0", {PAGE: page, GATES: "compare:\n  margin: 0.005\n", "template/acme.txt": "new\n"})


def test_one_update_brings_both_in_one_step(
    made: Path, base: Template, overlay: Template, shipped: Ship, run: Run
) -> None:
    newer(base, overlay, shipped)
    before = snapshot(made)
    dry = run("update", made, "--dry-run")
    assert "Would update from v0.2.0 to v0.3.0, overlay acme from v0.1.0 to v0.2.0" in dry.out
    assert {"~ src/churn/model.py", "~ docs/acme.md", "+ acme.txt"} <= {line.strip() for line in dry.out.splitlines()}
    assert snapshot(made) == before
    result = run("update", made)
    assert result.code == 0, result.err
    assert (made / "src/churn/model.py").read_text() == DEEPER
    assert (made / "docs/acme.md").read_text().startswith("# churn at Acme, Inc.")
    assert "margin: 0.005 # small" in (made / "params.yaml").read_text()
    assert "parity: 0.3" in (made / "params.yaml").read_text()
    commit(made)
    assert "Nothing to do" in run("update", made).out


def test_a_conflict_in_an_overlays_file_is_shown_and_marked(
    made: Path, base: Template, overlay: Template, shipped: Ship, run: Run
) -> None:
    (made / "docs/acme.md").write_text((made / "docs/acme.md").read_text().replace("# churn at acme", "# ours"))
    commit(made)
    newer(base, overlay, shipped)
    dry = run("update", made, "--dry-run", "--json")
    files = {each["path"]: each for each in json.loads(dry.out)["files"]}
    assert files["docs/acme.md"]["state"] == "conflict"
    assert "# ours" in files["docs/acme.md"]["hunks"][0]
    assert run("update", made).code == 1
    assert "UU docs/acme.md" in git(made, "status", "--porcelain")
    assert (made / "src/churn/model.py").read_text() == DEEPER


def test_conflicts_of_both_are_marked_together(
    made: Path, base: Template, overlay: Template, shipped: Ship, run: Run
) -> None:
    (made / "docs/acme.md").write_text((made / "docs/acme.md").read_text().replace("# churn at acme", "# ours"))
    (made / "src/churn/model.py").write_text(DEEPER.replace("5", "9"))
    (made / "params.yaml").write_text((made / "params.yaml").read_text().replace("parity: 0.2", "parity: 0.1"))
    commit(made)
    newer(base, overlay, shipped)
    result = run("update", made)
    assert result.code == 1
    assert "params.yaml conflicts, so its values are left to you" in result.err
    unmerged = git(made, "diff", "--name-only", "--diff-filter=U").split()
    assert unmerged == ["docs/acme.md", "params.yaml", "src/churn/model.py"]
    assert "margin: 0.01" in (made / "params.yaml").read_text()


def test_an_overlays_file_that_is_gone_goes_unless_the_team_edited_it(
    made: Path, base: Template, overlay: Template, run: Run
) -> None:
    (made / "docs/acme.md").write_text("our own page\n")
    commit(made)
    overlay.release("v0.2.0", {PAGE: None, "template/docs/runbooks/acme-outage.md.jinja": None})
    result = run("update", made)
    assert "docs/acme.md has local changes, but the template no longer has it" in result.out
    assert (made / "docs/acme.md").read_text() == "our own page\n"
    assert not (made / "docs/runbooks/acme-outage.md").exists()


def test_a_newer_overlay_that_brings_a_file_that_is_there_is_a_conflict(
    made: Path, base: Template, overlay: Template, run: Run
) -> None:
    (made / "own.txt").write_text("ours\n")
    commit(made)
    overlay.release("v0.2.0", {"template/README.md": "the overlay's\n", "template/own.txt": "theirs\n"})
    result = run("update", made)
    assert result.code == 1, result.out
    for name, line in (("README.md", "# churn"), ("own.txt", "ours")):
        assert f"! {name}" in result.out
        assert line in (made / name).read_text()
        assert "<<<<<<< " in (made / name).read_text()


def test_gates_that_conflict_leave_params_alone(made: Path, base: Template, overlay: Template, run: Run) -> None:
    (made / ".mlscaffold/acme/gates.yaml").write_text("compare:\n  margin: 0.03\n")
    commit(made)
    overlay.release("v0.2.0", {GATES: "compare:\n  margin: 0.005\n"})
    result = run("update", made)
    assert (result.code, "gates.yaml conflicts, so params.yaml is left as it is" in result.err) == (1, True)
    assert "margin: 0.01" in (made / "params.yaml").read_text()


def test_an_update_of_an_overlay_alone_makes_a_branch_of_its_name(made: Path, overlay: Template, run: Run) -> None:
    overlay.release("v0.2.0", {"template/acme.txt": "new\n"})
    result = run("update", made, "--branch", "--check", "true")
    assert result.code == 0, result.err
    assert git(made, "show", "mlscaffold/acme-v0.2.0:acme.txt") == "new\n"
    assert "overlay acme from v0.1.0 to v0.2.0" in git(made, "log", "-1", "--format=%s", "mlscaffold/acme-v0.2.0")
    assert git(made, "status", "--porcelain") == ""


def test_two_overlays_are_updated_in_the_order_of_their_names(
    made: Path, overlay: Template, run: Run, tmp_path: Path
) -> None:
    run("overlay", "new", tmp_path / "bee")
    bee = Template(tmp_path / "bee")
    assert run("overlay", "add", bee.path, made).code == 0
    commit(made)
    bee.release("v0.2.0", {"template/bee.txt": "b\n"})
    overlay.release("v0.3.0", {"template/acme.txt": "a\n"})
    result = run("update", made)
    assert "overlay acme from v0.1.0 to v0.3.0, overlay bee from v0.1.0 to v0.2.0" in result.out
    assert (made / "bee.txt").exists()
    assert (made / "acme.txt").exists()


@pytest.mark.parametrize(("name", "times"), [("_write_record", 0), ("_replace", 1), ("_replace", 3)])
def test_killed_it_is_as_before_or_the_next_update_brings_both(
    name: str, times: int, made: Path, base: Template, overlay: Template, shipped: Ship, run: Run
) -> None:
    overlay.release("v0.2.0", {"template/acme.txt": "new\n", GATES: "compare:\n  margin: 0.005\n"})
    before = snapshot(made)
    killed(made, name, times)
    if name == "_write_record":
        assert snapshot(made) == before
    assert run("update", made).code == 0
    assert (made / "acme.txt").read_text() == "new\n"
    assert "margin: 0.005" in (made / "params.yaml").read_text()


def test_plain_copier_updates_an_overlay_by_its_answers_file(made: Path, overlay: Template) -> None:
    overlay.release("v0.2.0", {"template/acme.txt": "new\n"})
    words = [sys.executable, "-m", "copier", "update", "--defaults", "--answers-file", ".copier-answers.acme.yml"]
    done = subprocess.run(words, cwd=made, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (made / "acme.txt").read_text() == "new\n"


def test_an_overlay_that_brings_a_link_is_refused(base: Template, overlay: Template, run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    (overlay.path / "template/leak.txt").symlink_to(tmp_path / "secret")
    overlay.release("v0.2.0", {"copier.yml": (overlay.path / "copier.yml").read_text() + "_preserve_symlinks: true\n"})
    result = run("new", tmp_path / "churn", "--defaults", "--overlay", overlay.path)
    assert (result.code, "the overlay contains links (leak.txt)" in result.err) == (2, True), result.err
    assert not (tmp_path / "churn").exists()


def test_an_update_that_was_cut_off_is_finished_first(
    made: Path, base: Template, overlay: Template, shipped: Ship, run: Run, tmp_path: Path
) -> None:
    overlay.release("v0.2.0", {"template/acme.txt": "new\n"})
    killed(made, "_run_record", 0)
    run("overlay", "new", tmp_path / "bee")
    assert "`mlscaffold update` completes it" in run("overlay", "add", tmp_path / "bee", made).err
    assert "it is complete now" in run("update", made).out
    assert (made / "acme.txt").exists()


def test_an_overlay_out_of_reach_is_named(made: Path, overlay: Template, run: Run, tmp_path: Path) -> None:
    overlay.path.rename(tmp_path / "moved")
    result = run("update", made)
    assert (result.code, "overlay acme (.copier-answers.acme.yml): there is no template" in result.err) == (2, True)


def test_an_overlay_in_a_folder_of_a_larger_repository(
    made: Path, base: Template, overlay: Template, shipped: Ship, run: Run, tmp_path: Path
) -> None:
    outer = tmp_path / "monorepo"
    outer.mkdir()
    git(outer, "init", "-q")
    (made / ".git").rename(tmp_path / "gone")
    made.rename(outer / "churn")
    commit(outer)
    newer(base, overlay, shipped)
    result = run("update", outer / "churn")
    assert result.code == 0, result.err
    assert (outer / "churn/acme.txt").exists()
    assert "margin: 0.005" in (outer / "churn/params.yaml").read_text()


def test_the_released_standard_with_an_overlay_passes_all_checks_and_is_updated(
    run: Run, overlay: Template, tmp_path: Path
) -> None:
    older, newest = list(tags(BUNDLE))[-2:]
    project = tmp_path / "penguins"
    assert run("new", project, "--defaults", "--ref", older, "--overlay", overlay.path).code == 0
    assert "margin: 0.01 # PASS" in (project / "params.yaml").read_text()
    overlay.release("v0.2.0", {GATES: "compare:\n  margin: 0.005\n"})
    result = run("update", project)
    assert result.code == 0, result.out
    assert f"from {older} to {newest}, overlay acme from v0.1.0 to v0.2.0" in result.out
    assert "margin: 0.005 # PASS" in (project / "params.yaml").read_text()
    commit(project)
    found = json.loads(run("check", project, "--format", "json").out)
    assert found["families"]["OR"]["score"] == 100
    assert found["score"] == 100
