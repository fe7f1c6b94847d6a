"""Layout and hygiene: can a newcomer find, run and trust what is here."""

import ast
import re

from . import forge
from .repository import Repository, nodes, remembered
from .sources import HIDDEN_DEBT, ML_TEST_SCORE, PYPROJECT, TWELVE_FACTORS
from .standard import Finding, Findings, family
from .untrusted_yaml import items, mapping, mappings, within

FAMILY = family("LH", "Layout and hygiene", "Can a newcomer find, run and trust what is here?")
_BLOCK = re.compile(r"^(```|~~~| {4}\S)", re.MULTILINE)
_LOCAL = re.compile(
    r"(^|/)(__pycache__|\.venv|\.ipynb_checkpoints|\.mypy_cache|\.pytest_cache)/|\.py[co]$|(^|/)\.DS_Store$|(^|/)\.env$"
)
_OF_A_MACHINE = re.compile(r"""["'=\s](/home/\w+/|/Users/\w+/|[A-Z]:\\\\?Users\\)""")
_LINTERS = ("ruff", "flake8", "pylint", "pyflakes")


@FAMILY.rule(
    1, "medium",
    why="What only its author can run is lost when the author moves on.",
    source=HIDDEN_DEBT,
    fix="Write a README.md that says what the model predicts, and the commands that train and serve it as code.",
    needs="a file",
)  # fmt: skip
def readme(repository: Repository) -> Findings:
    """The README shows the commands."""
    if not repository.files:
        return None
    found = repository.matching("README.md", "README.rst", "readme.md", "README")
    if not found:
        return [Finding("there is no README")]
    return [] if _BLOCK.search(repository.text(found[0])) else [Finding("it shows no command", found[0])]


@FAMILY.rule(
    2, "medium",
    why="Code without declared dependencies runs on one machine only.",
    source=PYPROJECT,
    fix="Declare [project] with name, requires-python and dependencies in pyproject.toml.",
    needs="a Python file",
)  # fmt: skip
def metadata(repository: Repository) -> Findings:
    """pyproject.toml says what the code needs."""
    if not repository.matching("*.py", "*.ipynb"):
        return None
    if "pyproject.toml" not in repository.known:
        return [Finding("there is no pyproject.toml")]
    project = mapping(repository.toml("pyproject.toml").get("project"))
    dynamic = items(project.get("dynamic"))
    missing = [key for key in ("name", "requires-python", "dependencies") if key not in project and key not in dynamic]
    return [Finding(f"[project] has no {key}", "pyproject.toml") for key in missing]


@FAMILY.rule(
    3, "medium",
    why="Glue in notebooks and loose scripts can be neither imported by a test nor reused by the service.",
    source=HIDDEN_DEBT,
    fix="Move the code into a package, src/NAME/ with an __init__.py, and let notebooks import it.",
    needs="Python or a notebook",
)  # fmt: skip
def package(repository: Repository) -> Findings:
    """The code is a package."""
    if not repository.python and not repository.matching("*.ipynb"):
        return None
    packages = [path for path in repository.python if path.endswith("/__init__.py")]
    return [] if packages else [Finding("no folder with an __init__.py holds the code")]


@FAMILY.rule(
    4, "high",
    why="Untested feature code is the most frequent cause of a model that is quietly wrong.",
    source=ML_TEST_SCORE,
    fix="Write tests/test_*.py with test functions that assert what the code must do.",
    needs="a Python file",
)  # fmt: skip
def tests(repository: Repository) -> Findings:
    """The code has tests that assert."""
    if not repository.python:
        return None
    own = [path for path in repository.tests if path.rsplit("/", 1)[-1].startswith("test_")]
    if any(_asserts(repository.text(path)) for path in own):
        return []
    return [Finding("no test function asserts anything" if own else "there is no test")]


@remembered
def _asserts(text: str) -> bool:
    if "def test" not in text or not ("assert" in text or "raises" in text):
        return False
    return any(isinstance(node, ast.Assert | ast.With) for node in nodes(text))


@FAMILY.rule(
    5, "low",
    why="What is not ignored is committed one day: environments, caches, and the secrets of .env.",
    source=TWELVE_FACTORS,
    fix="Add the lines `.venv/`, `__pycache__/` and `.env` to .gitignore.",
    needs="a git repository with Python",
)  # fmt: skip
def ignored(repository: Repository) -> Findings:
    """.gitignore covers environments, caches and .env."""
    if not repository.in_git or not repository.python:
        return None
    lines = {line.strip().strip("/") for line in repository.text(".gitignore").splitlines()}
    required = {
        "environments": {".venv", "venv", "env"},
        "caches": {"__pycache__", "*.py[co]", "*.pyc"},
        ".env": {".env", "*.env"},
    }
    return [Finding(f"nothing ignores {what}", ".gitignore") for what, ways in required.items() if not lines & ways]


