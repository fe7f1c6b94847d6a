"""Data: versioned, described, and not in git."""

from pathlib import PurePosixPath
from typing import Any

from . import code
from .repository import Repository
from .sources import DATASHEETS, DVC_DATA, DVC_REMOTE, ML_TEST_SCORE, RULES_OF_ML
from .standard import Finding, Findings, family
from .untrusted_yaml import items, mapping, mappings, within

FAMILY = family("DA", "Data", "Is the data versioned, described and kept out of git?")
_SUFFIXES = (
    "*.csv", "*.csv.gz", "*.tsv", "*.parquet", "*.feather", "*.xlsx", "*.xls", "*.h5", "*.hdf5", "*.npy", "*.npz",
    "*.sqlite", "*.db", "*.jsonl", "*.arrow", "*.orc", "*.avro",
)  # fmt: skip
SMALL = 100_000  # bytes: an example for a test, not the data
_SCHEMAS = ("pandera", "great_expectations", "tensorflow_data_validation", "frictionless", "patito", "dataframely")
_ROLES = {"feature", "target", "protected", "time", "id", "ignore"}
CONTRACT = "contract.yaml"


@FAMILY.rule(
    1, "high",
    why="Without the version of its data no model can be made again, and no bad one explained.",
    source=DVC_DATA,
    fix="Put the data under DVC (`dvc add data/raw.csv`) or Git LFS, and commit the pointer.",
    needs="a Python file",
)  # fmt: skip
def versioned(repository: Repository) -> Findings:
    """The data is versioned."""
    if not repository.python and not repository.matching("*.ipynb"):
        return None
    large = "filter=lfs" in repository.text(".gitattributes")
    return (
        [] if large or pointers(repository) or _locked(repository) else [Finding("neither DVC nor Git LFS holds data")]
    )


def pointers(repository: Repository) -> list[tuple[str, dict[str, Any]]]:
    """Return DVC's pointers: path, and each thing that it points at."""
    paths = repository.matching("*.dvc")
    return [(path, out) for path in paths for out in mappings(within(repository.yaml(path), "outs"))]


def _locked(repository: Repository) -> bool:
    return bool(within(repository.yaml("dvc.lock"), "stages"))


@FAMILY.rule(
    2, "high",
    why="Data in git stays in every clone for ever, also after it had to be erased.",
    source=DVC_DATA,
    fix="git rm --cached FILE, then `dvc add FILE`; data that must be erased has to leave the history, too.",
    needs="a git repository with files",
)  # fmt: skip
def not_in_git(repository: Repository) -> Findings:
    """No data in git."""
    if not repository.in_git or not repository.files:
        return None
    return [
        Finding(f"{size // 1000} kB of data are in git", path)
        for path in repository.matching(*_SUFFIXES)
        if (size := repository.size(path)) > SMALL
    ]


@FAMILY.rule(
    3, "high",
    why="A pointer without a hash, or beside a file that git tracks as well, versions nothing.",
    source=DVC_DATA,
    fix="Run `dvc add FILE` again, and see that git ignores FILE.",
    needs="a .dvc file",
)  # fmt: skip
def pointed_at(repository: Repository) -> Findings:
    """Each DVC pointer has a hash, and its data is not in git as well."""
    paths = repository.matching("*.dvc")
    if not paths:
        return None
    found = pointers(repository)
    with_outs = {path for path, _ in found}
    empty = [Finding("points at nothing", path) for path in paths if path not in with_outs]
    bare = [Finding(f"{out.get('path')} has no hash", path) for path, out in found if not {"md5", "etag"} & out.keys()]
    twice = [(path, str(PurePosixPath(path).parent / str(out.get("path")))) for path, out in found]
    tracked = [Finding(f"{file} is in git as well", path) for path, file in twice if file in repository.known]
    return [*empty, *bare, *(tracked if repository.in_git else ())]


@FAMILY.rule(
    4, "medium",
    why="Data that is in one cache only is gone with that machine.",
    source=DVC_REMOTE,
    fix="dvc remote add --default storage URL",
    needs="DVC",
)  # fmt: skip
def remote(repository: Repository) -> Findings:
    """DVC has a default remote."""
    if ".dvc/config" not in repository.known:
        return None
    config = [line.strip() for line in repository.text(".dvc/config").splitlines()]
    name = next((line.partition("=")[2].strip() for line in config if line.startswith("remote") and "=" in line), "")
    if not name:
        return [Finding("[core] names no remote", ".dvc/config")]
    described = any(line.startswith("['remote") and f'"{name}"' in line for line in config)
    return [] if described else [Finding(f"remote {name} is not described", ".dvc/config")]


