"""`mlscaffold fleet`: real repositories of a tiny template, looked at and updated by the command line."""

import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import FILES, Result, Run, Template, git

MODEL = "template/src/{{ package }}/model.py"
MAKEFILE = "lint:\n\t@true\n\ntest:\n\t@echo ran >> ../ran.txt; test ! -e broken\n"
Fleet = Callable[..., Result]


@pytest.fixture
def root(tmp_path: Path, template: Template, run: Run) -> Path:
    """Three repositories of v0.1.1, of which beta has edits where v0.2.0 has them too; v0.2.0 is released."""
    template.release("v0.1.1", {"template/Makefile": MAKEFILE})
    folder = tmp_path / "fleet"
    for name in ("alpha", "beta", "gamma"):
        assert run("new", folder / name, "--defaults", "--template", template.path).code == 0
    (folder / "beta" / "src/beta/model.py").write_text("depth = 99\n")
    git(folder / "beta", "commit", "-qam", "ours")
    template.release("v0.2.0", {MODEL: "depth = 5\n", "template/new.txt": "new\n"})
    return folder


@pytest.fixture
def fleet(root: Path, template: Template, run: Run, tmp_path: Path) -> Fleet:
    listed = tmp_path / "fleet.toml"
    listed.write_text(f'root = "fleet"\ntemplate = "{template.path}"\nrepositories = ["*"]\n')

    def running(command: str, *words: str) -> Result:
        where = ["--file", listed] if command in ("status", "check", "update") else []
        cache = ["--cache", tmp_path / "cache"] if where else []
        return run("fleet", command, *where, "--db", tmp_path / "fleet.db", *cache, *words)

    return running


def rows(result: Result) -> dict[str, dict[str, object]]:
    records: dict[str, dict[str, object]] = json.loads(result.out)
    return records


def branches(folder: Path) -> list[str]:
    return git(folder, "branch", "--format=%(refname:short)").split()


def test_status_says_where_each_repository_stands(fleet: Fleet, root: Path) -> None:
    run = root / "gamma" / "experiments" / "abc.json"
    run.parent.mkdir()
    run.write_text('{"status": "rejected", "when": "2026-11-20T10:00:00+00:00"}')
    (root / "gamma" / "experiments" / "old.json").write_text('{"status": "blessed", "when": "2026-10-01"}')
    (root / "gamma" / "params.yaml").write_text("drift:\n  column: null\n")
    (root / "gamma" / "waivers.yaml").write_text("- {gate: drift.column, reason: x, owner: Ada, expires: 2026-01-01}\n")
    git(root / "gamma", "rm", "-q", "run.sh")
    git(root / "gamma", "add", "--all")
    git(root / "gamma", "commit", "-qm", "work")
    found = rows(fleet("status", "--json"))
    assert list(found) == ["alpha", "beta", "gamma"]
    alpha, beta, gamma = found.values()
    assert (alpha["version"], alpha["behind"], alpha["changed"], alpha["at_risk"]) == ("v0.1.1", 1, 0, 0)
    assert (beta["changed"], beta["deleted"], beta["at_risk"], beta["conflicts"]) == (1, 0, 1, None)
    assert (gamma["changed"], gamma["deleted"]) == (0, 1)
    assert (gamma["verdict"], gamma["judged"]) == ("rejected", "2026-11-20")
    assert gamma["gates_off"] == ["drift.column is None: it never fails"]
    assert gamma["expired"] == ["the waiver of drift.column has expired on 2026-01-01"]
    assert gamma["commit"] == git(root / "gamma", "rev-parse", "HEAD").strip()


def test_what_is_not_committed_does_not_count(fleet: Fleet, root: Path) -> None:
    (root / "alpha" / "src/alpha/model.py").write_text("depth = 7\n")
    assert rows(fleet("status", "--json"))["alpha"]["changed"] == 0


def test_conflicts_are_tried_when_asked_for_and_kept(fleet: Fleet, root: Path) -> None:
    before = {name: git(root / name, "status", "--porcelain", "--branch") for name in ("alpha", "beta")}
    found = rows(fleet("status", "--json", "--conflicts"))
    assert found["alpha"]["conflicts"] == []
    assert found["beta"]["conflicts"] == ["src/beta/model.py"]
    assert {name: git(root / name, "status", "--porcelain", "--branch") for name in before} == before
    assert rows(fleet("status", "--json"))["beta"]["conflicts"] == ["src/beta/model.py"]
    git(root / "beta", "commit", "-q", "--allow-empty", "-m", "another commit")
    assert rows(fleet("status", "--json"))["beta"]["conflicts"] is None