@FAMILY.rule(
    6, "medium",
    why="Files that a machine made drift away from what made them, and .env carries secrets.",
    source=HIDDEN_DEBT,
    fix="Take it out of git and ignore it: git rm --cached FILE.",
    needs="a git repository with files",
)  # fmt: skip
def local_files(repository: Repository) -> Findings:
    """No caches, environments or .env in git."""
    if not repository.in_git or not repository.files:
        return None
    return [Finding("belongs to one machine", path) for path in repository.files if _LOCAL.search(path)][:20]


@FAMILY.rule(
    7, "low",
    why="Outputs of notebooks carry rows of data into git, and make every difference unreadable.",
    source=HIDDEN_DEBT,
    fix="Clear the outputs before a commit: nbstripout or `jupyter nbconvert --clear-output --inplace`.",
    needs="a notebook",
)  # fmt: skip
def notebooks(repository: Repository) -> Findings:
    """Notebooks are kept without outputs."""
    paths = repository.matching("*.ipynb")
    if not paths:
        return None
    return [Finding("holds outputs", path) for path in paths if _outputs(repository.json(path))]


def _outputs(notebook: object) -> bool:
    return any(cell.get("outputs") for cell in mappings(within(notebook, "cells")))


@FAMILY.rule(
    8, "low",
    why="A linter finds the undefined name before the night shift does.",
    source=HIDDEN_DEBT,
    fix="Configure ruff ([tool.ruff.lint] in pyproject.toml) and run it as a pre-commit hook.",
    needs="a Python file",
)  # fmt: skip
def linter(repository: Repository) -> Findings:
    """A linter is configured, and a hook or CI runs it."""
    if not repository.python:
        return None
    tools = mapping(repository.toml("pyproject.toml").get("tool"))
    files = repository.matching("ruff.toml", ".ruff.toml", ".flake8", ".pylintrc", "setup.cfg", "tox.ini")
    if not files and not any(name in tools for name in _LINTERS):
        return [Finding("no linter is configured")]
    hooked = [f"{hook.get('id', '')} {hook.get('entry', '')}" for hook in forge.hooks(repository)]
    run = any(name in words for words in hooked for name in _LINTERS)
    run = run or any(job.runs(*_LINTERS) for job in forge.jobs(repository))
    return [] if run else [Finding("neither a hook nor CI runs the linter")]


@FAMILY.rule(
    9, "high",
    why="A file with conflict markers is two files, and neither works.",
    source=HIDDEN_DEBT,
    fix="Resolve the conflict: search for <<<<<<<.",
    needs="a file",
)  # fmt: skip
def conflicts(repository: Repository) -> Findings:
    """No conflict markers are left."""
    if not repository.files:
        return None
    found = [path for path in repository.files if repository.holds(path, "\n>>>>>>> ")]
    places = [(path, repository.line(path, "<<<<<<< ")) for path in found]
    return [Finding("a conflict is left", path, line) for path, line in places if line]


@FAMILY.rule(
    10, "medium",
    why="A path of one machine works on that machine.",
    source=TWELVE_FACTORS,
    fix="Make the path relative to the repository, or take it from a parameter or the environment.",
    needs="a Python file, a notebook or a YAML file",
)  # fmt: skip
def machine_paths(repository: Repository) -> Findings:
    """No paths of one machine in code and configuration."""
    paths = [*repository.python, *repository.matching("*.ipynb", "*.yaml", "*.yml")]
    if not paths:
        return None
    found = [(path, match) for path in paths if (match := repository.finds(path, _OF_A_MACHINE))]
    return [Finding(f"holds {match[1]}", path, repository.line(path, match[1])) for path, match in found]


@FAMILY.rule(
    11, "low",
    why="Two ways to do a thing are one too many at three in the morning.",
    source=HIDDEN_DEBT,
    fix="Write a Makefile (or justfile, noxfile.py, tox.ini) whose verbs test and train.",
    needs="a Python file",
)  # fmt: skip
def verbs(repository: Repository) -> Findings:
    """One file holds the verbs: test and train."""
    if not repository.python:
        return None
    found = repository.matching("Makefile", "justfile", "Justfile", "noxfile.py", "tox.ini", "Taskfile.yml", "dodo.py")
    if not found:
        return [Finding("there is no Makefile or the like")]
    text = "\n".join(repository.text(path) for path in found)
    missing = [
        verb
        for verb in ("test", "train")
        if not re.search(rf"^(?!\t)(def )?[\w \[:]*\b{verb}\w*\b", text, re.MULTILINE)
    ]
    return [Finding(f"no verb {verb}", found[0]) for verb in missing]
