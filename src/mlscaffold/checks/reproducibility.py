"""Reproducibility: the same commit gives the same model."""

import ast
import re
from typing import Any

from . import code, locks
from .repository import Repository
from .sources import (
    DVC_PIPELINES,
    HIDDEN_DEBT,
    ML_TEST_SCORE,
    NUMPY_RANDOM,
    PIP_HASHES,
    PIP_REPEAT,
    PYPROJECT,
    SKLEARN_RANDOM,
)
from .standard import Finding, Findings, family
from .untrusted_yaml import items, mapping, within

FAMILY = family("RE", "Reproducibility", "Does the same commit give the same model?")
# Estimators and splitters of scikit-learn that draw lots, and what draws rows.
_DRAWS = {
    "train_test_split", "HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "GradientBoostingClassifier",
    "GradientBoostingRegressor", "RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier",
    "ExtraTreesRegressor", "MLPClassifier", "MLPRegressor", "SGDClassifier", "SGDRegressor", "KMeans", "ShuffleSplit",
    "StratifiedShuffleSplit", "GroupShuffleSplit", "RandomizedSearchCV", "XGBClassifier", "XGBRegressor",
    "LGBMClassifier", "LGBMRegressor", "DecisionTreeClassifier", "DecisionTreeRegressor",
}  # fmt: skip
_SEEDS = ("random_state", "seed", "random_seed")
_LEGACY = re.compile(r"^numpy\.random\.(rand|randn|randint|random|choice|shuffle|permutation|normal|uniform|seed)$")
_MODULE = re.compile(r"^random\.(random|randint|choice|choices|shuffle|sample|uniform|gauss)$")
_TRAINS = re.compile(r"\b(train|fit|fit_model|train_model)\(")
_LEARNS = re.compile(r"\b(train|fit)", re.IGNORECASE)
_PARAMS = ("params.yaml", "reports/params.yaml")
_RUNNERS = (
    "dvc.yaml",
    "Snakefile",
    "MLproject",
    "conf/base/catalog.yml",
    "*/pipeline_registry.py",
    "*_dag.py",
    "dags/*.py",
)


@FAMILY.rule(
    1, "high",
    why="Without a lock tomorrow's installation is another one, and so is the model.",
    source=PIP_REPEAT,
    fix="Lock every version, indirect ones too: uv pip compile --generate-hashes pyproject.toml -o requirements.lock",
    needs="a Python file",
)  # fmt: skip
def locked(repository: Repository) -> Findings:
    """A lock pins every package."""
    if not repository.python and not repository.matching("*.ipynb"):
        return None
    files = [*locks.texts(repository), *locks.tables(repository)]
    files += repository.matching("Pipfile.lock", "conda-lock.yml", "pixi.lock")
    if not files:
        return [Finding("there is no lock")]
    return [
        Finding(f"{name} is not pinned", path)
        for path in locks.texts(repository)
        for name in locks.loose(repository, path)
    ]


@FAMILY.rule(
    2, "high",
    why="A version can be replaced on the index or on the way; a hash cannot.",
    source=PIP_HASHES,
    fix="Make the lock with hashes (`uv pip compile --generate-hashes`) and install it with `--require-hashes`.",
    needs="a lock",
)  # fmt: skip
def hashed(repository: Repository) -> Findings:
    """Each pin has a hash."""
    pins = locks.pins(repository)
    if not pins:
        return None
    bare = [pin for pin in pins if not pin.hashed]
    return [Finding(f"{pin.name} {pin.version} has no hash", pin.path, pin.line) for pin in bare[:10]]


@FAMILY.rule(
    3, "medium",
    why="A dependency that the lock lacks is installed at whatever version the day offers.",
    source=PIP_REPEAT,
    fix="Make the lock again after each change of pyproject.toml.",
    needs="a lock, and dependencies in pyproject.toml",
)  # fmt: skip
def lock_complete(repository: Repository) -> Findings:
    """The lock holds every declared dependency."""
    pinned = {pin.name for pin in locks.pins(repository)}
    project = mapping(repository.toml("pyproject.toml").get("project"))
    declared = [*items(project.get("dependencies")), *_flat(mapping(project.get("optional-dependencies")))]
    names = {locks.normal(match[0]): match[0] for text in declared if (match := re.match(r"[\w.-]+", str(text)))}
    if not pinned or not names:
        return None
    missing = sorted(names.keys() - pinned - {locks.normal(str(project.get("name", "")))})
    return [
        Finding(f"{name} is in no lock", "pyproject.toml", repository.line("pyproject.toml", names[name]))
        for name in missing
    ]


def _flat(groups: dict[str, list[Any]]) -> list[Any]:
    return [each for group in groups.values() for each in items(group)]


