"""What each stage imports: all of it, whatever way it is imported, and nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
from modulefinder import ModuleFinder
from pathlib import Path

import pytest
import yaml
from mlproduct import imports, pinned, stages
from mlproduct.config import Params
from mlproduct.errors import DataError
from mlproduct.loaded_by_name import imported, loaded_by_name
from mlproduct_tests.repository import PACKAGE, ROOT

EDITS_EACH = """
import functools, json
from mlproduct import imports
sources = imports.Sources()
sources.files = functools.cache(sources.files)  # the edits change no import
def digests():
    return {name: sources.digest((module,)) for name, module in imports.STAGES.items()}
before, found = digests(), {}
for name in sorted(sources._graph.modules):
    path = sources.path(name)
    content = path.read_bytes()
    path.write_bytes(content + b"# edited\\n")
    found[name] = [stage for stage, digest in digests().items() if digest != before[stage]]
    path.write_bytes(content)
print(json.dumps(found))
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy of the repository's code, as the place where we work."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "params.yaml", tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path / "src")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        imports, "STAGES", {name: stages.STAGES[name] for name in ("contract", "prepare", "train", "verdict")}
    )
    return tmp_path / "src" / PACKAGE


def changed(action) -> list[str]:
    """Return the stages that run again after a change."""
    before = imports.digests()
    action()
    return [name for name, digest in imports.digests().items() if digest != before[name]]


def test_an_edit_of_any_module_runs_exactly_the_stages_that_import_it(tmp_path: Path):
    library = tmp_path / "library"
    ignored = shutil.ignore_patterns("__pycache__", "_tests")
    shutil.copytree(pinned.HERE, library / "mlproduct", ignore=ignored)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    env = {**os.environ, "PYTHONPATH": f"{library}{os.pathsep}{tmp_path / 'src'}"}
    done = subprocess.run(
        [sys.executable, "-c", EDITS_EACH], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    files = [path for folder in (library, tmp_path / "src") for path in folder.rglob("*.py")]
    assert len(found) == len(files)
    for path in files:  # ModuleFinder reads bytecode, and Python leaves out what is under `if False`
        path.write_text(path.read_text(encoding="utf-8").replace("if TYPE_CHECKING:", "if False:"), encoding="utf-8")
    expected = {name: importing(module, library, tmp_path / "src") for name, module in stages.STAGES.items()}
    for module, ran in found.items():
        assert ran == [stage for stage, modules in expected.items() if module in modules], module


def importing(module: str, library: Path, sources: Path) -> set[str]:
    """Return what a module imports, by the standard library's ModuleFinder in place of grimp."""
    finder = ModuleFinder([str(library), str(sources)])
    left, done = {module}, set[str]()
    while left:
        name = left.pop()
        finder.import_hook(name.rpartition(".")[0], fromlist=[name.rpartition(".")[2]])
        done.add(name)
        texts = [
            Path(found.__file__).read_text(encoding="utf-8") for found in finder.modules.values() if found.__file__
        ]
        by_name = {name for text in texts for name in re.findall(r'team\.\w+\("(\w+)"\)', text)}
        left |= {f"{PACKAGE}.{name}" for name in by_name if (sources / PACKAGE / f"{name}.py").exists()} - done
    return set(finder.modules)


def test_each_stage_counts_the_model_but_those_that_have_none():
    sources = imports.Sources()
    without = [name for name, module in stages.STAGES.items() if f"{PACKAGE}.model" not in sources.closure([module])]
    assert without == ["contract", "prepare", "verdict", "report"]


def test_no_stage_counts_what_every_release_of_the_library_changes():
    sources = imports.Sources()
    closure = sources.closure(stages.STAGES.values())
    assert {name for name in closure if name in ("mlproduct._version", "mlproduct.pinned")} == set()
    assert not any(name.startswith("mlproduct.cli") for name in closure)


def test_the_library_computes_no_name_of_a_module_where_a_stage_would_not_see_it():
    sources = imports.Sources()
    closure = sources.closure(stages.STAGES.values())
    assert {name for name in closure if name.startswith("mlproduct") and sources.loaded(name).computed} <= {
        "mlproduct",  # its lazy names are read from _PLACES
        "mlproduct.team",  # the argument of its callers is read
    }


@pytest.mark.parametrize(
    "line",
    [
        "from .rules import limit",
        f"import {PACKAGE}.rules",
        f"def later():\n    from {PACKAGE} import rules",
        "import importlib\nrules = importlib.import_module('.rules', __package__)",
        f"rules = __import__('{PACKAGE}.rules')",
        "import importlib\nrules = importlib.import_module(f'{__package__}.{1 and \"rules\"}')",
    ],
    ids=["from", "import", "lazy", "relative name", "full name", "computed name"],
)
def test_a_helper_of_the_model_counts_however_it_is_imported(repository: Path, line: str):
    (repository / "rules.py").write_text("limit = 1\n", encoding="utf-8")
    assert changed(lambda: (repository / "rules.py").write_text("limit = 2\n", encoding="utf-8")) == []
    model = repository / "model.py"
    model.write_text(f"{model.read_text(encoding='utf-8')}\n\n{line}\n", encoding="utf-8")
    assert changed(lambda: (repository / "rules.py").write_text("limit = 3\n", encoding="utf-8")) == ["train"]


def test_the_fingerprint_of_a_run_counts_a_helper_of_the_model(repository: Path):
    model, helper = repository / "model.py", repository / "rules.py"
    helper.write_text("limit = 1\n", encoding="utf-8")
    model.write_text(f"from .rules import limit\n{model.read_text(encoding='utf-8')}", encoding="utf-8")
    before = imports.of_model()
    (repository / "service.py").write_text("# another service\n", encoding="utf-8")
    assert imports.of_model() == before
    helper.write_text("limit = 2\n", encoding="utf-8")
    assert imports.of_model() != before


def test_a_helper_in_another_package_of_src_counts(repository: Path):
    other = repository.parent / "shared"
    other.mkdir()
    (other / "__init__.py").touch()
    (other / "rules.py").write_text("limit = 1\n", encoding="utf-8")
    model = repository / "model.py"
    model.write_text(f"from shared.rules import limit\n{model.read_text(encoding='utf-8')}", encoding="utf-8")
    assert changed(lambda: (other / "rules.py").write_text("limit = 2\n", encoding="utf-8")) == ["train"]


@pytest.mark.parametrize("place", ["rules.py", f"{PACKAGE}/parts/rules.py"])
def test_a_helper_that_no_stage_would_notice_is_refused(repository: Path, place: str):
    path = repository.parent / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("limit = 1\n", encoding="utf-8")
    model = repository / "model.py"
    name = place.removesuffix(".py").replace("/", ".")
    model.write_text(f"from {name} import limit\n{model.read_text(encoding='utf-8')}", encoding="utf-8")
    with pytest.raises(DataError, match=r"rules\.py, which is in no package.*__init__\.py in each folder"):
        imports.digests()


@pytest.mark.parametrize("name", ["cities.csv", "page.html", "words.txt", "tables/rates.parquet", "weights.bin"])
def test_a_data_file_of_the_package_counts(repository: Path, name: str):
    path = repository / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"1\n")
    assert changed(lambda: path.write_bytes(b"2\n")) == ["train"]


