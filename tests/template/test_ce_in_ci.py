"""What CI does with the report: the commands of the rendered files are run, against a server that notes what it hears.

`gh` is not to be had without its forge: a script of that name notes what it was asked.
"""

import http.server
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from template.conftest import Render

REPORT = '## ✘ rejected\n\nThis model should not ship: 1 of 30 checks failed; it\'s 5 % "worse".\n'
MOVED = "# fresh.csv\n\nSomething has moved.\n"


@pytest.fixture(scope="module")
def project(render: Render) -> Path:
    return render(ci="both", storage="s3", storage_url="s3://bucket/churn")


class Forge(http.server.ThreadingHTTPServer):
    """A forge that notes each call: path, token, and the fields of the form."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str | None, dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
        fields = dict(re.findall(r'name="(\w+)"\r\n(?:[^\r]+\r\n)*\r\n(.*?)\r\n--', body, re.DOTALL))
        assert isinstance(self.server, Forge)
        self.server.calls.append((self.path, self.headers["PRIVATE-TOKEN"], fields))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Be silent."""


@pytest.fixture
def forge() -> Iterator[Forge]:
    server = Forge()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Lay out what the commands read: reports, a Makefile whose `drift` ends as MOVED says, and a `gh` that notes."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "ce.md").write_text(REPORT, encoding="utf-8")
    (tmp_path / "reports" / "drift.md").write_text(MOVED, encoding="utf-8")
    (tmp_path / "Makefile").write_text("drift:\n\t@exit $(MOVED)\n", encoding="utf-8")
    (tmp_path / "bin").mkdir()
    gh = tmp_path / "bin" / "gh"
    gh.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > asked\n', encoding="utf-8")
    gh.chmod(0o755)
    return tmp_path


def ran(desk: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": f"{desk / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_OUTPUT": str(desk / "output"),
        **variables,
    }
    words = ["bash", "-e", "-o", "pipefail", "-c", script]
    return subprocess.run(words, cwd=desk, env=env, capture_output=True, text=True, check=True)


def gitlab(project: Path, job: str, message: str) -> tuple[dict[str, Any], str]:
    """Give a job of GitLab's file, and the command in it that says something."""
    found = yaml.safe_load((project / ".gitlab-ci.yml").read_text(encoding="utf-8"))[job]
    (script,) = [command for command in found["script"] if message in command]
    return found, script


def github(project: Path, file: str, job: str) -> dict[str, dict[str, Any]]:
    """Give the steps of a job of a workflow, by what they are: the command, or the action."""
    jobs = yaml.safe_load((project / ".github" / "workflows" / file).read_text(encoding="utf-8"))["jobs"]
    return {str(step.get("run") or step["uses"].partition("@")[0]): step for step in jobs[job]["steps"]}


def variables(forge: Forge) -> dict[str, str]:
    api = f"http://127.0.0.1:{forge.server_port}/api/v4"
    return {"CI_API_V4_URL": api, "CI_PROJECT_ID": "7", "CE_TOKEN": "let me in"}


def test_gitlab_says_in_the_merge_request_how_the_model_compares(project: Path, desk: Path, forge: Forge) -> None:
    job, script = gitlab(project, "model", "merge_requests")
    ran(desk, script, CI_MERGE_REQUEST_IID="12", **variables(forge))
    assert forge.calls == [("/api/v4/projects/7/merge_requests/12/notes", "let me in", {"body": REPORT})]
    ran(desk, script, CI_MERGE_REQUEST_IID="", **variables(forge))  # no merge request: nothing to say
    assert len(forge.calls) == 1
    assert job["script"].index(script) < job["script"].index("make ce")  # a failing gate is told all the same
    assert (job["artifacts"]["when"], "reports/" in job["artifacts"]["paths"]) == ("always", True)


@pytest.mark.parametrize("moved", ["0", "1"])
def test_gitlab_opens_an_issue_when_a_gate_turns(project: Path, desk: Path, forge: Forge, moved: str) -> None:
    job, script = gitlab(project, "champion", "make drift")
    ran(desk, script, MOVED=moved, **variables(forge))
    issue = {"title": "The released model meets other data", "description": MOVED}
    assert forge.calls == ([("/api/v4/projects/7/issues", "let me in", issue)] if moved == "1" else [])
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule" && $FRESH_DATA'}]
    assert "reports/" in job["artifacts"]["paths"]


def test_github_says_in_the_pull_request_how_the_model_compares(project: Path, desk: Path) -> None:
    steps = github(project, "ci.yml", "model")
    (command,) = [name for name in steps if name.startswith("gh pr comment")]
    ran(desk, command, PULL_REQUEST="12")
    arguments = (desk / "asked").read_text(encoding="utf-8").split("\n")
    assert arguments[:5] == ["pr", "comment", "12", "--body-file", "reports/ce.md"]
    order = list(steps)
    assert order.index("make train") < order.index(command) < order.index("make ce")
    upload = steps["actions/upload-artifact"]
    assert upload["if"] == "${{ always() }}"
    assert "reports/" in upload["with"]["path"]


@pytest.mark.parametrize("moved", ["0", "1"])
def test_github_opens_an_issue_when_a_gate_turns(project: Path, desk: Path, moved: str) -> None:
    steps = github(project, "ce.yml", "champion")
    (watch,) = [name for name in steps if name.startswith("make drift")]
    (issue,) = [name for name in steps if name.startswith("gh issue create")]
    ran(desk, watch, MOVED=moved)
    output = (desk / "output").read_text(encoding="utf-8") if (desk / "output").exists() else ""
    assert output == ("turned=yes\n" if moved == "1" else "")
    assert steps[watch]["id"] in steps[issue]["if"]
    assert "outputs.turned == 'yes'" in steps[issue]["if"]
    ran(desk, issue)
    assert "reports/drift.md" in (desk / "asked").read_text(encoding="utf-8").split("\n")
    assert steps["actions/upload-artifact"]["if"] == "${{ always() }}"
