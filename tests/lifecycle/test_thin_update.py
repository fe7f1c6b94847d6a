"""From every released version to the thin repository: no edit of a platform module is lost, no import left unnamed."""

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import layouts
from conftest import Run, git, serve
from mlscaffold.platform_edits.library import find_place
from mlscaffold.source import BUNDLE
from template.conftest import RELEASES, bundle_with_the_checkout

ROOT = Path(__file__).parents[2]
NEXT = "v9.9.9"
GATE = "src/churn/judging/gate.py"


@pytest.fixture(scope="session")
def thin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a bundle of all releases, and of the checkout's template as the next one."""
    return bundle_with_the_checkout(tmp_path_factory.mktemp("thin"))


@pytest.fixture
def make(thin: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Make a repository from a release, where the next one is the newest."""
    serve(thin, monkeypatch)

    def made(version: str) -> Path:
        folder = tmp_path / version / "churn"
        result = run("new", folder, "--defaults", "--ref", version)
        assert result.code == 0, result.err
        return folder

    return made


def append(project: Path, *names: str, line: str = "# a line of ours\n") -> None:
    for name in names:
        with (project / name).open("a") as file:
            file.write(line)
    commit(project)


def commit(project: Path) -> None:
    git(project, "add", "--all")
    git(project, "commit", "-qm", "ours")


def contents(project: Path, *, without: str = "-") -> dict[str, tuple[bytes, int]]:
    files = [path for path in project.rglob("*") if path.is_file() and ".git/" not in path.as_posix()]
    found = {path.relative_to(project).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o111) for path in files}
    return {path: each for path, each in found.items() if not path.startswith(without)}


def released_modules() -> Iterator[str]:
    """Yield every module and test that a release had and the template has no longer."""
    now = {path.relative_to(ROOT / "template").as_posix() for path in (ROOT / "template").rglob("*.py")}
    scratch = subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip()
    git(ROOT, "clone", "-q", "--bare", str(BUNDLE), f"{scratch}/bundle")
    words = ("ls-tree", "-r", "--name-only")
    listed = [
        git(Path(scratch, "bundle"), *words, tag, "template/src", "template/tests", "template/ce") for tag in RELEASES
    ]
    shutil.rmtree(scratch)
    for path in sorted({line.removeprefix("template/") for text in listed for line in text.splitlines()} - now):
        if not path.endswith("__init__.py"):
            yield path.replace("{{ package }}", "churn")


@pytest.mark.parametrize("version", RELEASES)
def test_a_pristine_repository_becomes_a_fresh_one(version: str, make: Callable[[str], Path], run: Run) -> None:
    project = make(version)
    modules = [path for path in (project / "src/churn").rglob("*.py") if path.name not in ("model.py", "features.py")]
    for module in modules:  # what Python leaves behind
        (module.parent / "__pycache__").mkdir(exist_ok=True)
        (module.parent / "__pycache__" / f"{module.stem}.cpython-311.pyc").write_bytes(b"")
    result = run("update", project)
    assert result.code == 0, result.out + result.err
    for left in (project / "src/churn").rglob("*.pyc"):
        assert (left.parents[1] / f"{left.name.split('.')[0]}.py").exists(), "bytecode of a module that is gone"
    shutil.rmtree(project / "src/churn/__pycache__", ignore_errors=True)
    assert contents(project) == contents(make(NEXT))
    assert [path for path in (project / "src").rglob("*") if path.is_dir()] == [project / "src/churn"]


def test_an_edit_of_a_platform_module_is_a_patch_until_somebody_decides(
    make: Callable[[str], Path], run: Run, tmp_path: Path
) -> None:
    project = make("v0.5.2")
    edited = (GATE, "tests/test_gate.py", "ce/score.py")
    append(project, *edited)
    git(project, "clone", "-q", str(project), str(tmp_path / "before"))
    predicted = run("update", project, "--dry-run")
    result = run("update", project)
    assert result.code == predicted.code == 1
    assert "mlproduct.evaluation.gates" in result.out
    assert "+# a line of ours" in predicted.out
    for name in edited:
        git(tmp_path / "before", "apply", "-R", "--check", str(project / f"vendor/edits/{name}.patch"))
    head = (project / f"vendor/edits/{GATE}.patch").read_text().partition("diff --git")[0]
    assert "Library: mlproduct.evaluation.gates" in head
    assert "Extension point: a gate of your own: src/churn/extensions.py" in head
    assert contents(project, without="vendor/edits/") == contents(make(NEXT))
    again = run("update", project)
    assert (again.code, "--accept-edits" in again.out) == (1, True)
    assert run("update", project, "--accept-edits").code == 0
    commit(project)
    assert run("update", project).code == 0
    assert run("diff", project).code == 0, "the patches are no difference from the standard"


def test_the_teams_files_merge_and_lines_that_import_removed_modules_are_named(
    make: Callable[[str], Path], run: Run
) -> None:
    project = make("v0.5.2")
    model = project / "src/churn/model.py"
    model.write_text(model.read_text().replace("max_leaf_nodes=params.max_leaf_nodes", "max_leaf_nodes=7"))
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("max_iter: 100", "max_iter: 300"))
    (project / "src/churn/helper.py").write_text(
        "from .columns import Contract, DataError\nfrom .judging import gate\nfrom churn.params import (\n    Model)\n"
    )
    (project / "tests/test_ours.py").write_text("import under_test\nfrom churn.judging.bless import Verdict\n")
    append(project, "Makefile", line="ours:\n\tpython -m churn.judging.gate\n")
    append(project, "README.md", "dvc.yaml", "tests/test_model.py", "src/churn/features.py")
    result = run("update", project, "--json")
    report = json.loads(result.out)
    assert (result.code, report["edits"]) == (1, [])
    # The ends of these files are others now: an edit there is beside what has changed.
    conflicts = {each["path"]: each["hunks"] for each in report["files"] if each["state"] == "conflict"}
    assert set(conflicts) == {"README.md", "dvc.yaml", "tests/test_model.py"}
    assert "# a line of ours\n=======" in conflicts["tests/test_model.py"][-1]
    assert "max_leaf_nodes=7" in model.read_text()
    assert "from mlproduct.contract.columns import Contract" in model.read_text()
    assert "max_iter: 300" in params.read_text()
    assert (project / "src/churn/features.py").read_text().endswith("# a line of ours\n")
    named = {(each["path"], each["line"]): each["instead"] for each in report["imports"]}
    number = len((project / "Makefile").read_text().splitlines())
    assert named == {
        ("Makefile", number): "a verb of `mlproduct` (`mlproduct --help`), for mlproduct.evaluation.gates",
        (
            "src/churn/helper.py",
            1,
        ): "from mlproduct.contract.columns import Contract; from mlproduct.errors import DataError",
        ("src/churn/helper.py", 2): "from mlproduct.evaluation import gates as gate",
        ("src/churn/helper.py", 3): "from mlproduct.config import Model",
        ("tests/test_ours.py", 1): "import mlproduct.testing as under_test",
        ("tests/test_ours.py", 2): "from mlproduct.evaluation.verdict import Verdict",
    }


def test_a_conflict_of_the_imports_of_model_py_is_shown_and_named(make: Callable[[str], Path], run: Run) -> None:
    project = make("v0.5.2")
    model = project / "src/churn/model.py"
    model.write_text(model.read_text().replace("from .params import Model\n", "from .params import Model, Params\n"))
    commit(project)
    result = run("update", project)
    assert result.code == 1
    assert "! src/churn/model.py" in result.out
    assert re.search(r"src/churn/model\.py:\d+: from \.params import Model, Params", result.out)
    assert "now: from mlproduct.config import Model, Params" in result.out


def test_a_package_that_the_team_has_moved_is_followed(make: Callable[[str], Path], run: Run) -> None:
    project = make("v0.5.2")
    git(project, "mv", "src/churn", "src/core")
    model = project / "src/core/model.py"
    model.write_text(model.read_text().replace("max_leaf_nodes=params.max_leaf_nodes", "max_leaf_nodes=7"))
    append(project, "src/core/judging/gate.py")
    result = run("update", project)
    assert result.code == 1
    assert "src/churn is src/core in this repository" in result.err
    assert sorted(path.name for path in (project / "src").iterdir()) == ["core"]
    assert "max_leaf_nodes=7" in model.read_text()
    assert "from mlproduct.contract.columns" in model.read_text()
    assert "package: core\n" in (project / ".copier-answers.yml").read_text()
    assert (project / "vendor/edits/src/core/judging/gate.py.patch").exists()


def test_adopting_adds_the_wheel_as_it_is_and_proposes_what_collides(
    thin: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(thin, monkeypatch)
    ours = {"vendor/requirements.txt": "ours==1\n", ".gitignore": "*.whl\n", "train.py": "print(1)\n"}
    project = layouts.built(tmp_path / "churn", ours)
    result = run("adopt", project, "--defaults")
    assert result.code == 1, result.err
    (wheel,) = (project / "vendor").glob("mlproduct-*.whl")
    name = wheel.relative_to(project).as_posix()
    assert name in git(project, "diff", "--cached", "--name-only").split(), "the team's .gitignore hides it"
    staged = subprocess.run(
        ["git", "cat-file", "blob", f":{name}"], cwd=project, capture_output=True, check=True
    ).stdout
    assert staged == wheel.read_bytes()
    assert (project / "vendor/requirements.txt").read_text() == "ours==1\n"
    proposed = git(project, "show", "mlscaffold/adopt:vendor/requirements.txt")
    assert hashlib.sha256(staged).hexdigest() in proposed


def test_every_module_of_every_release_has_its_place_in_the_library() -> None:
    for path in released_modules():
        place = find_place(path, "churn")
        if path != "tests/test_layers.py":  # the order of the layers is the library's own matter
            assert place.module, path
            assert (ROOT / "runtime/src" / f"{place.module.replace('.', '/')}.py").exists(), (path, place)
        assert place.point, path