@FAMILY.rule(
    5, "high",
    why="A model goes wrong in silence when a column changes its meaning; a contract says it aloud.",
    source=ML_TEST_SCORE,
    fix="Write down each column's type, range and role (`mlscaffold infer FILE` prints them), and check it.",
    needs="a Python file",
)  # fmt: skip
def contract(repository: Repository) -> Findings:
    """A contract says what the data may hold."""
    if not repository.python and not repository.matching("*.ipynb"):
        return None
    if columns(repository) or code.importing(repository, repository.python, *_SCHEMAS):
        return []
    return [Finding("no contract or schema of the data")]


def columns(repository: Repository) -> dict[str, dict[str, Any]]:
    """Return the columns of contract.yaml."""
    found = mapping(within(repository.yaml(CONTRACT), "columns"))
    return {str(name): mapping(each) for name, each in found.items()}


@FAMILY.rule(
    6, "medium",
    why="What is not written down is not checked: a number without a range takes 1e300.",
    source=ML_TEST_SCORE,
    fix="Give each column a role and a type, each number a range, each category its categories (null: any).",
    needs="contract.yaml with columns",
)  # fmt: skip
def columns_complete(repository: Repository) -> Findings:
    """Each column of the contract says role, type and what is allowed."""
    found = columns(repository)
    if not found:
        return None
    line = {name: repository.line(CONTRACT, f"\n  {name}:") + 1 for name in found}
    return [Finding(f"{name} {lack}", CONTRACT, line[name]) for name, each in found.items() for lack in _lacks(each)]


def _lacks(column: dict[str, Any]) -> list[str]:
    kind, role = column.get("type"), column.get("role")
    lacks = [f"has no {key}" for key in ("type", "nullable") if key not in column]
    if role not in _ROLES:
        lacks.append(f"has the role {role!r}, which is none" if role else "has no role")
    if kind in ("number", "integer") and "range" not in column and role != "ignore":
        lacks.append("has no range")
    if kind == "category" and "categories" not in column and role != "ignore":
        lacks.append("has no categories")
    return lacks


@FAMILY.rule(
    7, "high",
    why="A pipeline that does not know its target trains on it.",
    source=RULES_OF_ML,
    fix="Give exactly one column the role target, and at least one the role feature.",
    needs="contract.yaml with columns",
)  # fmt: skip
def one_target(repository: Repository) -> Findings:
    """The contract names one target, and features."""
    found = columns(repository)
    if not found:
        return None
    roles = [column.get("role") for column in found.values()]
    wrong = [] if roles.count("target") == 1 else [f"{roles.count('target')} columns are the target"]
    wrong += [] if "feature" in roles else ["no column is a feature"]
    return [Finding(text, CONTRACT) for text in wrong]


@FAMILY.rule(
    8, "medium",
    why="A contract that nothing reads is a wish.",
    source=ML_TEST_SCORE,
    fix="Let the first stage of dvc.yaml depend on contract.yaml and the raw data, and check one against the other.",
    needs="contract.yaml and dvc.yaml",
)  # fmt: skip
def contract_in_pipeline(repository: Repository) -> Findings:
    """A stage of the pipeline checks the contract."""
    found = mapping(within(repository.yaml("dvc.yaml"), "stages"))
    if CONTRACT not in repository.known or not found:
        return None
    checks = [mapping(stage) for stage in found.values() if CONTRACT in items(within(stage, "deps"))]
    reads = [stage for stage in checks if len(items(stage.get("deps"))) > 1 and not stage.get("outs")]
    return [] if reads else [Finding("no stage holds the raw data to contract.yaml", "dvc.yaml")]


@FAMILY.rule(
    9, "medium",
    why="A contract of a file that has no version describes whatever lies there today.",
    source=DATASHEETS,
    fix="Let source.path of contract.yaml name the raw file, and `dvc add` that file.",
    needs="contract.yaml with source.path, and data under DVC",
)  # fmt: skip
def source_versioned(repository: Repository) -> Findings:
    """The file that the contract describes is versioned."""
    path = within(repository.yaml(CONTRACT), "source", "path")
    if not path:
        return None
    lock = repository.text("dvc.lock")
    outs = {str(PurePosixPath(pointer).parent / str(out.get("path"))) for pointer, out in pointers(repository)}
    if not outs and not lock:
        return None
    return [] if path in outs or f"path: {path}" in lock else [Finding(f"{path} is not under DVC", CONTRACT)]
