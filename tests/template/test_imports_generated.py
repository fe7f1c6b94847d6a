"""A trained repository, by DVC itself: a stage runs again when code that it imports changed, and not else.

In 0.5.2 an edit of metrics.py, columns.py or of a helper of the model left an old verdict standing.
"""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import build_runtime
import psutil
import pytest
import yaml

from .conftest import ROOT, commit

pytestmark = [pytest.mark.slow, pytest.mark.heavy]
WITHOUT_MODEL = {"contract", "prepare", "verdict", "report"}
Run = Callable[..., subprocess.CompletedProcess[str]]

RUN_EACH = """
import json, os, sys
from pathlib import Path
from mlproduct import imports, stages, team
import bentoml, fairlearn.metrics, jinja2, matplotlib.pyplot, onnxruntime, pandera.pandas, pyarrow.parquet, scipy.stats
import sklearn.ensemble, skl2onnx, skops.io  # once, for all the stages
team.use_sources(Path.cwd())
before, sources = set(sys.modules), imports.Sources()
for name, module in stages.STAGES.items():
    print(name, flush=True)
    if (child := os.fork()) == 0:
        sys.stdout = sys.stderr
        stages.run(name)
        ours = {m for m in set(sys.modules) - before if m.partition(".")[0] in ("mlproduct", sys.argv[1])}
        missing = sorted(ours - sources.closure([module]))
        os._exit(sys.stderr.write(f"{name} imports {missing}") and 1 if missing else 0)
    if os.waitpid(child, 0)[1]:
        sys.exit(1)
"""

CLOSURES = """
import json
from pathlib import Path
from mlproduct import imports, stages, team
team.use_sources(Path.cwd())
sources = imports.Sources()
print(json.dumps({name: sorted(sources.closure([module])) for name, module in stages.STAGES.items()}))
"""
SMALL = 5  # files of a change: larger ones touch every stage


