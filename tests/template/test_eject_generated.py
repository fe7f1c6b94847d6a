"""`mlproduct eject` in a generated repository: what the template renders for it, the same model, the same hashes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import copier
import pytest

from template.conftest import Render, commit

Verb = Callable[..., subprocess.CompletedProcess[str]]
RUNTIME = Path("runtime")
OWN = (".git", "vendor", "runtime", "imports.yaml")
WRITTEN = "reports/params.yaml"  # by the stage `imports`


@pytest.fixture(scope="module")
def verb(environment: Path) -> Verb:
    """Run `mlproduct` of the shared environment in a repository; `ejected` puts the repository's own library first."""

    def run(project: Path, *words: str, ejected: bool = False) -> subprocess.CompletedProcess[str]:
        path = {"PYTHONPATH": str(project / "runtime" / "src")} if ejected else {}
        return subprocess.run(
            [str(environment / "bin" / "mlproduct"), *words],
            cwd=project, capture_output=True, text=True, check=False, env=os.environ | path,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def before(render: Render, verb: Verb) -> tuple[Path, str]:
    """Give a committed repository, and the hashes of what its stages import."""
    project = render(name="penguins")
    commit(project)
    assert verb(project, "stage", "imports").returncode == 0
    hashes = (project / "imports.yaml").read_text(encoding="utf-8")
    for name in ("imports.yaml", "reports/params.yaml"):
        (project / name).unlink()
    return project, hashes


@pytest.fixture(scope="module")
def ejected(before: tuple[Path, str], verb: Verb) -> Path:
    """Eject the library, and commit."""
    project, _ = before
    done = verb(project, "eject")
    assert done.returncode == 0, done.stderr
    assert "updates of the standard leave it alone" in done.stdout
    commit(project, "eject")
    return project


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in OWN and "__pycache__" not in path.parts
        if path != folder / WRITTEN
    }


def test_files_follow_as_the_template_renders_them(ejected: Path, render: Render) -> None:
    assert contents(ejected) == contents(render(name="penguins", runtime="ejected"))
    assert not (ejected / "vendor").exists()
    assert (ejected / "runtime/tests/test_model.py").is_file()


def test_no_stage_has_other_code_than_before(ejected: Path, before: tuple[Path, str], verb: Verb) -> None:
    done = verb(ejected, "stage", "imports", ejected=True)
    assert done.returncode == 0, done.stderr
    assert (ejected / "imports.yaml").read_text(encoding="utf-8") == before[1]
    module = ejected / "runtime/src/mlproduct/evaluation/metrics.py"
    text = module.read_text(encoding="utf-8")
    module.write_text(text + "# changed\n", encoding="utf-8")
    verb(ejected, "stage", "imports", ejected=True)
    assert (ejected / "imports.yaml").read_text(encoding="utf-8") != before[1]
    module.write_text(text, encoding="utf-8")


def test_an_environment_from_before_is_refused_with_the_command_that_repairs_it(ejected: Path, verb: Verb) -> None:
    for words in (("stage", "imports"), ("params", "--explain"), ("eject",)):
        done = verb(ejected, *words)
        assert done.returncode == 2
        assert "the library of this repository is runtime/src/mlproduct" in done.stderr
        assert "`make setup` installs it" in done.stderr
    assert "ejected already" in verb(ejected, "eject", ejected=True).stderr


def test_a_work_tree_runs_its_own_library(ejected: Path, verb: Verb, tmp_path: Path) -> None:
    """As an experiment of DVC does, which runs in a copy while the editable install leads to the original."""
    copy = Path(shutil.copytree(ejected, tmp_path / "copy"))
    version = copy / "runtime/src/mlproduct/config/explain.py"
    version.write_text(version.read_text(encoding="utf-8") + "\nprint('the copy')\n", encoding="utf-8")
    path = {"PYTHONPATH": str(ejected / "runtime" / "src")}
    command = [sys.executable, "-m", "mlproduct", "params", "--explain"]
    done = subprocess.run(command, cwd=copy, env=os.environ | path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "the copy" in done.stdout


def test_an_update_by_copier_brings_no_wheel_back(ejected: Path, template: Path, tmp_path: Path) -> None:
    newer = Path(shutil.copytree(template, tmp_path / "template"))
    (wheel,) = (newer / "template/vendor").glob("*.whl")
    wheel.rename(wheel.with_name("mlproduct-99.0-py3-none-any.whl"))
    (newer / "template/waited-for.md").write_text("new\n", encoding="utf-8")
    commit(newer, "newer")
    subprocess.run(["git", "tag", "v10.0.0"], cwd=newer, check=True)
    project = Path(shutil.copytree(ejected, tmp_path / "penguins"))
    (project / "imports.yaml").unlink(missing_ok=True)
    answers = project / ".copier-answers.yml"
    answers.write_text(answers.read_text(encoding="utf-8").replace(str(template), str(newer)), encoding="utf-8")
    commit(project, "the template has moved")
    copier.run_update(str(project), defaults=True, quiet=True, overwrite=True, vcs_ref="v10.0.0")
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, text=True, check=True)
    assert changed.stdout.splitlines() == [" M .copier-answers.yml", "?? waited-for.md"]
    assert "runtime: ejected" in answers.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.heavy
def test_setup_repairs_an_environment_and_nothing_is_trained_again(project: Path, tmp_path: Path) -> None:
    """The repository is trained; its environment is made from the wheel first, as a colleague has it."""
    path = os.pathsep.join([str(project / ".venv" / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])

    def run(*words: str) -> str:
        done = subprocess.run(
            words, cwd=project, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path}
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("make", "setup")
    model = (project / "models/meta.json").read_bytes()
    run("mlproduct", "eject")
    commit(project, "eject")
    refused = subprocess.run(
        [project / ".venv/bin/mlproduct", "params", "--explain"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "`make setup` installs it" in refused.stderr
    run("make", "setup")
    assert "+ejected" in run("mlproduct", "--version")
    ran = [line for line in run("dvc", "repro").splitlines() if line.startswith("Running stage")]
    assert ran == ["Running stage 'imports':"]
    assert (project / "models/meta.json").read_bytes() == model
