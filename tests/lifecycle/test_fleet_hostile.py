"""A hostile repository in a fleet runs no code and costs one row: what is planted would leave a mark if it ran."""

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Run, Template, git
from mlscaffold.checks.repository import EXPANDED, Repository
from mlscaffold.fleet import committed, running
from mlscaffold.git import read

MODEL = "template/src/{{ package }}/model.py"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name}\n  <<: [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture
def root(tmp_path: Path, template: Template, run: Run) -> Path:
    folder = tmp_path / "fleet"
    for name in ("good", "hostile"):
        assert run("new", folder / name, "--defaults", "--template", template.path).code == 0
    template.release("v0.2.0", {MODEL: "depth = 5\n"})
    (tmp_path / "fleet.toml").write_text(f'root = "fleet"\ntemplate = "{template.path}"\nrepositories = ["*"]\n')
    return folder


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """What a command that runs leaves behind."""
    return tmp_path / "ran"


@pytest.fixture
def command(tmp_path: Path, mark: Path) -> str:
    script = tmp_path / "planted.sh"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >> {mark}\n[ -t 0 ] || cat\n')
    script.chmod(0o755)
    return str(script)


@pytest.fixture
def look(run: Run, tmp_path: Path) -> Callable[..., dict[str, dict[str, Any]]]:
    def looking(*words: str) -> dict[str, dict[str, Any]]:
        where = ("--file", tmp_path / "fleet.toml", "--db", tmp_path / "fleet.db", "--cache", tmp_path / "cache")
        result = run("fleet", "status", "--json", *where, *words)
        assert "Traceback" not in result.err
        records: dict[str, dict[str, Any]] = json.loads(result.out)
        assert records["good"]["error"] == ""
        assert records["good"]["behind"] == 1
        return records

    return looking


def hooks(hostile: Path, command: str) -> None:
    names = (
        "post-checkout",
        "pre-commit",
        "reference-transaction",
        "post-index-change",
        "post-merge",
        "fsmonitor-watchman",
    )
    for name in names:
        hook = hostile / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.unlink(missing_ok=True)
        hook.symlink_to(command)


def hooks_path(hostile: Path, command: str) -> None:
    hooks(hostile, command)
    (hostile / ".git" / "hooks").rename(hostile / "own-hooks")
    git(hostile, "config", "core.hooksPath", "own-hooks")


def attributes(hostile: Path, command: str) -> None:
    """Filters, text conversions, differs and mergers for every file."""
    commit(hostile, ".gitattributes", b"* filter=x diff=x merge=x\n")
    (hostile / ".git" / "info").mkdir(exist_ok=True)
    (hostile / ".git" / "info" / "attributes").write_text("* filter=x diff=x merge=x\n")
    for key in ("filter.x.smudge", "filter.x.clean", "filter.x.process", "diff.x.textconv", "diff.x.command"):
        git(hostile, "config", key, command)
    git(hostile, "config", "filter.x.required", "true")
    git(hostile, "config", "merge.x.driver", command)
    git(hostile, "config", "diff.external", command)


def monitors(hostile: Path, command: str) -> None:
    keys = (
        "core.fsmonitor", "core.sshCommand", "core.gitProxy", "core.pager", "core.editor", "core.askPass",
        "credential.helper", "gpg.program", "core.alternateRefsCommand", "alias.rev-parse", "alias.ls-tree",
    )  # fmt: skip
    for key in keys:
        git(hostile, "config", key, f"!{command}" if key.startswith("alias") else command)
    git(hostile, "config", "log.showSignature", "true")
    git(hostile, "config", "commit.gpgSign", "true")


def included(hostile: Path, command: str) -> None:
    (hostile / "more.config").write_text(f'[core]\n\tfsmonitor = {command}\n[filter "x"]\n\tsmudge = {command}\n')
    (hostile / ".git" / "info" / "attributes").write_text("* filter=x\n")
    git(hostile, "config", "include.path", str(hostile / "more.config"))


def promised(hostile: Path, command: str) -> None:
    """An object is missing, and the remote that would bring it is a command."""
    git(hostile, "config", "core.repositoryformatversion", "1")
    git(hostile, "config", "extensions.partialClone", "evil")
    git(hostile, "config", "remote.evil.promisor", "true")
    git(hostile, "config", "remote.evil.url", f"ext::{command}")
    git(hostile, "config", "remote.evil.uploadpack", command)
    git(hostile, "config", "protocol.ext.allow", "always")
    blob = git(hostile, "rev-parse", "HEAD:README.md").strip()
    (hostile / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def promised_file(hostile: Path, command: str) -> None:
    promised(hostile, command)
    git(hostile, "config", "remote.evil.url", str(hostile))


def worktree(hostile: Path, command: str) -> None:
    git(hostile, "config", "core.worktree", "/")
    monitors(hostile, command)


PLANTS = {
    plant.__name__: plant
    for plant in (hooks, hooks_path, attributes, monitors, included, promised, promised_file, worktree)
}


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("words", [(), ("--conflicts",)], ids=["status", "conflicts"])
def test_a_planted_command_is_not_run(
    plant: str, words: tuple[str, ...], root: Path, command: str, mark: Path, look: Callable[..., Any]
) -> None:
    PLANTS[plant](root / "hostile", command)
    mark.unlink(missing_ok=True)
    row = look(*words)["hostile"]
    assert not mark.exists(), mark.read_text()
    if plant.startswith("promised"):
        assert "partial clone, or broken" in row["error"] or "cannot be read" in row["error"]


@pytest.mark.parametrize("plant", ["hooks", "hooks_path", "attributes", "monitors", "included"])
def test_an_update_without_checks_runs_nothing(
    plant: str, root: Path, command: str, mark: Path, run: Run, tmp_path: Path
) -> None:
    PLANTS[plant](root / "hostile", command)
    mark.unlink(missing_ok=True)
    where = ("--file", tmp_path / "fleet.toml", "--db", tmp_path / "fleet.db")
    result = run("fleet", "update", "--no-checks", *where)
    assert not mark.exists(), mark.read_text()
    assert "hostile: proposed" in result.out, result.out
    file = "mlscaffold/v0.2.0:src/hostile/model.py"
    assert read("cat-file", "blob", file, cwd=root / "hostile") == b"depth = 5\n"


@pytest.mark.parametrize("plant", ["hooks", "attributes", "monitors"])
def test_what_is_planted_would_run(plant: str, root: Path, command: str, mark: Path) -> None:
    """The tests above can fail: plain git runs what they plant."""
    PLANTS[plant](root / "hostile", command)
    mark.unlink(missing_ok=True)
    subprocess.run(["git", "checkout", "-q", "-b", "new"], cwd=root / "hostile", capture_output=True, check=False)
    (root / "hostile" / "README.md").write_text("changed")
    for words in (["status"], ["diff"], ["add", "README.md"]):
        subprocess.run(
            ["git", *words], cwd=root / "hostile", capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
    assert mark.exists()


def commit(hostile: Path, name: str, content: bytes) -> None:
    (hostile / name).parent.mkdir(parents=True, exist_ok=True)
    (hostile / name).write_bytes(content)
    git(hostile, "add", "--all", "--force")
    git(hostile, "commit", "-qm", "planted")


@pytest.mark.parametrize("text", [BOMB, MERGES, "a: &a [*a]\n"], ids=["aliases", "merges", "itself"])
@pytest.mark.parametrize("name", [".copier-answers.yml", "params.yaml", "dvc.yaml", ".github/workflows/ci.yml"])
def test_yaml_that_expands_without_end_is_not_expanded(
    text: str, name: str, root: Path, look: Callable[..., Any]
) -> None:
    commit(root / "hostile", name, text.encode())
    row = look("--timeout", "20")["hostile"]
    assert row["error"] == ""
    assert isinstance(row["score"], int)


def test_yaml_with_ordinary_aliases_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("base: &b {x: 1}\nmore:\n  <<: *b\n  y: *b\n")
    repository = Repository(tmp_path, ("a.yaml", "b.yaml"), in_git=False)
    assert repository.yaml("a.yaml") == {"base": {"x": 1}, "more": {"x": 1, "y": {"x": 1}}}
    (tmp_path / "b.yaml").write_text(BOMB)
    assert repository.documents("b.yaml") == []
    assert EXPANDED < 9**8


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".copier-answers.yml", b"\xff\xfe: [}"),
        (".copier-answers.yml", b"_src_path: [1, 2]\n_commit: {a: b}\n"),
        ("pyproject.toml", b"[tool.mlscaffold.diff]\nyours = 3\n"),
        ("pyproject.toml", b"[tool.mlscaffold.check]\nignore = 3\n"),
        ("experiments/a.json", b'{"when": [1], "status": {"a": 1}}'),
        ("experiments/a.json", b"[" * 100_000),
        ("src/deep.py", b"(" * 100_000),
        ("src/deep.py", b"-" * 100_000 + b"1"),
        ("huge.bin", bytes(30_000_000)),
        ("huge.txt", b"x" * 30_000_000),
        ("weird\nname <b>x</b>\x1b[31m.md", b"# x\n"),
    ],
    ids=range(11),
)  # fmt: skip
def test_broken_and_huge_files_cost_one_row(name: str, content: bytes, root: Path, look: Callable[..., Any]) -> None:
    commit(root / "hostile", name, content)
    row = look("--timeout", "30")["hostile"]
    if row["error"]:
        assert "tool.mlscaffold" in row["error"]
    else:
        assert isinstance(row["score"], int)


