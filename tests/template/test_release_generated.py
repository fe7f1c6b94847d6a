"""Releases as a team makes them, with real git, DVC and BentoML: all or nothing, proven, and taken back."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from template.conftest import commit

Make = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [pytest.mark.slow]


def git(project: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=project, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def verb(make: Make, ops_environment: Path) -> Make:
    """Run a verb that needs the tools of requirements-ops.lock."""

    def run(project: Path, *words: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        (ops_environment / ".ready").touch()
        return make(project, *words, f"OPS={ops_environment}", check=check, **variables)

    return run


def state(project: Path) -> tuple[str, ...]:
    """Give what a failure must leave as it was."""
    store = project / ".bentoml"
    files = "\n".join(sorted(str(path) for kind in ("bentos", "models") for path in (store / kind).glob("*/*")))
    return (
        git(project, "rev-parse", "HEAD"),
        git(project, "tag"),
        git(project, "status", "--porcelain"),
        git(project, "worktree", "list"),
        files,
    )


def fails(project: Path, verb: Make, message: str, *words: str, **variables: str) -> None:
    before = state(project)
    done = verb(project, *words, check=False, **variables)
    assert done.returncode, done.stdout
    assert message in done.stdout + done.stderr
    assert state(project) == before


def test_a_release_and_the_way_back(project: Path, make: Make, verb: Make) -> None:
    (project / "note.txt").write_text("not committed")
    fails(project, verb, "commit or stash first", "release")
    (project / "note.txt").unlink()
    fails(project, verb, "there is no release to go back to", "rollback")
    _breaks_when_served(project, verb)

    output = verb(project, "release").stdout
    first = git(project, "rev-parse", "v1.0.0^{}")
    assert "is the champion" in output
    assert "there is no release before this one" in output
    assert git(project, "status", "--porcelain") == ""
    assert git(project, "rev-parse", "HEAD") == first
    assert git(project, "diff", "--name-only", "HEAD^").splitlines() == ["CHANGELOG.md", "reports/sbom.json"]
    model = json.loads((project / "models/meta.json").read_text())["version"]
    assert f"- Model: {model}\n" in (project / "CHANGELOG.md").read_text()
    assert _bento(project)["commit"] == first

    fails(project, verb, "released already", "release", "VERSION=v1.0.0")
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("max_iter: 100", "max_iter: 60"))
    commit(project, "fewer trees, not trained")
    fails(project, verb, "`make train`", "release")
    make(project, "train", "WHY=fewer trees")
    commit(project, "fewer trees")
    output = verb(project, "release", "VERSION=v1.2.0").stdout
    assert "make rollback VERSION=v1.0.0" in output
    newest = (project / "CHANGELOG.md").read_text().split("## v1.0.0")[0]
    assert "- Parameter model.max_iter: 100 -> 60" in newest
    assert f"(was {model})" in newest

    (project / "note.txt").write_text("work that is not committed")
    head = git(project, "rev-parse", "HEAD")
    output = verb(project, "rollback", "WHY=callers complained").stdout
    assert f"model       {model}, served and asked: /version says so" in output
    assert (_bento(project)["model"], _bento(project)["commit"]) == (model, first)
    assert git(project, "status", "--porcelain") == "?? note.txt"
    assert git(project, "rev-parse", "HEAD") == head
    assert "callers complained" in git(project, "tag", "-n1", "--list", "withdrawn/v1.2.0")
    (project / "note.txt").unlink()
    make(project, "train")
    assert "release: v1.0.0" in (project / "champion.yaml").read_text()
    git(project, "checkout", "--quiet", "--", ".")

    verb(project, "rollback", "VERSION=v1.2.0")
    assert git(project, "tag", "--list", "withdrawn/*") == ""
    assert _bento(project)["commit"] == git(project, "rev-parse", "v1.2.0^{}")


def _bento(project: Path) -> dict[str, str]:
    """Give the labels of the newest Bento."""
    folder = project / ".bentoml" / "bentos" / project.name
    newest = (folder / "latest").read_text().strip()
    return dict(yaml.safe_load((folder / newest / "bento.yaml").read_text())["labels"])


def _breaks_when_served(project: Path, verb: Make) -> None:
    """A service that does not start is found out before anything is tagged."""
    service = project / "src" / project.name / "service.py"
    sound = service.read_text()
    lie = "    def version(self, predictors):\n        return super().version(predictors) | {'model': 'another'}\n"
    service.write_text(sound.replace("\n\nmount(", f"{lie}\n\nmount("))
    assert service.read_text() != sound
    commit(project, "a service that lies")
    fails(project, verb, "what is served is not what was packaged: model is 'another'", "release")
    service.write_text(sound)
    commit(project, "a service that does not")


def test_the_bill_of_materials_keeps_to_its_schema_and_is_the_same_again(
    project: Path, environment: Path, ops_environment: Path
) -> None:
    env = {**os.environ, "PATH": f"{ops_environment / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": "src"}
    code = "import pathlib, sys; from mlproduct.release.sbom import bill; print(bill(*sys.argv[1:], pathlib.Path()))"
    words = [str(environment / "bin" / "python"), "-c", code, "penguins", "v1.0.0"]
    once, again = (subprocess.run(words, cwd=project, env=env, capture_output=True, check=True).stdout for _ in "12")
    assert once == again
    check = (
        "import sys; from cyclonedx.schema import SchemaVersion; "
        "from cyclonedx.validation.json import JsonStrictValidator; "
        "sys.exit(JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read()) and 'it breaks its schema')"
    )
    words = [str(ops_environment / "bin" / "python"), "-c", check]
    done = subprocess.run(words, input=once.decode(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = {part["name"] for part in json.loads(once)["components"]}
    assert {"numpy", "bentoml", "penguins-model", "penguins-data"} <= names


def test_an_audit_that_reaches_nobody_is_no_success(project: Path, verb: Make) -> None:
    nowhere = "http://127.0.0.1:9"
    done = verb(project, "audit", "ARGS=--timeout 1", check=False, HTTPS_PROXY=nowhere, https_proxy=nowhere)
    assert done.returncode
    assert "No known vulnerabilities" not in done.stdout + done.stderr
