"""Repositories that are elsewhere: fetched from a server, pushed to it, and offered for review by a forge's tool."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from conftest import Run, Template, git

SECRET = "s3cr3t-of-ada"


@pytest.fixture
def root(tmp_path: Path, template: Template, run: Run) -> Path:
    """The folder that is served: one bare repository, made from v0.1.0; v0.2.0 is released."""
    assert run("new", tmp_path / "churn", "--defaults", "--template", template.path).code == 0
    git(tmp_path, "clone", "-q", "--bare", "churn", "served/team/churn.git")
    template.release("v0.2.0", {"template/new.txt": "new\n"})
    return tmp_path / "served"


@pytest.fixture
def server(root: Path) -> Iterator[str]:
    """git's own server, on this machine alone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["git", "daemon", "--export-all", "--enable=receive-pack", f"--base-path={root}", "--reuseaddr"]
    process = subprocess.Popen([*words, "--listen=127.0.0.1", f"--port={port}"], start_new_session=True)
    for _ in range(100):
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"git://127.0.0.1:{port}"
    os.killpg(process.pid, 15)
    process.wait()


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tools named gh and glab that write down what they are asked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("gh", "glab"):
        script = folder / name
        script.write_text(
            f"#!/bin/sh\nprintf '%s\\n' {name} \"$@\" > {tmp_path}/asked.txt\n"
            f'[ -e {tmp_path}/refuse ] && {{ echo "no permission" >&2; exit 1; }}\necho https://forge.example/1\n'
        )
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "asked.txt"


def listed(tmp_path: Path, template: Template, *places: str) -> list[str]:
    names = ", ".join(f'"{each}"' for each in places)
    (tmp_path / "fleet.toml").write_text(f'template = "{template.path}"\nrepositories = [{names}]\nchecks = ["true"]\n')
    where = {"--file": "fleet.toml", "--db": "fleet.db", "--cache": "cache"}
    return [word for name, place in where.items() for word in (name, str(tmp_path / place))]


def test_a_repository_elsewhere_is_fetched_and_its_update_offered(
    server: str, root: Path, template: Template, run: Run, tmp_path: Path, tools: Path
) -> None:
    where = listed(tmp_path, template, f"{server}/team/churn.git")
    result = run("fleet", "status", *where)
    assert result.code == 0, result.err
    assert "v0.1.0" in result.out
    refused = run("fleet", "update", *where)
    assert "is elsewhere, so its branch has to be pushed: --pull-requests" in refused.out
    result = run("fleet", "update", "--pull-requests", *where)
    assert "opened (https://forge.example/1)" in result.out, result.out
    assert git(root / "team" / "churn.git", "show", "mlscaffold/v0.2.0:new.txt") == "new\n"
    arguments = tools.read_text().splitlines()
    name = f"{server.removeprefix('git://')}/team/churn"
    assert arguments[:8] == ["gh", "pr", "create", "--repo", name, "--head", "mlscaffold/v0.2.0", "--title"]
    assert arguments[8:10] == ["Update the standard from v0.1.0 to v0.2.0", "--body"]
    assert "- `true` passed" in arguments


def test_what_is_new_elsewhere_is_seen_the_next_time(
    server: str, root: Path, template: Template, run: Run, tmp_path: Path
) -> None:
    where = listed(tmp_path, template, f"{server}/team/churn.git")
    assert '"behind": 1' in run("fleet", "status", "--json", *where).out
    git(tmp_path / "churn", "commit", "-q", "--allow-empty", "-m", "more")
    git(tmp_path / "churn", "push", "-q", "--force", str(root / "team" / "churn.git"), "HEAD")
    commit = git(tmp_path / "churn", "rev-parse", "HEAD").strip()
    assert commit in run("fleet", "status", "--json", *where).out


def test_a_local_repository_is_pushed_to_its_origin_for_glab(
    server: str, root: Path, template: Template, run: Run, tmp_path: Path, tools: Path
) -> None:
    git(tmp_path / "churn", "remote", "add", "origin", f"{server}/team/churn.git")
    (tmp_path / "churn" / ".gitlab-ci.yml").write_text("test: {script: [true]}\n")
    git(tmp_path / "churn", "add", "--all")
    git(tmp_path / "churn", "commit", "-qm", "on GitLab")
    result = run("fleet", "update", "--pull-requests", *listed(tmp_path, template, "churn"))
    assert "churn: opened (https://forge.example/1)" in result.out, result.out
    arguments = tools.read_text().splitlines()
    assert arguments[:5] == ["glab", "mr", "create", "--repo", f"{server}/team/churn.git"]
    assert arguments[5:8] == ["--source-branch", "mlscaffold/v0.2.0", "--title"]
    assert arguments[-1] == "--yes"


