"""What the user answered, wherever: flags, files, environment, configuration."""

import keyword
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .credentials import refuse_answers
from .errors import UserError

# Settings of mlscaffold, which are no answers to the template's questions.
_SETTINGS = {"answers", "debug", "ref", "template", "trust"}
# What a generated repository imports or holds: a package of that name would hide it. copier.yml refuses the same.
_TAKEN = {
    "bentoml", "ce", "conftest", "data", "docs", "dvc", "experiments", "fairlearn", "hypothesis", "matplotlib",
    "mlproduct", "models", "numpy", "pandas", "pandera", "pyarrow", "pydantic", "pytest", "reports", "scipy", "score",
    "sklearn", "skops", "starlette", "statsmodels", "tests", "threadpoolctl", "yaml",
}  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """Answers to the template's questions.

    Attributes
    ----------
    values : mapping
        Answers, by question.
    named : tuple of str
        Those given on the command line or in a file of answers: the template must ask for them.
    template, ref : str, optional
        The template that a file or the configuration names.
    notes : tuple of str
        Messages about them for the user.
    """

    values: Mapping[str, Any]
    named: tuple[str, ...] = ()
    template: str | None = None
    ref: str | None = None
    notes: tuple[str, ...] = ()

    def plus(self, values: Mapping[str, Any]) -> "Answers":
        """Return these answers and more."""
        return replace(self, values={**self.values, **values})


def config_file() -> Path:
    """Return the file that holds the user's own defaults."""
    from platformdirs import user_config_path

    return user_config_path("mlscaffold", appauthor=False) / "config.yaml"


def gather(
    flags: Mapping[str, Any],
    pairs: Sequence[str] = (),
    file: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Answers:
    """Collect the answers: flags, -d, --answers, then the environment, then the user's configuration.

    Parameters
    ----------
    flags : mapping
        Values of the command line's options; None where not given.
    pairs : sequence of str
        `KEY=VALUE`, of -d.
    file : Path, optional
        A YAML file of answers.
    environ : mapping
        The environment: `MLSCAFFOLD_<QUESTION>`.

    Returns
    -------
    Answers
        The first place that gives an answer wins.

    Raises
    ------
    UserError
        If a pair or a file cannot be read, or an answer holds a password.
    """
    own = config_file()
    named = environ.get("MLSCAFFOLD_ANSWERS")
    typed = {**(read_settings(file) if file else {}), **dict(_pair(pair) for pair in pairs)}
    merged = {
        **(read_settings(own) if own.exists() else {}),
        **(read_settings(Path(named)) if named and not file else {}),
        **_from_environment(environ),
        **typed,
        **{name: value for name, value in flags.items() if value is not None},
    }
    template, ref = merged.get("template"), merged.get("ref")
    values = {name: value for name, value in merged.items() if name not in _SETTINGS}
    refuse_answers(values)
    return Answers(
        values,
        tuple(name for name in typed if name not in _SETTINGS),
        str(template) if template else None,
        str(ref) if ref else None,
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UserError(f"-d {text!r} is not an answer; write -d NAME=VALUE, for instance -d owner='Team Churn'")
    return name.strip(), value


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    prefix = "MLSCAFFOLD_"
    # An empty variable is one that was not set.
    found = {name: value for name, value in environ.items() if name.startswith(prefix) and value}
    return {name.removeprefix(prefix).lower(): value for name, value in found.items()}


def read_settings(file: Path) -> dict[str, Any]:
    """Read a YAML file of answers and settings."""
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"there is no file of answers {file}; check --answers (or MLSCAFFOLD_ANSWERS)") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{file} cannot be read as YAML: {' '.join(str(error).split())}") from error
    if found is not None and not (isinstance(found, dict) and all(isinstance(name, str) for name in found)):
        raise UserError(f"{file} must hold answers as `name: value`, one a line")
    return found or {}


def names(path: Path, values: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Derive the product's name and its package from the folder's name, where they are not given.

    Parameters
    ----------
    path : Path
        The folder to make.
    values : mapping
        Answers so far.

    Returns
    -------
    dict
        `name` and `package`.
    tuple of str
        What was changed, and why, to tell the user.
    """
    chosen = values.get("name")
    name = str(chosen) if chosen is not None else re.sub(r"[^A-Za-z0-9_-]+", "-", path.name).strip("-_")
    if not re.match(r"[A-Za-z]", name):
        raise UserError(
            f"{path.name!r} gives no name for the product: it must begin with a letter; give one with -d name=..."
        )
    changed = chosen is None and name != path.name
    notes = [f"the product is called {name}: names hold letters, digits, '-' and '_'"] if changed else []
    if "package" in values:
        return {"name": name, "package": str(values["package"])}, tuple(notes)
    package = re.sub(r"\W", "_", name.lower(), flags=re.ASCII).rstrip("_")
    reason = _taken(package)
    if reason:
        notes.append(f"the package is called {package}_model: {package} {reason}")
        package = f"{package}_model"
    return {"name": name, "package": package}, tuple(notes)


def _taken(package: str) -> str:
    if package in {*keyword.kwlist, *keyword.softkwlist, "type"}:  # `type` is one from Python 3.12
        return "is a word of the Python language"
    if package in sys.stdlib_module_names or package == "test":
        return "would hide a module of the standard library"
    return "would hide a library or a folder of the repository" if package in _TAKEN else ""


def columns(value: object) -> tuple[str, ...]:
    """Return a list of columns from how people write one: `a,b`, `[a, b]` or a list."""
    if value is None or value == "":
        return ()
    if isinstance(value, (list, tuple)):
        return tuple(str(each) for each in value)
    inner = str(value).strip().removeprefix("[").removesuffix("]")
    return tuple(each.strip().strip("'\"") for each in inner.split(",") if each.strip())
