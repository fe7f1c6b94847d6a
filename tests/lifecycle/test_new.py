"""`mlscaffold new`: whole or not at all, with a first commit whatever git's configuration."""

import hashlib
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from conftest import FILES, Run, Template, git
from mlscaffold import dataset, new, show

Ship = Callable[..., Path]


def test_a_project_is_rendered_committed_and_clean(project: Path) -> None:
    assert (project / "README.md").read_text() == "# churn\n\nby the team\n\nthe end\n"
    assert git(project, "status", "--porcelain") == ""
    assert git(project, "log", "--format=%an %s").strip() == "Ada churn: made by mlscaffold from template v0.1.0"
    assert git(project, "branch", "--show-current").strip() == "main"
    assert os.access(project / "run.sh", os.X_OK)
    assert sorted(project.parent.glob(".churn*")) == []


def test_the_answers_point_at_the_bundle_inside(project: Path) -> None:
    answers = (project / ".copier-answers.yml").read_text()
    assert "_src_path: .mlscaffold/template.bundle" in answers
    assert "_commit: v0.1.0" in answers


def test_both_ways_in_give_the_same_tree(project: Path, template: Template, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "copier", "copy", "--defaults", "-d", "name=churn", "--vcs-ref", "v0.1.0"]
    subprocess.run([*words, str(template.path), str(tmp_path / "plain")], check=True, capture_output=True)

    def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
        files = [path for path in folder.rglob("*") if path.is_file()]
        inside = {path.relative_to(folder).as_posix(): path for path in files}
        ours = {".copier-answers.yml", ".mlscaffold/template.bundle"}
        return {
            name: (path.read_bytes(), path.stat().st_mode)
            for name, path in inside.items()
            if name not in ours and not name.startswith(".git/")
        }

    assert tree(project) == tree(tmp_path / "plain")


@pytest.mark.parametrize(
    "config",
    [
        "[commit]\n\tgpgSign = true\n[user]\n\tsigningKey = nobody\n",
        "[core]\n\tautocrlf = true\n\tsafecrlf = true\n",
        "[core]\n\texcludesFile = {home}/excludes\n",
        "[core]\n\thooksPath = {home}/hooks\n",
        "[init]\n\ttemplateDir = {home}/template\n",
        "[core]\n\tfsmonitor = {home}/hooks/pre-commit\n",
    ],
)
def test_a_users_habits_do_not_break_the_first_commit(
    config: str, home: Path, run: Run, shipped: Ship, tmp_path: Path
) -> None:
    for folder in (home / "hooks", home / "template" / "hooks"):
        folder.mkdir(parents=True)
        (folder / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
        (folder / "pre-commit").chmod(0o755)
    (home / "excludes").write_text("*.md\n.gitignore\n")
    (home / "gitconfig").open("a").write(config.format(home=home))
    shipped()
    assert run("new", tmp_path / "churn", "--defaults").code == 0
    assert git(tmp_path / "churn", "-c", "core.fsmonitor=false", "status", "--porcelain") == ""
    assert "README.md" in git(tmp_path / "churn", "ls-files")


def test_without_an_identity_it_says_which_one_was_used(
    home: Path, run: Run, shipped: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    monkeypatch.delenv("EMAIL", raising=False)
    shipped()
    result = run("new", tmp_path / "churn", "--defaults")
    assert "the first commit is by mlscaffold <mlscaffold@localhost>" in result.err
    assert git(tmp_path / "churn", "log", "--format=%ae").strip() == "mlscaffold@localhost"


def test_it_works_inside_a_hook_of_another_repository(
    run: Run, shipped: Ship, template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped()
    before = git(template.path, "rev-parse", "HEAD")
    with monkeypatch.context() as hook:
        hook.setenv("GIT_DIR", str(template.path / ".git"))
        hook.setenv("GIT_INDEX_FILE", str(template.path / ".git" / "index"))
        hook.setenv("GIT_CONFIG_COUNT", "1")
        hook.setenv("GIT_CONFIG_KEY_0", "user.name")
        hook.setenv("GIT_CONFIG_VALUE_0", "Grace")
        assert run("new", tmp_path / "churn", "--defaults").code == 0
    assert git(template.path, "rev-parse", "HEAD") == before
    assert git(tmp_path / "churn", "log", "--format=%an").strip() == "Grace"


def test_own_data_brings_contract_table_and_pointer(run: Run, table: Path, tmp_path: Path) -> None:
    result = run("new", tmp_path / "churn", "--data", table, "--target", "churned", "--protected", "sex", "--defaults")
    assert result.code == 0, result.err
    project = tmp_path / "churn"
    assert (project / "data" / "raw.csv").read_bytes() == table.read_bytes()
    assert "role: protected" in (project / "contract.yaml").read_text()
    pointer = (project / "data" / "raw.csv.dvc").read_text()
    assert pointer.endswith(f"  size: {table.stat().st_size}\n  hash: md5\n  path: raw.csv\n")
    assert git(project, "status", "--porcelain") == ""
    tracked = git(project, "ls-files").split()
    assert "data/raw.csv.dvc" in tracked
    assert "data/raw.csv" not in tracked
    assert "task: classification" in result.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data", "{table}"], "its columns are: age, sex, churned"),
        (["--data", "{table}", "--target", "chured"], "did you mean 'churned'?"),
        (["--data", "nowhere.csv", "--target", "x"], "no file nowhere.csv"),
        (["-d", "ownr=me"], "did you mean owner?"),
        (["-d", "owner"], "write -d NAME=VALUE"),
        (["-d", "owner=nobody"], "somebody must own it"),
        (["--answers", "nowhere.yaml"], "no file of answers"),
        (["--positive", "Yes"], "give --data too"),
        (["--template", "nowhere"], "no template at nowhere"),
        (["--ref", "v9.9.9"], "no version v9.9.9"),
    ],
)
def test_an_error_is_one_message_and_leaves_nothing(
    words: list[str], message: str, run: Run, shipped: Ship, table: Path, tmp_path: Path
) -> None:
    shipped()
    target = tmp_path / "deep" / "er" / "churn"
    result = run("new", target, "--defaults", *(word.format(table=table) for word in words))
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err
    assert not (tmp_path / "deep").exists()


def test_a_template_without_a_default_is_asked_for(run: Run, template: Template, shipped: Ship, tmp_path: Path) -> None:
    template.release("v0.2.0", {"copier.yml": FILES["copier.yml"] + "region: {type: str}\n"})
    shipped()
    result = run("new", tmp_path / "churn", "--defaults")
    assert (result.code, (tmp_path / "churn").exists()) == (2, False)
    assert '"region" is required' in result.err


def test_a_folder_that_is_not_empty_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "churn").mkdir()
    (tmp_path / "churn" / "thesis.tex").touch()
    result = run("new", tmp_path / "churn", "--defaults")
    assert (result.code, "is not empty" in result.err) == (2, True)
    assert [path.name for path in (tmp_path / "churn").iterdir()] == ["thesis.tex"]