def test_a_look_that_was_cut_off_goes_on_with_what_is_asked_now(fleet: Fleet, root: Path) -> None:
    fleet("status")
    with sqlite3.connect(root.parent / "fleet.db") as db:
        db.execute("DELETE FROM results WHERE name = 'alpha'")
    found = rows(fleet("status", "--json", "--conflicts"))
    assert found["beta"]["conflicts"] == ["src/beta/model.py"], "it had its row before conflicts were asked for"
    with sqlite3.connect(root.parent / "fleet.db") as db:
        assert db.execute("SELECT COUNT(*) FROM runs").fetchone() == (1,)


def test_a_repository_that_cannot_be_read_is_a_row_and_exit_code_1(fleet: Fleet, root: Path) -> None:
    (root / "empty" / ".git").mkdir(parents=True)
    result = fleet("status")
    assert result.code == 1
    assert "empty" in result.err
    assert "is not a git repository with a commit" in result.out
    assert "alpha" in result.out


def test_progress_in_a_pipe_is_plain_lines(fleet: Fleet) -> None:
    assert fleet("status").err.splitlines()[-1] == "Looking at repositories: 3 of 3"


def read_on(terminal: int) -> str:
    try:
        return os.read(terminal, 4096).decode(errors="replace")
    except OSError:  # nobody writes to it any more
        return ""


def test_progress_on_a_terminal_is_a_bar(fleet: Fleet, root: Path, tmp_path: Path) -> None:
    (root / "empty" / ".git").mkdir(parents=True)
    ours, theirs = pty.openpty()
    where = ["--file", tmp_path / "fleet.toml", "--db", tmp_path / "fleet.db"]
    words = [sys.executable, "-m", "mlscaffold", "fleet", "status", *where]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        output = "".join(iter(lambda: read_on(ours), ""))
    os.close(ours)
    assert process.returncode == 1
    assert "4/4" in output
    assert "empty: is not a git repository" in output


def test_a_long_list_shows_the_worst_and_how_many_more(fleet: Fleet, root: Path) -> None:
    for number in range(24):
        (root / f"team-with-quite-a-long-name-that-goes-on-and-on-and-on-and-on/{number:02}" / ".git").mkdir(
            parents=True
        )
    listed = root.parent / "fleet.toml"
    listed.write_text(listed.read_text().replace('["*"]', '["*", "*/*"]'))
    result = fleet("status")
    assert "27 repositories: 3 behind, 24 not looked at" in result.out
    assert "and 7 more; --json and `mlscaffold fleet report` have all" in result.out
    line = next(line for line in result.out.splitlines() if "and-on/00" in line)
    assert line.startswith("...")
    assert line.index("  is not a git repository") == 50


def test_a_look_that_was_cut_off_goes_on(fleet: Fleet, root: Path, tmp_path: Path) -> None:
    assert fleet("status").code == 0
    with sqlite3.connect(tmp_path / "fleet.db") as db:
        db.execute("DELETE FROM results WHERE name = 'beta'")
        db.execute("UPDATE runs SET expected = 3")
    (root / "alpha" / "late.txt").write_text("late")
    git(root / "alpha", "add", "--all")
    git(root / "alpha", "commit", "-qm", "late")
    found = rows(fleet("status", "--json"))
    assert list(found) == ["alpha", "beta", "gamma"]
    assert found["alpha"]["commit"] != git(root / "alpha", "rev-parse", "HEAD").strip()  # it had been looked at before
    with sqlite3.connect(tmp_path / "fleet.db") as db:
        assert db.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    assert rows(fleet("status", "--json"))["alpha"]["commit"] == git(root / "alpha", "rev-parse", "HEAD").strip()


def test_check_names_what_fails_and_where(fleet: Fleet) -> None:
    result = fleet("check")
    assert result.code == 1
    assert "LH004 The code has tests that assert (high): alpha, beta, gamma" in result.out
    assert "Not good enough: 3" in result.out
    assert fleet("check", "--fail-under", "1").code == 0
    report = json.loads(fleet("check", "--json", "--fail-under", "100").out)
    assert report["short"] == ["alpha", "beta", "gamma"]