def test_a_tool_that_refuses_or_lacks_is_said(
    server: str, template: Template, run: Run, tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = listed(tmp_path, template, f"{server}/team/churn.git")
    (tmp_path / "refuse").write_text("")
    assert "gh failed (no permission); the branch is pushed" in run("fleet", "update", "--pull-requests", *where).out
    (tmp_path / "bin" / "gh").unlink()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert "gh is not installed" in run("fleet", "update", "--pull-requests", *where).out


def test_what_the_forge_refused_is_tried_again(
    server: str, root: Path, template: Template, run: Run, tmp_path: Path, tools: Path
) -> None:
    git(tmp_path / "churn", "remote", "add", "origin", f"{server}/team/churn.git")
    where = listed(tmp_path, template, "churn")
    (tmp_path / "refuse").write_text("")
    assert "churn: failed (gh failed" in run("fleet", "update", "--pull-requests", *where).out
    pushed = git(root / "team" / "churn.git", "rev-parse", "mlscaffold/v0.2.0")
    assert git(tmp_path / "churn", "branch", "--list", "mlscaffold/*") == ""
    (tmp_path / "refuse").unlink()
    time.sleep(1.1)  # another second, another commit
    assert "churn: opened (https://forge.example/1)" in run("fleet", "update", "--pull-requests", *where).out
    assert git(root / "team" / "churn.git", "rev-parse", "mlscaffold/v0.2.0") == pushed
    assert "mlscaffold/v0.2.0" in git(tmp_path / "churn", "branch", "--list", "mlscaffold/*")


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("", "has no remote `origin`"),
        ("/srv/elsewhere.git", "of a kind that is not"),
        ("ext::sh -c true", "of a kind that is not"),
    ],
)
def test_an_origin_that_is_no_address_is_not_pushed_to(
    origin: str, message: str, template: Template, root: Path, run: Run, tmp_path: Path, tools: Path
) -> None:
    if origin:
        git(tmp_path / "churn", "remote", "add", "origin", origin)
    assert message in run("fleet", "update", "--pull-requests", *listed(tmp_path, template, "churn")).out


class Asking(BaseHTTPRequestHandler):
    """Writes down who asks, and lets nobody in."""

    seen: list[str] = []  # noqa: RUF012 - a test reads it

    def do_GET(self) -> None:
        Asking.seen.append(self.headers.get("Authorization", ""))
        self.send_response(403 if "Authorization" in self.headers else 401)
        self.send_header("WWW-Authenticate", "Basic")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_password_reaches_the_server_and_nothing_else(template: Template, run: Run, tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Asking) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://ada:{SECRET}@127.0.0.1:{server.server_port}/team/churn.git"
        where = listed(tmp_path, template, address)
        result = run("fleet", "status", *where)
        server.shutdown()
    assert any(each.startswith("Basic ") for each in Asking.seen)  # it was used
    assert result.code == 1
    assert "cannot be fetched" in result.out
    assert run("fleet", "report", "--db", tmp_path / "fleet.db", "--output", tmp_path / "fleet.html").code == 0
    texts = [result.out, result.err, (tmp_path / "fleet.html").read_text()]
    kept = [path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    kept += [(tmp_path / "fleet.db").read_bytes(), *(each.encode() for each in texts)]
    assert not [each for each in kept if SECRET.encode() in each]


def test_a_password_is_not_among_the_arguments_of_git(template: Template, run: Run, tmp_path: Path) -> None:
    """Every user of a machine can list the arguments of a process."""
    script = tmp_path / "bin" / "git"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/words.txt\nexec /usr/bin/git "$@"\n')
    script.chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{script.parent}{os.pathsep}{before}"
    try:
        result = run("fleet", "status", *listed(tmp_path, template, f"http://ada:{SECRET}@127.0.0.1:9/churn.git"))
    finally:
        os.environ["PATH"] = before
    assert "cannot be fetched" in result.out
    words = (tmp_path / "words.txt").read_text()
    assert "http://127.0.0.1:9/churn.git" in words
    assert SECRET not in words