@pytest.fixture
def inside(project: Path, environment: Path) -> Run:
    """Run a command in the repository; afterwards all of it is as it was."""

    def run(*words: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [str(environment / "bin" / words[0]), *words[1:]]
        done = subprocess.run(
            command, cwd=project, env=variables_of(environment) | variables,
            capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    return run


@pytest.fixture(autouse=True)
def restored(project: Path, environment: Path) -> Iterator[None]:
    """Leave code, lock, reports and models as they were."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=project, capture_output=True, text=True, check=True).stdout

    if git("status", "--porcelain"):
        commit(project, "what was left")
    yield
    ran = "dvc.lock" in git("status", "--porcelain") or not (project / "models" / "model.skops").exists()
    git("reset", "-q", "--hard")
    git("clean", "-q", "-fd")
    if ran:
        words = [str(environment / "bin" / "dvc"), "checkout", "--quiet"]
        subprocess.run(words, cwd=project, env=variables_of(environment), check=True)


def variables_of(environment: Path) -> dict[str, str]:
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1"}


def again(inside: Run, **variables: str) -> set[str]:
    """Run the stage `imports`, and return the stages that DVC would run next."""
    ran = inside("dvc", "repro", "imports", **variables).stdout
    assert ran.count("Running stage") <= 1
    return set(json.loads(inside("dvc", "status", "--json", **variables).stdout))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"{path} does not hold {old}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def library(project: Path, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Vendor a library with an edit, and return the variables by which it is the one that runs."""

    def vendored(name: str = "", old: str = "", new: str = "") -> dict[str, str]:
        runtime = tmp_path / "runtime"
        subprocess.run(["cp", "-r", str(ROOT / "runtime"), str(runtime)], check=True)
        if name:
            edit(runtime / "src" / "mlproduct" / name, old, new)
        return vendor(project, runtime, tmp_path / "installed")

    return vendored


def vendor(project: Path, runtime: Path, installed: Path) -> dict[str, str]:
    """Vendor the library of a folder, unpack it, and return the variables by which it is the one that runs."""
    for wheel in (project / "vendor").glob("*.whl"):
        wheel.unlink()
    wheel = build_runtime.build(runtime, project / "vendor")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    digest = build_runtime.hashlib.sha256(wheel.read_bytes()).hexdigest()
    (project / "vendor" / "requirements.txt").write_text(f"./vendor/{wheel.name} --hash=sha256:{digest}\n")
    return {"PYTHONPATH": str(installed)}


def test_nothing_runs_again_where_nothing_changed(inside: Run) -> None:
    assert again(inside) == set()


def test_a_loss_that_is_ten_times_as_large_is_scored_again(inside: Run, library, project: Path) -> None:
    changed = library("evaluation/metrics.py", '"""', '"""Ten times. ')
    found = again(inside, **changed)
    assert {"evaluate", "slices", "compare", "report"} <= found
    assert found & {"contract", "prepare", "train"} == set()
    ran = inside("dvc", "repro", "evaluate", **changed).stdout
    assert "Stage 'evaluate' didn't change" not in ran
    assert "Stage 'train' didn't change" in ran


def test_a_library_in_which_nothing_of_a_stage_changed_runs_no_stage(inside: Run, library) -> None:
    assert again(inside, **library("cli/main.py", '"""', '"""Another command line. ')) == set()


def changes_of_the_library(folder: Path, most: int) -> Iterator[tuple[set[str], Path, Path]]:
    """Yield the newest small changes of this repository's history: modules, the library before, and after it.

    Before is the library of the checkout without that commit, where the commit can still be taken out.
    """
    log = ["git", "log", "--format=%H", "--no-merges", "-n", "60", "--", "runtime/src/mlproduct"]
    commits = subprocess.run(log, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for commit_id in commits:
        diff = ["git", "diff", "--binary", f"{commit_id}^", commit_id, "--", "runtime/src/mlproduct"]
        patch = subprocess.run(diff, cwd=ROOT, capture_output=True, check=False).stdout
        files = [line[6:].decode() for line in patch.splitlines() if line.startswith(b"+++ b/")]
        before, after = folder / commit_id[:8] / "before", folder / commit_id[:8] / "after"
        if not 0 < len(files) <= SMALL:
            continue
        for tree in (before, after):
            tree.mkdir(parents=True)
            subprocess.run(["cp", "-r", str(ROOT / "runtime"), str(tree / "runtime")], check=True)
        if subprocess.run(["git", "apply", "--reverse", "-"], cwd=before, input=patch, check=False).returncode == 0:
            names = {name.removeprefix("runtime/src/").removesuffix(".py").replace("/", ".") for name in files}
            yield names, before / "runtime", after / "runtime"
            most -= 1
        if not most:
            return


def test_a_bump_of_the_library_runs_the_stages_that_it_changed_and_no_others(
    inside: Run, project: Path, tmp_path: Path
) -> None:
    """Each change is one of this repository's history; what was not run again would have given the same."""
    outcomes = []
    for number, (changed, before, after) in enumerate(changes_of_the_library(tmp_path, most=2)):
        inside("dvc", "repro", **vendor(project, before, tmp_path / f"before-{number}"))
        newer = vendor(project, after, tmp_path / f"after-{number}")
        ran = again(inside, **newer)
        closures = json.loads(inside("python", "-c", CLOSURES, **newer).stdout)
        assert ran == {stage for stage, names in closures.items() if changed & set(names)}, changed
        inside("dvc", "repro", **newer)
        kept = outputs(project)
        inside("dvc", "repro", "--force", **newer)
        forced = outputs(project)
        assert {stage for stage in kept if kept[stage] != forced[stage]} == set(), changed
        outcomes.append(ran)
    if not outcomes:
        pytest.skip("this checkout holds no history of the library")
    assert any(ran < set(closures) for ran in outcomes)


def outputs(project: Path) -> dict[str, object]:
    """Return what dvc.lock says of each stage's outputs."""
    lock = yaml.safe_load((project / "dvc.lock").read_text(encoding="utf-8"))
    return {name: stage.get("outs") for name, stage in lock["stages"].items()}


def test_columns_that_are_chosen_otherwise_train_again(inside: Run, library) -> None:
    assert "train" in again(inside, **library("contract/columns.py", '"""', '"""Without a column. '))


def test_a_helper_of_the_model_trains_again(inside: Run, project: Path) -> None:
    package = project / "src" / "penguins"
    (package / "rules.py").write_text("limit = 1\n", encoding="utf-8")
    edit(package / "model.py", "from typing import Any\n", "from typing import Any\n\nfrom .rules import limit\n")
    first = yaml.safe_load((project / "imports.yaml").read_text(encoding="utf-8"))
    found = again(inside)
    second = yaml.safe_load((project / "imports.yaml").read_text(encoding="utf-8"))
    assert found == set(first) - WITHOUT_MODEL
    (package / "rules.py").write_text("limit = 2\n", encoding="utf-8")
    assert again(inside) == found
    third = yaml.safe_load((project / "imports.yaml").read_text(encoding="utf-8"))
    assert {name for name in second if second[name] != third[name]} == found


@pytest.mark.parametrize("name", ["model.py~", ".model.py.swp", "#model.py#", "scratch.py"])
def test_what_an_editor_leaves_runs_no_stage(inside: Run, project: Path, name: str) -> None:
    (project / "src" / "penguins" / name).write_text("left\n" if name != "scratch.py" else "x = 1\n")
    assert again(inside) == set()


def test_a_comment_in_the_service_runs_no_stage(inside: Run, project: Path) -> None:
    edit(project / "src" / "penguins" / "service.py", "import bentoml\n", "import bentoml  # of the service alone\n")
    assert again(inside) == set()


def test_parameters_that_are_left_out_have_their_defaults_in_the_pipeline(inside: Run, project: Path) -> None:
    params = project / "params.yaml"
    document = yaml.safe_load(params.read_text(encoding="utf-8"))
    for section in ("own", "bias", "service", "prepare"):
        document.pop(section)
    del document["model"]["seed"]
    params.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert again(inside) == set()
    document["model"].pop("max_iter")
    document["evaluate"]["bootstrap"] = 21
    params.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert again(inside) == {"evaluate", "bias", "compare", "report"}
    shown = inside("dvc", "params", "diff", "--json").stdout
    assert json.loads(shown)["reports/params.yaml"] == {"evaluate.bootstrap": {"old": 500, "new": 21, "diff": -479}}


def test_a_wrong_parameter_stops_the_pipeline_at_its_first_stage(inside: Run, project: Path) -> None:
    edit(project / "params.yaml", "max_iter:", "max_itr:")
    done = inside("dvc", "repro", check=False)
    assert done.returncode != 0
    assert "params.yaml, model: unknown key 'max_itr'; did you mean 'max_iter'?" in done.stderr
    assert "Running stage 'prepare'" not in done.stdout


@pytest.mark.parametrize("how", ["--temp", "--queue"])
def test_an_experiment_runs_the_code_it_was_made_from(inside: Run, project: Path, how: str) -> None:
    model = project / "src" / "penguins" / "model.py"
    edit(model, "from typing import Any\n", "from typing import Any\n\nimport sys\n")
    edit(model, "    estimators = {", '    sys.stderr.write("the queued code\\n")\n    estimators = {')
    # As an editable install does, this path leads to the workspace's code.
    installed = {"PYTHONPATH": str(project / "src")}
    words = ["dvc", "exp", "run", how, "--name", f"try{how}", "-S", "++model.max_iter=7", "train"]
    done = inside(*words, **installed)
    if how == "--queue":
        edit(model, "    estimators = {", '    raise RuntimeError("the edited code")\n    estimators = {')
        done = inside("dvc", "exp", "run", "--run-all", check=False, **installed)
    refs = subprocess.run(
        ["git", "for-each-ref", "--format=%(refname)", "refs/exps"], cwd=project, capture_output=True, text=True,
        check=True,
    ).stdout.split()  # fmt: skip
    (ref,) = [ref for ref in refs if ref.endswith(f"/try{how}")] or pytest.fail(done.stdout + done.stderr)
    lock = yaml.safe_load(
        subprocess.run(["git", "show", f"{ref}:dvc.lock"], cwd=project, capture_output=True, check=True).stdout
    )
    assert lock["stages"]["train"]["params"]["reports/params.yaml"]["model"]["max_iter"] == 7


@pytest.mark.skipif(sys.platform == "win32", reason="stages are forked")
def test_no_stage_imports_what_its_closure_does_not_hold(inside: Run) -> None:
    done = inside("python", "-W", "ignore", "-c", RUN_EACH, "penguins")
    assert len(done.stdout.split()) == 14


def test_a_changed_library_is_refused_by_stages_tests_and_service(inside: Run, library, tmp_path: Path) -> None:
    changed = library()
    (tmp_path / "installed" / "mlproduct" / "more.py").touch()
    for words in (["mlproduct", "stage", "verdict"], ["python", "-m", "pytest", "tests/test_model.py"],
                  ["python", "-c", "import penguins.service"]):  # fmt: skip
        done = inside(*words, check=False, **changed | {"PYTHONPATH": f"{changed['PYTHONPATH']}{os.pathsep}src"})
        assert done.returncode != 0
        (line,) = [line for line in done.stderr.splitlines() if "more.py" in line]
        assert "make setup" in line


def test_every_verb_works_from_a_subfolder(inside: Run, project: Path, environment: Path) -> None:
    words = [str(environment / "bin" / "mlproduct"), "params", "--explain"]
    env = variables_of(environment)
    done = subprocess.run(words, cwd=project / "deploy", env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "model.max_iter" in done.stdout) == (0, True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_an_interrupted_training_is_one_line_and_leaves_nothing_half_written(
    inside: Run, project: Path, environment: Path
) -> None:
    edit(project / "params.yaml", "max_iter: 100", "max_iter: 99")
    command = [str(environment / "bin" / "mlproduct"), "train", "--why", "to be stopped"]
    env = variables_of(environment) | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=project, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            if "mlproduct stage train" in line:
                break
        time.sleep(1)
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)  # to it alone, as a program does; a terminal interrupts all
        assert process.wait(timeout=60) == 130
        lines = [line for line in process.stderr.read().splitlines() if line.strip()]
    assert lines[-1:] == ["interrupted: `mlproduct train` was stopped"]
    assert [line for line in lines if "ERROR" in line or "Traceback" in line] == []
    assert psutil.wait_procs(family, timeout=5)[1] == []
    assert list(project.rglob("*.part")) == []
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in (project / "experiments").glob("*.json")]
    assert [(run["status"], run["said"]) for run in runs if run["hypothesis"] == "to be stopped"] == [
        ("crashed", "interrupted")
    ]
    left = json.loads(inside("dvc", "status", "--json").stdout)  # no lock is held
    assert "report" in left  # the stage at work was stopped, and none came after it