def test_update_puts_a_branch_into_each_repository(fleet: Fleet, root: Path) -> None:
    before = {name: git(root / name, "status", "--porcelain", "--branch") for name in ("alpha", "beta", "gamma")}
    result = fleet("update")
    assert result.code == 1  # beta's conflicts are left to a person
    assert "alpha: proposed (mlscaffold/v0.2.0)" in result.out
    assert "beta: conflicts (src/beta/model.py)" in result.out
    for name in ("alpha", "beta", "gamma"):
        assert "mlscaffold/v0.2.0" in branches(root / name)
        assert git(root / name, "status", "--porcelain", "--branch") == before[name]
        assert git(root / name, "fsck", "--connectivity-only") == ""
    assert git(root / "alpha", "show", "mlscaffold/v0.2.0:src/alpha/model.py") == "depth = 5\n"
    text = (root / "alpha" / ".git" / "mlscaffold-pull-request.md").read_text()
    assert text.startswith("# Update the standard from v0.1.1 to v0.2.0")
    assert "- `make test` passed" in text
    again = fleet("update")
    assert "beta: waiting (there is a branch mlscaffold/v0.2.0 already" in again.out
    assert "2 had been done before" in again.out


def test_an_edit_of_a_module_that_the_template_drops_is_left_to_a_person(
    fleet: Fleet, root: Path, template: Template
) -> None:
    template.release("v0.3.0", {MODEL: None})
    patch = "vendor/edits/src/beta/model.py.patch"
    assert rows(fleet("status", "--json", "--conflicts"))["beta"]["conflicts"] == [patch]
    result = fleet("update", "--no-checks")
    assert (result.code, f"beta: conflicts ({patch})" in result.out) == (1, True)
    assert "alpha: proposed (mlscaffold/v0.3.0)" in result.out
    assert "+depth = 99" in git(root / "beta", "show", f"mlscaffold/v0.3.0:{patch}")
    git(root / "beta", "merge", "-q", "mlscaffold/v0.3.0")
    template.release("v0.4.0", {"template/more.txt": "more\n"})
    assert f"beta: conflicts ({patch})" in fleet("update", "--no-checks").out, "it waits for the decision"


def test_only_clean_leaves_out_what_needs_a_person(fleet: Fleet, root: Path) -> None:
    result = fleet("update", "--only-clean", "--no-checks")
    assert "beta: left out (src/beta/model.py)" in result.out
    assert branches(root / "beta") == ["main"]
    assert "mlscaffold/v0.2.0" in branches(root / "alpha")


def test_the_canary_goes_first_and_stops_the_others(fleet: Fleet, root: Path) -> None:
    (root / "alpha" / "broken").write_text("")
    git(root / "alpha", "add", "--all")
    git(root / "alpha", "commit", "-qm", "broken")
    result = fleet("update", "--canary", "1", "--only-clean")
    assert result.code == 1
    assert "alpha: checks failed (make test)" in result.out
    assert "Stopped: the canary's checks did not pass; 2 were left as they are" in result.out
    assert branches(root / "gamma") == ["main"]
    git(root / "alpha", "rm", "-q", "broken")
    git(root / "alpha", "commit", "-qm", "fixed")
    git(root / "alpha", "branch", "-qD", "mlscaffold/v0.2.0")
    result = fleet("update", "--canary", "1", "--only-clean")
    assert "gamma: proposed" in result.out
    assert "mlscaffold/v0.2.0" in branches(root / "gamma")


def test_a_canary_that_was_not_checked_lets_nobody_follow(fleet: Fleet, root: Path) -> None:
    (root / "alpha" / "src/alpha/model.py").write_text("depth = 99\n")
    git(root / "alpha", "commit", "-qam", "ours too")
    result = fleet("update", "--canary", "1", "--only-clean")
    assert "Stopped" in result.out
    assert branches(root / "gamma") == ["main"]


def test_a_local_file_where_the_template_adds_one_stays_out_of_the_branch(fleet: Fleet, root: Path) -> None:
    (root / "alpha" / ".git" / "info" / "exclude").write_text("new.txt\n")
    (root / "alpha" / "new.txt").write_text("my secret")
    assert "alpha: proposed" in fleet("update").out
    assert "new.txt" not in git(root / "alpha", "ls-tree", "-r", "--name-only", "mlscaffold/v0.2.0")
    assert "`new.txt` is a local file" in (root / "alpha" / ".git" / "mlscaffold-pull-request.md").read_text()