@FAMILY.rule(
    4, "high",
    why="Two trainings with the same data must give the same model, or no comparison means anything.",
    source=SKLEARN_RANDOM,
    fix="Pass a seed from params.yaml: random_state=params.seed, numpy.random.default_rng(seed).",
    needs="code that draws lots",
)  # fmt: skip
def seeded(repository: Repository) -> Findings:
    """Everything that draws lots has a seed."""
    found = [(path, name, call) for path in _drawing(repository) for name, call in code.calls(repository, path)]
    lots = [(path, name, call) for path, name, call in found if _draws(name)]
    if not lots:
        return None
    return [
        Finding(f"{name.rsplit('.', 1)[-1]}() has no seed", path, call.lineno)
        for path, name, call in lots
        if not _has_seed(name, call)
    ]


def _drawing(repository: Repository) -> list[str]:
    words = (*_DRAWS, "default_rng", ".sample(")
    return [path for path in repository.python if repository.holds(path, *words)]


def _draws(name: str) -> bool:
    return name.rsplit(".", 1)[-1] in _DRAWS or name == "numpy.random.default_rng"


def _has_seed(name: str, call: ast.Call) -> bool:
    values = [value for word in _SEEDS if (value := code.keyword(call, word)) is not None]
    values += call.args[:1] if name.endswith("default_rng") else []
    return any(not (isinstance(value, ast.Constant) and value.value is None) for value in values)


@FAMILY.rule(
    5, "medium",
    why="A global generator gives other numbers as soon as anything else draws from it.",
    source=NUMPY_RANDOM,
    fix="Use a generator of your own: rng = numpy.random.default_rng(seed).",
    needs="code that uses random numbers",
)  # fmt: skip
def no_global_lots(repository: Repository) -> Findings:
    """No draws from the global generators."""
    paths = [path for path in repository.python if repository.holds(path, "random.")]
    found = [(path, name, call) for path in paths for name, call in code.calls(repository, path)]
    lots = [(path, name, call) for path, name, call in found if "random" in name]
    if not lots:
        return None
    return [
        Finding(f"{name}() draws from the global generator", path, call.lineno)
        for path, name, call in lots
        if _LEGACY.match(name) or _MODULE.match(name)
    ]


@FAMILY.rule(
    6, "medium",
    why="A number in the code is tuned by nobody and recorded by nothing.",
    source=HIDDEN_DEBT,
    fix="Keep what a person may tune in params.yaml (or conf/), with a comment each, and read it in the code.",
    needs="a Python file",
)  # fmt: skip
def parameters(repository: Repository) -> Findings:
    """Parameters stand in a file."""
    if not repository.python and not repository.matching("*.ipynb"):
        return None
    files = repository.matching(
        "params.yaml", "params.json", "params.toml", "conf/*.y*ml", "config/*.y*ml", "config*.y*ml"
    )
    if not files:
        return [Finding("there is no params.yaml or the like")]
    return [] if any(_numbers(repository.yaml(path)) for path in files) else [Finding("it holds no number", files[0])]


def _numbers(document: object) -> bool:
    if isinstance(document, dict):
        return any(_numbers(each) for each in document.values())
    return isinstance(document, int | float) and not isinstance(document, bool)


@FAMILY.rule(
    7, "high",
    why="Steps that a person does by hand are done in another order next time.",
    source=DVC_PIPELINES,
    fix="Describe the steps from raw data to model as stages of dvc.yaml, with their inputs and outputs.",
    needs="a Python file",
)  # fmt: skip
def pipeline(repository: Repository) -> Findings:
    """The steps from data to model are a pipeline."""
    if not repository.python and not repository.matching("*.ipynb"):
        return None
    if "dvc.yaml" in repository.known:
        named = {f"{name} {stage.get('cmd', '')}": stage for name, stage in stages(repository).items()}
        trains = any(_LEARNS.search(words) and outputs(stage) for words, stage in named.items())
        return [] if trains else [Finding("no stage trains a model and says what it writes", "dvc.yaml")]
    return [] if repository.matching(*_RUNNERS) else [Finding("no pipeline is described")]


def stages(repository: Repository) -> dict[str, dict[str, Any]]:
    """Return the stages of dvc.yaml."""
    found = mapping(within(repository.yaml("dvc.yaml"), "stages"))
    return {str(name): stage for name, stage in found.items() if isinstance(stage, dict)}


def outputs(stage: dict[str, Any], *kinds: str) -> list[str]:
    """Return the paths that a stage writes."""
    listed = [each for kind in kinds or ("outs", "metrics", "plots") for each in items(stage.get(kind))]
    return [str(next(iter(each), "")) if isinstance(each, dict) else str(each) for each in listed]