def test_a_file_in_the_way_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "churn").touch()
    assert "is a file" in run("new", tmp_path / "churn").err
    assert "is a file" in run("new", tmp_path / "churn" / "inside").err


def test_an_empty_folder_is_filled_in_place(
    run: Run, shipped: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "churn").mkdir()
    shipped()
    monkeypatch.chdir(tmp_path / "churn")
    assert run("new", ".", "--defaults").code == 0
    assert (Path.cwd() / "README.md").exists()
    assert not list(Path.cwd().glob(".churn-*"))


def test_a_failure_while_filling_a_folder_takes_everything_back(
    run: Run, shipped: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "churn").mkdir()
    shipped()
    rename, moved = Path.rename, []

    def fails_at_the_third(self: Path, target: Path) -> Path:
        moved.append(self)
        if len(moved) == 3:
            raise OSError("disk full")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails_at_the_third)
    result = run("new", tmp_path / "churn", "--defaults")
    assert (result.code, "--debug" in result.err) == (70, True)
    assert list((tmp_path / "churn").iterdir()) == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interruption_leaves_nothing_behind(name: str, tmp_path: Path) -> None:
    code = (
        "import os, signal, mlscaffold.new as new\n"
        f"new.first_commit = lambda *_: os.kill(os.getpid(), signal.{name})\n"
        "from mlscaffold.cli import main; main()"
    )
    words = [sys.executable, "-c", code, "new", str(tmp_path / "a" / "churn"), "--defaults"]
    assert subprocess.run(words, capture_output=True, check=False).returncode in (130, 143)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("brings", "line"),
    [
        ("tasks", "_tasks: [touch pwned]"),
        ("migrations", "_migrations: [{version: v0.2.0, command: touch pwned}]"),
        ("jinja_extensions", "_jinja_extensions: [jinja2.ext.do]"),
    ],
)
def test_an_unsafe_template_is_refused(brings: str, line: str, run: Run, template: Template, tmp_path: Path) -> None:
    template.release("v0.2.0", {"copier.yml": f"{FILES['copier.yml']}{line}\n"})
    result = run("new", tmp_path / "churn", "--defaults", "--template", template.path)
    assert (result.code, f"the template contains {brings}" in result.err) == (2, True)
    assert not (tmp_path / "churn").exists()


def test_an_update_to_an_unsafe_template_is_refused(run: Run, template: Template, tmp_path: Path) -> None:
    project = tmp_path / "churn"
    assert run("new", project, "--defaults", "--template", template.path).code == 0
    template.release("v0.2.0", {"copier.yml": FILES["copier.yml"] + "_tasks: [touch pwned]\n"})
    result = run("update", project)
    assert (result.code, "the template contains tasks" in result.err) == (2, True)
    assert git(project, "status", "--porcelain") == ""


def test_a_template_of_ones_own_is_recorded(run: Run, template: Template, tmp_path: Path) -> None:
    assert run("new", tmp_path / "churn", "--defaults", "--template", template.path).code == 0
    answers = (tmp_path / "churn" / ".copier-answers.yml").read_text()
    assert f"_src_path: {template.path}" in answers
    assert not (tmp_path / "churn" / ".mlscaffold").exists()