def test_a_repository_of_another_template_is_left_alone(fleet: Fleet, root: Path, run: Run, tmp_path: Path) -> None:
    (elsewhere := tmp_path / "elsewhere").mkdir()
    git(elsewhere, "init", "-q")
    other = Template(elsewhere).release("v0.1.1", FILES)
    assert run("new", root / "other", "--defaults", "--template", other.path).code == 0
    found = rows(fleet("status", "--json"))["other"]
    assert (found["version"], found["behind"], found["changed"]) == ("v0.1.1", None, None)
    assert "other" not in fleet("update", "--no-checks").out
    assert branches(root / "other") == ["main"]


def test_a_folder_inside_a_repository_is_one_of_the_fleet(fleet: Fleet, root: Path, tmp_path: Path) -> None:
    whole = root / "mono"
    (whole / "team").mkdir(parents=True)
    git(whole, "init", "-q")
    (root / "alpha").rename(whole / "team" / "alpha")
    (whole / "team" / "alpha" / ".git").rename(tmp_path / "was.git")
    git(whole, "add", "--all")
    git(whole, "commit", "-qm", "together")
    (tmp_path / "fleet.toml").write_text((tmp_path / "fleet.toml").read_text().replace('["*"]', '["mono/team/alpha"]'))
    assert rows(fleet("status", "--json"))["mono/team/alpha"]["version"] == "v0.1.1"
    assert "mono/team/alpha: proposed" in fleet("update", "--no-checks").out
    assert git(whole, "show", "mlscaffold/v0.2.0:team/alpha/src/alpha/model.py") == "depth = 5\n"


def test_the_shards_give_the_same_report_as_one_machine(fleet: Fleet, run: Run, tmp_path: Path) -> None:
    matrix = (
        json.loads(fleet("matrix", "--shards", "2", "--run", "look").out)
        if False
        else json.loads(run("fleet", "matrix", "--shards", "2", "--run", "look").out)
    )
    assert matrix == {"include": [{"shard": "1/2", "run": "look"}, {"shard": "2/2", "run": "look"}]}
    stores = []
    for each in matrix["include"]:
        stores.append(tmp_path / f"shard{each['shard'][0]}.db")
        words = ("--db", stores[-1], "--shard", each["shard"], "--run", each["run"], "--file", tmp_path / "fleet.toml")
        assert run("fleet", "status", *words).code == 0
    assert fleet("status", "--json").code == 0
    with sqlite3.connect(tmp_path / "fleet.db") as db:  # the same moment and name
        begun = sqlite3.connect(stores[0]).execute("SELECT begun FROM runs").fetchone()[0]
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("UPDATE runs SET id = 'look', begun = ?", (begun,))
        db.execute("UPDATE results SET run = 'look'")
    one, many = tmp_path / "one.html", tmp_path / "many.html"
    assert fleet("report", "--output", str(one)).code == 0
    assert run("fleet", "report", *stores, "--output", many).code == 0
    assert "Fleet of 3 repositories" in one.read_text()
    assert one.read_text() == many.read_text()


def test_shard_and_run_go_together(fleet: Fleet) -> None:
    assert "--shard and --run go together" in fleet("status", "--shard", "1/2").err
    assert "write the second of five as 2/5" in fleet("status", "--shard", "3/2", "--run", "x").err


def test_a_store_that_is_something_else_is_refused(fleet: Fleet, tmp_path: Path, run: Run) -> None:
    (tmp_path / "fleet.db").write_text("not a database, and long enough to be taken for none at all" * 40)
    assert "cannot be used" in fleet("status").err
    with sqlite3.connect(tmp_path / "other.db") as db:
        db.execute("CREATE TABLE mine (x)")
    assert "holds something else" in run("fleet", "report", "--db", tmp_path / "other.db").err
    with sqlite3.connect(tmp_path / "newer.db") as db:
        db.execute("PRAGMA user_version = 99")
    assert "written by a newer mlscaffold" in run("fleet", "report", "--db", tmp_path / "newer.db").err
    assert "`mlscaffold fleet status` writes it" in run("fleet", "report", "--db", tmp_path / "none.db").err