@pytest.mark.parametrize(
    "name",
    ["model.py~", ".model.py.swp", "#model.py#", "model.py.bak", "model.py.orig", "model.py.rej", "model copy.py",
     "__pycache__/model.pyc", ".ipynb_checkpoints/model-checkpoint.py", "scratch.py"],
)  # fmt: skip
def test_what_an_editor_leaves_and_what_nobody_imports_does_not_count(repository: Path, name: str):
    def leave() -> None:
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text("left = 1\n", encoding="utf-8")

    assert changed(leave) == []


def test_imports_for_type_checkers_do_not_count(repository: Path):
    (repository / "rules.py").write_text("limit = 1\n", encoding="utf-8")
    model = repository / "model.py"
    lines = f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from {PACKAGE} import rules\n"
    model.write_text(lines + model.read_text(encoding="utf-8"), encoding="utf-8")
    assert changed(lambda: (repository / "rules.py").write_text("limit = 2\n", encoding="utf-8")) == []


def test_line_ends_of_windows_change_nothing(repository: Path):
    model = repository / "model.py"
    assert changed(lambda: model.write_bytes(model.read_bytes().replace(b"\n", b"\r\n"))) == []


def test_a_file_that_moves_or_goes_counts(repository: Path):
    (repository / "a.txt").write_text("1", encoding="utf-8")
    assert changed(lambda: (repository / "a.txt").rename(repository / "b.txt")) == ["train"]
    assert changed((repository / "b.txt").unlink) == ["train"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.py", b"<<<<<<< HEAD\n", r"model\.py, line 1: not valid Python"),
        ("model.py", b'x = "\xff"\n', r"model\.py as UTF-8.*save it as UTF-8"),
        ("../mlproduct/__init__.py", b"", "hides the library"),
    ],
)
def test_code_that_cannot_be_read_is_an_error_of_the_user(repository: Path, name: str, content: bytes, message: str):
    (repository / name).parent.mkdir(exist_ok=True)
    (repository / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        imports.digests()


def test_a_package_without_its_init_is_refused(repository: Path):
    (repository / "__init__.py").unlink()
    with pytest.raises(DataError, match=r"__init__\.py is missing: `git checkout` restores it"):
        imports.digests()


def test_keys_hold_no_dots_and_name_every_stage(repository: Path):
    imports.main()
    written = yaml.safe_load(imports.OUTPUT.read_text(encoding="utf-8"))
    assert list(written) == list(imports.STAGES)
    assert not any("." in name for name in written)
    assert len(set(written.values())) == len(written)


def test_parameters_that_are_missing_are_written_with_their_defaults(repository: Path):
    Path("params.yaml").write_text("model: {max_iter: 7}\n", encoding="utf-8")
    imports.main()
    written = yaml.safe_load(imports.VALUES.read_text(encoding="utf-8"))
    assert written["model"]["max_iter"] == 7
    assert written == Params.load().model_dump()
    assert (written["own"], written["bias"]["allow"], written["service"]["tolerance"]) == ({}, [], 1e-06)


def test_names_that_are_imported_when_they_are_asked_for_lead_to_their_modules():
    lazy = {"Contract": "mlproduct.contract.columns", "open": "mlproduct.project"}
    assert loaded_by_name("from mlproduct import Contract", "churn", lazy).modules == {"mlproduct.contract.columns"}
    assert loaded_by_name("import mlproduct\nmlproduct.open()", "churn", lazy).modules == {"mlproduct.project"}
    assert loaded_by_name("from mlproduct import team", "churn", lazy).modules == frozenset()


def test_relative_names_are_made_whole():
    assert imported("from ..rules import limit", "churn.parts") == {"churn.rules", "churn.rules.limit"}
    assert imported("from . import rules", "churn") == {"churn", "churn.rules"}


def test_a_stage_that_does_not_exist_is_named():
    with pytest.raises(DataError, match="there is no stage 'trian'; there are imports, contract"):
        stages.run("trian")
    with pytest.raises(KeyError, match=r"no such module: mlproduct\.nothing"):
        imports.Sources().closure(["mlproduct.nothing"])