def test_a_url_out_of_reach_is_served_from_the_bundle(run: Run, shipped: Ship, tmp_path: Path) -> None:
    shipped()
    url = "http://127.0.0.1:9/ml/template"
    result = run("new", tmp_path / "churn", "--defaults", "--template", url)
    assert result.code == 0, result.err
    assert "out of reach; used version v0.1.0" in result.err
    assert f"_src_path: git+{url}" in (tmp_path / "churn" / ".copier-answers.yml").read_text()


def test_names_are_derived_and_said(run: Run, shipped: Ship, tmp_path: Path) -> None:
    shipped()
    result = run("new", tmp_path / "json", "--defaults")
    assert "json_model: json would hide a module of the standard library" in result.err
    assert (tmp_path / "json" / "src" / "json_model").is_dir()
    assert "with a letter" in run("new", tmp_path / "123", "--defaults").err


def test_questions_are_asked_where_there_is_a_terminal(
    run: Run, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = iter([str(table), "churned", "sex", "", ""])
    questions = []

    def reply(question: str, explained: str, default: str | None) -> str:
        questions.append(question)
        return next(replies)

    monkeypatch.setattr(show, "interactive", lambda: True)
    monkeypatch.setattr(show, "ask", reply)
    assert run("new", tmp_path / "churn").code == 0
    assert questions == ["data", "target", "protected", "time", "id"]
    assert "target: churned" in (tmp_path / "churn" / ".copier-answers.yml").read_text()


def test_all_questions_show_the_rest_with_their_defaults(tmp_path: Path) -> None:
    output = entered(["new", str(tmp_path / "churn"), "--all-questions"])
    for question in (
        "The Python that CI uses",
        "The forge whose CI runs",
        "Where DVC keeps data",
        "container registry",
    ):
        assert question in output
    answers = (tmp_path / "churn" / ".copier-answers.yml").read_text()
    assert "storage_url: ../churn-storage" in answers


def entered(words: list[str]) -> str:
    """Run mlscaffold in a terminal, press enter whenever it waits, and give what it said."""
    ours, its = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "mlscaffold", *words], stdin=its, stdout=its, stderr=its, env=environ
    )
    os.close(its)
    output, late = b"", time.monotonic() + 120
    while process.poll() is None and time.monotonic() < late:
        if select.select([ours], [], [], 0.5)[0]:
            with suppress(OSError):  # the terminal is gone with its last process
                output += os.read(ours, 65536)
        else:
            os.write(ours, b"\r")
    os.close(ours)
    assert process.wait(5) == 0, output.decode()
    return output.decode()


def test_the_example_needs_one_question(
    run: Run, shipped: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped()
    monkeypatch.setattr(show, "interactive", lambda: True)
    monkeypatch.setattr(show, "ask", lambda *question: question[-1] or "")
    assert run("new", tmp_path / "churn").code == 0


def test_ship_goes_on_with_make(run: Run, template: Template, shipped: Ship, tmp_path: Path) -> None:
    template.release("v0.2.0", {"template/Makefile": "ship:\n\t@touch shipped; exit 3\n"})
    shipped()
    assert run("new", tmp_path / "churn", "--defaults", "--ship").code == 2  # make's own exit code
    assert (tmp_path / "churn" / "shipped").exists()


def test_ship_without_make_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Exception, match="make is not installed"):
        new.ship(tmp_path)


def test_no_git_config_is_asked_for_each_file(
    run: Run, shipped: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped()
    log = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE", str(log))
    assert run("new", tmp_path / "churn", "--defaults").code == 0
    assert "core.fileMode" not in log.read_text()


def test_a_real_repository_is_made_in_a_moment(run: Run, tmp_path: Path) -> None:
    began = time.monotonic()
    assert run("new", tmp_path / "churn", "--defaults").code == 0
    assert time.monotonic() - began < 20


def test_what_dvc_would_write_is_written(tmp_path: Path) -> None:
    # As `dvc add` (3.67) writes it; template/data/raw.csv.dvc, made by dvc itself, has the same form.
    example = Path(__file__).parents[2] / "template" / "data" / "raw.csv.dvc"
    data = example.with_suffix("").read_bytes()
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert dataset.pointer("raw.csv", digest, len(data)) == example.read_text()


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the kernel does not count what a process writes")
def test_a_large_table_is_written_once(run: Run, tmp_path: Path, shipped: Ship) -> None:
    shipped()
    big = tmp_path / "big.csv"
    big.write_bytes(b"number,age,left\n" + b"".join(b"%d,%d,no\n1,7,yes\n" % (i, i % 90) for i in range(10**6)))
    before, size = written(), big.stat().st_size
    assert run("new", tmp_path / "churn", "--data", big, "--target", "left", "--defaults").code == 0
    assert size < written() - before < size + 10_000_000  # the rest is the repository itself
    copy = tmp_path / "churn" / "data" / "raw.csv"
    assert copy.stat().st_size == size
    assert copy.stat().st_nlink == 1  # who edits the original does not change what has a version


def written() -> int:
    return int(dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())["wchar"])