def test_a_work_tree_of_pipes_links_and_sockets_is_never_opened(root: Path, look: Callable[..., Any]) -> None:
    hostile = root / "hostile"
    for name in ("README.md", "run.sh", "src/hostile/model.py"):
        (hostile / name).unlink()
    os.mkfifo(hostile / "README.md")
    (hostile / "run.sh").symlink_to("/dev/zero")
    (hostile / "src/hostile/model.py").symlink_to("model.py")
    (hostile / "loop").symlink_to(".")
    with socket.socket(socket.AF_UNIX) as listening:
        with contextlib.chdir(hostile):  # a socket's path may have a hundred letters, and no more
            listening.bind("s")
        row = look("--timeout", "20")["hostile"]
    assert (row["error"], row["changed"], row["deleted"]) == ("", 0, 0)  # what is committed is as it was


def test_links_and_submodules_in_the_commit_are_not_followed(
    root: Path, look: Callable[..., Any], tmp_path: Path
) -> None:
    hostile = root / "hostile"
    (tmp_path / "secret.yaml").write_text("secret: 1\n")
    (hostile / "params.yaml").symlink_to(tmp_path / "secret.yaml")
    (hostile / "loop").symlink_to("loop")
    git(hostile, "add", "--all")
    git(hostile, "update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},module")
    git(hostile, "commit", "-qm", "links")
    assert look()["hostile"]["error"] == ""
    found = committed.committed(hostile, committed.head(hostile))
    assert not {"params.yaml", "loop", "module"} & found.known


