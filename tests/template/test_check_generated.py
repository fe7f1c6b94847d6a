"""A generated repository passes every check, and each check fails where its one thing is broken."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mlscaffold.check.run import Report, examine
from mlscaffold.checks import CHECKS
from mlscaffold.errors import UserError

from .breakages import ALSO, BREAKAGES
from .conftest import Render, commit

BIN, ROOT = Path(sys.executable).parent, Path(__file__).parents[2]
# Without random numbers in the team's code and waivers there is nothing to look at.
ASKED = ("RE005", "EV010")


@pytest.fixture(scope="module")
def sound(render: Render, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a generated repository that carries its template, as `mlscaffold new` makes it."""
    project = tmp_path_factory.mktemp("sound") / "churn"
    shutil.copytree(render(), project)
    bundle = project / ".mlscaffold" / "template.bundle"
    bundle.parent.mkdir()
    releases = tmp_path_factory.mktemp("releases")
    shutil.copytree(template, releases, dirs_exist_ok=True)
    subprocess.run(["git", "tag", "v0.1.0"], cwd=releases, check=True)
    subprocess.run(["git", "bundle", "create", "--quiet", bundle, "--tags"], cwd=releases, check=True)
    answers = project / ".copier-answers.yml"
    lines = [line for line in answers.read_text().splitlines() if not line.startswith("_src_path")]
    answers.write_text("\n".join([*lines, "_src_path: .mlscaffold/template.bundle", ""]))
    commit(project)
    return project


def failed(report: Report) -> set[str]:
    return {outcome.check.id for outcome in report.failing}


def test_a_generated_repository_passes_all_on_day_one(sound: Path) -> None:
    report = examine(sound)
    assert [str(finding) for outcome in report.failing for finding in outcome.findings] == []
    assert report.score == 100
    assert {outcome.check.id for outcome in report.outcomes if outcome.status == "nothing to look at"} == set(ASKED)


@pytest.mark.parametrize(
    "answers", [{"ci": "gitlab"}, {"target": "body_mass_g"}, {"storage": "s3", "ci": "both"}], ids=str
)
def test_every_kind_of_generated_repository_passes(answers: dict[str, str], render: Render, tmp_path: Path) -> None:
    shutil.copytree(render(**answers), tmp_path / "churn")
    commit(tmp_path / "churn")
    report = examine(tmp_path / "churn")
    assert [str(finding) for outcome in report.failing for finding in outcome.findings] == []


def test_every_check_has_its_breakage() -> None:
    assert list(BREAKAGES) == list(CHECKS)


def call_it_ours(project: Path) -> None:
    """Say in pyproject.toml that what was broken is meant to differ: any breakage is drift from the template too."""
    words = ["git", "diff", "--name-only", "HEAD"]
    changed = subprocess.run(words, cwd=project, capture_output=True, text=True, check=True).stdout.splitlines()
    settings = project / "pyproject.toml"
    if changed and settings.is_file():
        yours = ", ".join(f'"/{path}" = "broken by this test"' for path in changed)
        settings.write_text(f"{settings.read_text()}\n[tool.mlscaffold.diff]\nyours = {{{yours}}}\n")


def excuse(project: Path) -> None:
    """Say why the wheel of a checkout is none that was released: other processes do not know it."""
    settings = project / "pyproject.toml"
    settings.write_text(f'{settings.read_text()}\n[tool.mlscaffold.check]\nignore = {{IN002 = "of a checkout"}}\n')


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_repository_broken_in_one_way_fails_that_check_alone(name: str, sound: Path, tmp_path: Path) -> None:
    project = tmp_path / "churn"
    shutil.copytree(sound, project, symlinks=True)
    BREAKAGES[name](project)
    if name not in ("IN007", "TM005"):
        call_it_ours(project)
    report = examine(project)
    findings = [f"{outcome.check.id} {finding}" for outcome in report.failing for finding in outcome.findings]
    assert failed(report) == {name} | ALSO.get(name, set()), findings
    assert report.score is not None
    assert report.score < 100


def program(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(words, cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)


def test_the_command_of_repo_review_shows_the_checks(sound: Path, tmp_path: Path) -> None:
    project = tmp_path / "churn"
    shutil.copytree(sound, project, symlinks=True)
    excuse(project)
    done = program("repo-review", ".", "--format", "json", cwd=project)
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["checks"].keys() >= CHECKS.keys() - {"IN002"}
    assert {name for name, check in report["checks"].items() if check["result"] is None} & set(CHECKS) == set(ASKED)
    BREAKAGES["SC003"](project)
    call_it_ours(project)
    done = program("repo-review", ".", "--format", "json", cwd=project)
    wrong = {name for name, check in json.loads(done.stdout)["checks"].items() if check["result"] is False}
    assert (done.returncode == 0, wrong & set(CHECKS)) == (False, {"SC003"})


def test_as_hooks_of_pre_commit(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run our hook, and that of repo-review, with what is installed: a hook of its own would fetch from a forge."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    project = tmp_path / "churn"
    shutil.copytree(sound, project, symlinks=True)
    excuse(project)
    ours = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    theirs = {
        "id": "repo-review",
        "name": "repo-review",
        "entry": "repo-review",
        "args": ["."],
        "pass_filenames": False,
    }
    hooks = [{**hook, "language": "system"} for hook in (*ours, {**theirs, "always_run": True})]
    config = tmp_path / "hooks.yaml"
    config.write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]}))
    words = ("pre-commit", "run", "--all-files", "--config", str(config))
    done = program(*words, cwd=project)
    assert (done.returncode, done.stdout.count("Passed")) == (0, 2), done.stdout + done.stderr
    BREAKAGES["SC003"](project)
    call_it_ours(project)
    done = program(*words, cwd=project)
    assert (done.returncode, done.stdout.count("Failed")) == (1, 2), done.stdout + done.stderr
    assert "is no commit" in done.stdout


def test_an_ignored_check_needs_a_reason_and_is_shown(sound: Path, tmp_path: Path) -> None:
    project = tmp_path / "churn"
    shutil.copytree(sound, project)
    BREAKAGES["LH005"](project)
    settings = project / "pyproject.toml"
    before = settings.read_text()
    settings.write_text(before + '\n[tool.mlscaffold.check]\nignore = {"LH005" = "our forge refuses .env"}\n')
    report = examine(project)
    assert failed(report) == set()
    assert [(one.check.id, one.reason) for one in report.outcomes if one.status == "ignored"] == [
        ("LH005", "our forge refuses .env")
    ]
    settings.write_text(before + '\n[tool.mlscaffold.check]\nignore = {"LH005" = ""}\n')
    with pytest.raises(UserError, match="ignores LH005 without a reason"):
        examine(project)
