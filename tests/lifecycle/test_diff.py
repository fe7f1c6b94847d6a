"""`mlscaffold diff`: what is meant to differ from the template, and what is not."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import FILES, Run, Template, git

TABLE = FILES["copier.yml"] + "_yours:\n  /src/**/model.py: the model\n  /README.md: what it is\n"
TOOL = "template/src/{{ package }}/tool.py"


@pytest.fixture
def made(template: Template, shipped: Callable[..., Path], run: Run, tmp_path: Path) -> Path:
    """A repository made from v0.3.0 of a template whose files have a past."""
    template.release(
        "v0.2.0",
        {
            TOOL: "old = 1\n",
            "template/conf.txt.jinja": "old {{ name }}\n",
            "template/gone.txt": "gone\n",
            "seen.txt": "",
        },
    )
    template.release(
        "v0.3.0",
        {
            "copier.yml": TABLE,
            TOOL: "new = 2\n",
            "template/conf.txt.jinja": "new {{ name }}\n",
            "template/gone.txt": None,
            "template/pixel.bin": "\0\1",
        },
    )
    shipped()
    folder = tmp_path / "churn"
    assert run("new", folder, "--defaults").code == 0
    return folder


def drift(run: Run, project: Path, *words: str) -> dict[str, str]:
    return {each["path"]: each["state"] for each in json.loads(run("diff", project, "--json", *words).out)["drift"]}


def test_a_new_repository_does_not_differ(made: Path, run: Run) -> None:
    result = run("diff", made)
    assert (result.code, result.out) == (0, "churn, made from v0.3.0: as the standard has it\n"), result.err
    assert run("diff", made, "--patch").out == ""
    assert run("diff", made, "--stat").out == ""


def test_what_is_the_teams_is_meant_to_differ(made: Path, run: Run) -> None:
    (made / "src/churn/model.py").write_text("depth = 9\n")
    (made / "README.md").unlink()
    (made / "mine.txt").write_text("mine\n")
    (made / "more.py").write_text("a file of the team's is no drift\n")
    result = run("diff", made)
    assert (result.code, "as the standard has it" in result.out) == (0, True)
    assert "And 2 that are meant to differ" in result.out
    named = run("diff", made, "--all").out
    assert (
        "  . README.md: what it is, deleted, not committed\n  . src/churn/model.py: the model, not committed" in named
    )


def test_what_is_of_the_standard_is_named_and_exit_code_1(made: Path, run: Run) -> None:
    (made / "src/churn/tool.py").write_text("ours = 3\n")
    git(made, "commit", "-qam", "ours")
    (made / "run.sh").unlink()
    (made / ".gitignore").chmod(0o755)
    result = run("diff", made)
    assert result.code == 1
    assert result.out.splitlines() == [
        "churn, made from v0.3.0: 3 of 7 files of the standard differ",
        "Changed files of the standard:",
        "  ~ .gitignore, not committed",
        "  ~ src/churn/tool.py",
        "Deleted:",
        "  - run.sh, not committed",
    ]


def test_stale_files_are_told_from_changed_ones(made: Path, run: Run) -> None:
    (made / "src/churn/tool.py").write_text("old = 1\n")
    (made / "conf.txt").write_text("old churn\n")
    (made / "gone.txt").write_text("gone\n")
    (made / "run.sh").write_text("#!/bin/sh\necho mine\n")
    assert drift(run, made) == {
        "conf.txt": "stale", "gone.txt": "stale", "src/churn/tool.py": "stale", "run.sh": "changed",
    }  # fmt: skip
    output = run("diff", made).out
    assert "< conf.txt (of v0.2.0), not committed" in output
    assert "< gone.txt (of v0.2.0; the template no longer has it), not committed" in output
    (made / "gone.txt").write_text("another file of that name\n")
    assert "gone.txt" not in drift(run, made)


def test_a_past_that_these_answers_do_not_render_stops_nothing(made: Path, run: Run, template: Template) -> None:
    shutil.rmtree(made)
    template.release(
        "v0.4.0",
        {"template/conf.txt.jinja": "{{ name | no_such_filter }}\n", "template/{{ name | no_such_filter }}": "x\n"},
    )
    template.release(
        "v0.5.0",
        {"template/conf.txt.jinja": "{{ name }}\n", "template/{{ name | no_such_filter }}": None, "seen.txt": None},
    )
    assert run("new", made, "--defaults", "--template", template.path).code == 0
    (made / "conf.txt").write_text("ours\n")
    (made / "seen.txt").write_text("")
    assert drift(run, made) == {"conf.txt": "changed"}
    (made / "conf.txt").write_text("old churn\n")
    assert drift(run, made) == {"conf.txt": "stale"}


def test_a_team_names_what_is_its_own_with_a_reason(made: Path, run: Run) -> None:
    (made / "run.sh").write_text("#!/bin/sh\necho mine\n")
    (made / "pyproject.toml").write_text('[tool.mlscaffold.diff]\nyours = {"run.sh" = "we run it with nohup"}\n')
    result = run("diff", made, "--all")
    assert (result.code, "  . run.sh: we run it with nohup" in result.out) == (0, True)
    (made / "pyproject.toml").write_text('[tool.mlscaffold.diff]\nyours = {"run.sh" = ""}\n')
    result = run("diff", made)
    assert (result.code, "names run.sh without a reason" in result.err) == (2, True)


def test_the_patch_taken_back_gives_the_standard_byte_by_byte(made: Path, run: Run, tmp_path: Path) -> None:
    before = {file: (made / file).read_bytes() for file in ("conf.txt", "pixel.bin", "run.sh", "src/churn/tool.py")}
    (made / "conf.txt").write_bytes(b"caf\xe9 in Latin-1\r\n")
    (made / "pixel.bin").write_bytes(b"\0\2\3")
    (made / "run.sh").chmod(0o644)
    (made / "src/churn/tool.py").unlink()
    (made / "README.md").write_text("ours\n")
    (made / "gone.txt").write_text("gone\n")
    words = [sys.executable, "-m", "mlscaffold", "diff", str(made), "--patch"]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"caf\xe9" in done.stdout
    (tmp_path / "x.patch").write_bytes(done.stdout)
    git(made, "apply", "-R", str(tmp_path / "x.patch"))
    assert {file: (made / file).read_bytes() for file in before} == before
    assert (made / "run.sh").stat().st_mode & 0o100
    assert not (made / "gone.txt").exists()
    assert (made / "README.md").read_text() == "ours\n", "what is the team's stays"
    assert run("diff", made).code == 0


def test_stat_counts_the_lines(made: Path, run: Run) -> None:
    (made / "src/churn/tool.py").write_text("new = 2\nmore = 3\n")
    (made / "README.md").write_text("ours\n")
    out = run("diff", made, "--stat").out
    assert "src/churn/tool.py | 1 +" in out
    assert "README" not in out
    assert "README.md" in run("diff", made, "--stat", "--all").out
    assert run("diff", made, "--stat", "--patch").code == 2


def test_a_project_in_a_folder_of_a_larger_repository(made: Path, run: Run, tmp_path: Path) -> None:
    outer = tmp_path / "monorepo"
    (outer / "ml").mkdir(parents=True)
    git(outer, "init", "-q")
    (made / ".git").rename(tmp_path / "aside")
    made.rename(outer / "ml/churn")
    git(outer, "add", "--all")
    git(outer, "commit", "-qm", "all")
    (outer / "ml/churn/run.sh").write_text("#!/bin/sh\n")
    patch = run("diff", outer / "ml/churn", "--patch").out
    assert "a/ml/churn/run.sh" in patch
    for folder in (outer, outer / "ml/churn"):
        subprocess.run(["git", "apply", "-R", "--check"], cwd=folder, input=patch.encode(), check=True)


def test_a_link_in_place_of_a_file_or_a_folder_is_not_followed(made: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/tool.py").write_text("new = 2\n")
    (made / "src/churn/tool.py").unlink()
    (made / "src/churn/model.py").rename(tmp_path / "elsewhere/model.py")
    (made / "src/churn").rmdir()
    (made / "src/churn").symlink_to(tmp_path / "elsewhere")
    (made / "run.sh").rename(tmp_path / "run.sh")
    (made / "run.sh").symlink_to(tmp_path / "run.sh")
    assert drift(run, made) == {"run.sh": "deleted", "src/churn/model.py": "yours", "src/churn/tool.py": "deleted"}
    assert "echo run" in run("diff", made, "--patch").out


def test_what_is_committed_is_told_in_a_repository_of_sha256_too(made: Path, run: Run) -> None:
    shutil.rmtree(made / ".git")
    git(made, "init", "-q", "--object-format=sha256")
    (made / "run.sh").write_text("#!/bin/sh\necho ours\n")
    (made / "conf.txt").unlink()
    git(made, "add", "--all")
    git(made, "commit", "-qm", "ours")
    (made / ".gitignore").write_text("ours\n")
    found = json.loads(run("diff", made, "--json").out)["drift"]
    states = {each["path"]: (each["gone"], each["committed"]) for each in found}
    assert states == {".gitignore": (False, False), "conf.txt": (True, True), "run.sh": (False, True)}


def test_nothing_of_the_repositorys_configuration_runs(made: Path, run: Run, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path / 'sprung'}\ncat\n")
    trap.chmod(0o755)
    (made / ".gitattributes").write_text("*.sh filter=x diff=x\n")
    git(made, "add", ".gitattributes")
    for name in ("core.fsmonitor", "diff.external", "filter.x.clean", "diff.x.textconv", "core.pager"):
        git(made, "config", name, str(trap))
    # As long as what was committed, and touched: git has to look into it, and its filter would run.
    (made / "run.sh").write_text("#!/bin/sh\necho RUN\n")
    assert run("diff", made, "--patch").code == 1
    assert not (tmp_path / "sprung").exists()


def test_a_template_by_path_and_by_url(
    run: Run, template: Template, shipped: Callable[..., Path], tmp_path: Path
) -> None:
    shipped()
    for number, url in enumerate((str(template.path), "http://127.0.0.1:9/ml/template")):
        project = tmp_path / f"p{number}"
        assert run("new", project, "--defaults", "--template", url).code == 0
        assert run("diff", project).code == 0
        (project / "run.sh").unlink()
        assert drift(run, project) == {"run.sh": "deleted"}


def test_what_is_no_such_repository_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("diff", tmp_path)
    assert (result.code, "was not made by mlscaffold" in result.err) == (2, True)