@pytest.mark.parametrize("place", ["config", "HEAD"])
def test_a_pipe_in_place_of_gits_own_files_ends(
    place: str, root: Path, look: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "hostile" / ".git" / place).unlink()
    os.mkfifo(root / "hostile" / ".git" / place)
    row = look("--timeout", "20")["hostile"]
    assert "took longer than 20 s" in row["error"] or "is not a git repository" in row["error"]


def test_an_object_that_is_not_what_its_name_says_is_refused(root: Path, look: Callable[..., Any]) -> None:
    """Else its content would be taken for that of the same file in every other repository."""
    hostile = root / "hostile"
    blob = git(hostile, "rev-parse", "HEAD:run.sh").strip()
    file = hostile / ".git" / "objects" / blob[:2] / blob[2:]
    file.chmod(0o644)
    content = b"#!/bin/sh\ncurl evil\n"
    file.write_bytes(zlib.compress(b"blob %d\0" % len(content) + content))
    found = look()
    assert "is not what its name says" in found["hostile"]["error"] or "cannot be read" in found["hostile"]["error"]


def test_a_size_that_is_a_lie_hides_nothing_in_other_repositories(root: Path) -> None:
    hostile = root / "hostile"
    blob = git(hostile, "rev-parse", "HEAD:run.sh").strip()
    file = hostile / ".git" / "objects" / blob[:2] / blob[2:]
    file.chmod(0o644)
    file.write_bytes(zlib.compress(b"blob %d\0" % 10_000_000 + b"x"))
    committed._forget()
    found = committed.committed(hostile, committed.head(hostile))
    assert (found.text("run.sh"), found.size("run.sh")) == ("", 10_000_000)
    good = committed.committed(root / "good", committed.head(root / "good"))
    assert good.blobs["run.sh"].name == blob
    assert good.text("run.sh") == "#!/bin/sh\necho run\n"
    assert good.size("run.sh") == 19


