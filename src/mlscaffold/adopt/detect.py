"""Detect what a repository is made of, from its files; none of its code runs."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..checks.repository import Repository, is_test

_TABLES = (".csv", ".csv.gz", ".tsv", ".parquet")
# Where teams keep what nobody has worked on yet, first the surest: cookiecutter-data-science, kedro, others.
_RAW = ("data/raw", "data/01_raw", "data", "")
_FRAMEWORKS = {
    "catboost": "CatBoost", "jax": "JAX", "keras": "Keras", "lightgbm": "LightGBM", "prophet": "Prophet",
    "sklearn": "scikit-learn", "scikit-learn": "scikit-learn", "statsmodels": "statsmodels", "tensorflow": "TensorFlow",
    "torch": "PyTorch", "transformers": "Transformers", "xgboost": "XGBoost",
}  # fmt: skip
_FORGES = {"github": (".github/workflows/*",), "gitlab": (".gitlab-ci.yml",)}
_OTHER_CI = {
    "Azure Pipelines": ("azure-pipelines.yml",), "Bitbucket": ("bitbucket-pipelines.yml",),
    "CircleCI": (".circleci/config.yml",), "Jenkins": ("Jenkinsfile",), "Travis": (".travis.yml",),
}  # fmt: skip
_ENVIRONMENTS = (
    "requirements.txt", "environment.yml", "environment.yaml", "Pipfile", "poetry.lock", "uv.lock", "pdm.lock",
    "setup.py", "setup.cfg", "pyproject.toml",
)  # fmt: skip
_DECLARATIONS = ("requirements*.txt", "requirements/*.txt", *_ENVIRONMENTS)
_IMPORT = re.compile(r'^[\s"]*(?:import|from)\s+(\w+)', re.MULTILINE)  # a line of a notebook begins with a quote
_WORD = re.compile(r"[A-Za-z][\w-]*")


@dataclass(frozen=True)
class Found:
    """What a repository has.

    Attributes
    ----------
    layout : str
        The shape that it follows: kedro, cookiecutter-data-science, package, flat.
    packages : tuple of str
        Names under which its code is imported.
    tables : tuple of str
        Data that could be what the model learns from: the files of the place that is the surest.
    notebooks : int
        How many.
    frameworks : tuple of str
        Libraries that its models are made with.
    forges : tuple of str
        github, gitlab: those whose CI it has.
    other_ci : tuple of str
        CI of other kinds.
    environment : tuple of str
        Files that say what to install.
    licensed : bool
        Whether it has a licence.
    """

    layout: str
    packages: tuple[str, ...]
    tables: tuple[str, ...]
    notebooks: int
    frameworks: tuple[str, ...]
    forges: tuple[str, ...]
    other_ci: tuple[str, ...]
    environment: tuple[str, ...]
    licensed: bool


def detect(repository: Repository, local: Iterable[str] = ()) -> Found:
    """Tell what a repository is made of.

    Parameters
    ----------
    repository : Repository
        Its files.
    local : iterable of str
        Files that git ignores: data often is.

    Returns
    -------
    Found
        What was found.
    """
    packages = tuple(_packages(repository))
    return Found(
        _layout(repository, packages),
        packages,
        _tables([*repository.files, *local]),
        len(repository.matching("*.ipynb")),
        tuple(sorted(set(_frameworks(repository)))),
        tuple(name for name, files in _FORGES.items() if repository.matching(*files)),
        tuple(name for name, files in _OTHER_CI.items() if repository.matching(*files)),
        tuple(name for name in _ENVIRONMENTS if name in repository.known),
        any(re.match(r"(?i)(licen[cs]e|copying)(\.\w+)?$", name) for name in repository.files),
    )


def _packages(repository: Repository) -> Iterator[str]:
    """Find what can be imported: folders under src/ and in the root that hold modules, and the root's modules."""
    under = {path.parts[1] for path in _paths(repository) if path.parts[0] == "src" and len(path.parts) > 2}
    beside = {path.parts[0] for path in _paths(repository) if len(path.parts) == 2 and path.name == "__init__.py"}
    alone = {path.stem for path in _paths(repository) if len(path.parts) == 1}
    yield from sorted((under | beside | alone) - {"tests", "test", "docs", "setup", "conftest"})


def _paths(repository: Repository) -> list[PurePosixPath]:
    return [PurePosixPath(name) for name in repository.files if name.endswith(".py") and not is_test(name)]


def _layout(repository: Repository, packages: tuple[str, ...]) -> str:
    if "kedro" in repository.toml("pyproject.toml").get("tool", {}) or repository.matching("conf/base/catalog*.y*ml"):
        return "kedro"
    marks = (("notebooks/*",), ("references/*", "reports/*", "models/*"), ("src/*", "*/dataset.py"), ("Makefile",))
    if all(repository.matching(*patterns) for patterns in marks):
        return "cookiecutter-data-science"
    folders = any(f"src/{name}" in repository.folders or name in repository.folders for name in packages)
    return "package" if folders else "flat"


def _tables(files: Iterable[str]) -> tuple[str, ...]:
    """Return the tables of the best place that has any; those of tests are none."""
    found = sorted({name for name in files if name.lower().endswith(_TABLES) and not is_test(f"{name}.py")})
    for place in _RAW:
        inside = [name for name in found if name.rpartition("/")[0] == place]
        inside = inside or [name for name in found if place and name.startswith(f"{place}/")]
        if inside:
            return tuple(inside)
    return ()


def _frameworks(repository: Repository) -> Iterator[str]:
    for path in repository.matching(*_DECLARATIONS):
        yield from (_FRAMEWORKS[word] for word in _WORD.findall(repository.text(path).lower()) if word in _FRAMEWORKS)
    for path in repository.matching("*.py", "*.ipynb"):
        yield from (_FRAMEWORKS[name] for name in _IMPORT.findall(repository.text(path)) if name in _FRAMEWORKS)