@FAMILY.rule(
    8, "high",
    why="A stage whose input is not there, or that nobody made, cannot run on a fresh clone.",
    source=DVC_PIPELINES,
    fix="Correct the path in dvc.yaml, commit the file, or let a stage make it.",
    needs="a stage of dvc.yaml with inputs",
)  # fmt: skip
def inputs_there(repository: Repository) -> Findings:
    """Every input of a stage is in git, under DVC, or made by a stage."""
    found = stages(repository)
    inputs = [
        (name, str(path)) for name, stage in found.items() for path in items(stage.get("deps")) if "$" not in str(path)
    ]
    if not inputs:
        return None
    produced = {path for stage in found.values() for path in outputs(stage)}
    pointed = {path.removesuffix(".dvc") for path in repository.matching("*.dvc")}
    existing = repository.known | repository.folders | produced | pointed
    lost = [
        (name, path)
        for name, path in inputs
        if path not in existing and not any(path.startswith(f"{each}/") for each in produced)
    ]
    return [
        Finding(f"{name} needs {path}, which is nowhere", "dvc.yaml", repository.line("dvc.yaml", path))
        for name, path in lost
    ]


@FAMILY.rule(
    9, "medium",
    why="A parameter that does not exist stops the pipeline, or worse, is tuned without effect.",
    source=DVC_PIPELINES,
    fix="Correct the name in dvc.yaml or add it to params.yaml.",
    needs="params.yaml, and a stage of dvc.yaml with parameters",
)  # fmt: skip
def parameters_there(repository: Repository) -> Findings:
    """Every parameter that a stage names exists."""
    named = [(stage, name) for stage, body in stages(repository).items() for name in _named(body)]
    values, defaults = repository.yaml("params.yaml"), mapping(repository.json("params.schema.json"))
    if not named or values is None:
        return None
    return [
        Finding(f"{stage} names {name}, which params.yaml lacks", "dvc.yaml", _line(repository, stage, name))
        for stage, name in named
        if not _has(values, name) and not _has_default(defaults, name)
    ]


def _named(stage: dict[str, Any]) -> list[str]:
    """Return the parameters of params.yaml that a stage names, also those of its copy with all defaults."""
    listed = items(stage.get("params"))
    plain = [str(name) for name in listed if isinstance(name, str)]
    files = [each for each in listed if isinstance(each, dict)]
    return plain + [str(name) for each in files for path in _PARAMS for name in items(each.get(path))]


def _line(repository: Repository, stage: str, name: str) -> int:
    """Return the line where a stage names a parameter, in a list of lines or in one of brackets."""
    text = repository.text("dvc.yaml")
    begin = max(text.find(f"\n  {stage}:"), 0)
    found = re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.])").search(text, text.find("params:", begin))
    return text.count("\n", 0, found.start()) + 1 if found else 0


def _has_default(schema: dict[str, Any], name: str) -> bool:
    """Whether the schema of params.yaml declares a parameter: one that is left out has its default."""
    section, _, key = name.partition(".")
    found = mapping(within(schema, "properties", section))
    reference = str(found.get("$ref") or "").rpartition("/")[2]
    return bool(found) and (not key or key in mapping(within(schema, "$defs", reference, "properties")))


def _has(document: Any, name: str) -> bool:
    for part in name.split("."):
        if not isinstance(document, dict) or part not in document:
            return False
        document = document[part]
    return True


@FAMILY.rule(
    10, "low",
    why="The same lock on another Python is another environment.",
    source=PYPROJECT,
    fix="Say requires-python with both bounds, or commit a .python-version.",
    needs="pyproject.toml",
)  # fmt: skip
def python_version(repository: Repository) -> Findings:
    """The version of Python is said, with both bounds."""
    if "pyproject.toml" not in repository.known:
        return None
    bounds = str(mapping(repository.toml("pyproject.toml").get("project")).get("requires-python", ""))
    bounded = (
        ".python-version" in repository.known or ("<" in bounds and ">" in bounds) or "==" in bounds or "~=" in bounds
    )
    return [] if bounded else [Finding(f"requires-python is {bounds or 'missing'}", "pyproject.toml")]


@FAMILY.rule(
    11, "medium",
    why="A training that has no test is broken for weeks before somebody trains again.",
    source=ML_TEST_SCORE,
    fix="Write a test that trains on a few rows twice and compares the predictions.",
    needs="code that fits a model",
)  # fmt: skip
def training_tested(repository: Repository) -> Findings:
    """A test trains the model."""
    if not code.trains(repository):
        return None
    trains = [path for path in repository.tests if repository.finds(path, _TRAINS)]
    return [] if trains else [Finding("no test calls train() or fit()")]