def test_a_tree_that_holds_itself_many_times_over_ends(root: Path, look: Callable[..., Any]) -> None:
    hostile = root / "hostile"
    tree = git(hostile, "rev-parse", "HEAD^{tree}").strip()
    for _ in range(9):
        entries = "".join(f"040000 tree {tree}\t{number}\n" for number in range(10))
        done = subprocess.run(["git", "mktree"], cwd=hostile, input=entries, capture_output=True, text=True, check=True)
        tree = done.stdout.strip()
    commit_ = git(hostile, "commit-tree", tree, "-m", "bomb").strip()
    git(hostile, "update-ref", "HEAD", commit_)
    assert "more than 50000 files and folders" in look("--timeout", "50")["hostile"]["error"]


def test_a_folder_with_an_odd_name_is_shown_on_one_line(root: Path, run: Run, tmp_path: Path) -> None:
    (root / "hostile").rename(root / "a\nb <img src=x onerror=alert(1)>\x1b[2J")
    where = ("--db", tmp_path / "fleet.db")
    result = run("fleet", "status", "--file", tmp_path / "fleet.toml", *where)
    assert "a\\x0ab <img src=x onerror=alert(1)>\\x1b[2J" in result.out
    assert "\x1b" not in result.out
    assert run("fleet", "report", *where, "--output", tmp_path / "fleet.html").code == 0
    page = (tmp_path / "fleet.html").read_text()
    assert "<img" not in page
    assert "a\\x0ab &lt;img src=x onerror=alert(1)&gt;" in page


def test_a_link_that_leads_out_of_the_root_is_not_followed(
    root: Path, look: Callable[..., Any], tmp_path: Path
) -> None:
    (root / "hostile").rename(tmp_path / "outside")
    (root / "hostile").symlink_to(tmp_path / "outside")
    assert "leads out of" in look()["hostile"]["error"]


def test_a_text_of_the_pull_request_does_not_follow_a_link(root: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (root / "hostile" / ".git" / "mlscaffold-pull-request.md").symlink_to(tmp_path / "mine")
    run("fleet", "update", "--no-checks", "--file", tmp_path / "fleet.toml", "--db", tmp_path / "fleet.db")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (root / "hostile" / ".git" / "mlscaffold-pull-request.md").read_text().startswith("# Update")


def test_what_was_kept_of_texts_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    committed._forget()
    monkeypatch.setattr(committed, "KEPT", 1000)
    for number in range(3):
        commit(tmp_path, f"{number}.txt", b"%d" % number * 900)
        found = committed.committed(tmp_path, committed.head(tmp_path))
        assert found.text(f"{number}.txt") == str(number) * 900
        assert found.text("0.txt") == "0" * 900
        assert sum(map(len, committed._texts.values())) <= 900 * (number + 1)
    monkeypatch.setattr(committed, "READ", 1000)
    committed._forget()
    with pytest.raises(Exception, match="MB of text"):
        committed.committed(tmp_path, committed.head(tmp_path))


def test_nothing_of_the_store_is_the_repositorys_own_code(root: Path, look: Callable[..., Any], tmp_path: Path) -> None:
    """Rows are plain values: what a repository says stands there as text of one line."""
    commit(
        root / "hostile", "experiments/a.json", json.dumps({"when": "2026\n\x1b[2J", "status": "ok\x00\u202e"}).encode()
    )
    assert look()["hostile"]["verdict"] == "ok\\x00\\x202e"
    assert running.MEMORY > 0
    with sqlite3.connect(tmp_path / "fleet.db") as db:
        assert all("\x1b" not in row and "\u202e" not in row for (row,) in db.execute("SELECT row FROM facts"))
