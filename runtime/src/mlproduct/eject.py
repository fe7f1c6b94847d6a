"""Turn the library from a wheel into source of the repository: `runtime/`, its tests with it. Imports stay as they are.

All or nothing: the new contents are computed first, and a failure while they are written puts back what was there.
"""

import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from mlproduct import pinned
from mlproduct._version import __version__
from mlproduct.errors import DataError

TARGET = pinned.EJECTED.parents[1]
VENDOR = pinned.PIN.parent
ANSWERS = Path(".copier-answers.yml")
LOCAL = "+ejected"  # of the version: pip and uv replace the wheel of the same number
TESTS = "mlproduct/_tests/"
PROJECT = ("pyproject.toml", "README.md", "LICENSE", "api.txt")  # travel beside the tests, belong beside src/
SHIPPED = re.compile(r"\n# The tests travel with.*?\n(?=\n\[)", re.DOTALL)  # the wheel's copy of the tests
CONSTRAINTS = "# `make lock` resolves the library from here, not from an index.\nmlproduct @ ./runtime\n"
RUFF = """
# The repository's own rules are the team's; these are what the library keeps.
[tool.ruff]
line-length = 120
target-version = "py311"

[tool.ruff.lint]
select = ["B", "E", "F", "UP"]
"""

# What the template renders otherwise for `runtime: ejected`; tests/template/test_eject_generated.py compares.
PINNED = """\
$(VENV)/.library: $(VENV)/.ready vendor/requirements.txt
\t@$(REINSTALL) --no-deps --require-hashes -r vendor/requirements.txt && touch "$@"
"""
IN_PLACE = """\
$(VENV)/.library: $(VENV)/.ready runtime/pyproject.toml
\t@$(call install,$(VENV)) --no-deps --no-build-isolation -e runtime && touch "$@"
"""
_TREE = (
    "vendor/                    the library mlproduct, pinned by its hash: pipeline, evaluation, service, releases\n"
)
_HANDS_OFF = (
    "- `vendor/` and the installed `mlproduct`: the stages refuse to run with a library that is not the pinned one.\n"
)
README, AGENTS = Path("README.md"), Path("AGENTS.md")
PAGES = (README, AGENTS)


@dataclass(frozen=True)
class Edit:
    """A passage of a file of the repository that eject replaces.

    Attributes
    ----------
    path : Path
    old : tuple of str
        How the template writes the passage: one of these stands in the file exactly once.
    new : str
    """

    path: Path
    old: tuple[str, ...]
    new: str

    def apply(self, text: str) -> str:
        """Return the file's text with the passage replaced.

        Raises
        ------
        DataError
            If the passage is not there as the template writes it.
        """
        for old in self.old:
            if text.count(old) == 1:
                return text.replace(old, self.new)
        if self.path in PAGES:  # the team's own words: nothing depends on them
            return text
        raise DataError(
            f"{self.path} does not hold the text that the template writes for the library:\n\n{self.old[0]}\n"
            "Restore it, commit, and run `mlproduct eject` again; nothing was changed"
        )


EDITS = (
    Edit(Path("Makefile"), (PINNED,), IN_PLACE),
    Edit(
        Path("Makefile"),
        ("--find-links vendor --no-emit-find-links", "-c vendor/requirements.txt"),
        "-c runtime/constraints.txt",
    ),
    Edit(Path("dvc.yaml"), (f"      - {pinned.PIN.as_posix()}\n",), f"      - {pinned.EJECTED.as_posix()}\n"),
    Edit(
        README,
        (_TREE,),
        "runtime/                   the library mlproduct, now this repository's own source, with its tests\n",
    ),
    Edit(README, ("--require-hashes -r vendor/requirements.txt\n",), "--no-build-isolation -e runtime\n"),
    Edit(README, ("the new pin in `vendor/`, and merges",), "the library stays as you have made it, and merges"),
    Edit(AGENTS, (", pinned in `vendor/`;",), ", whose source is in `runtime/`;"),
    Edit(AGENTS, (_HANDS_OFF,), "- `runtime/`, unless the task is about the library.\n"),
    Edit(ANSWERS, ("\nruntime: vendored\n", "\nruntime: index\n"), "\nruntime: ejected\n"),
)


@dataclass(frozen=True)
class Plan:
    """What eject writes.

    Attributes
    ----------
    files : dict of str to bytes
        The files of runtime/, by their path in it.
    edited : dict of Path to str
        New contents of files of the repository.
    removed : tuple of Path
        The wheel and its pin.
    """

    files: dict[str, bytes]
    edited: dict[Path, str]
    removed: tuple[Path, ...]


def plan(root: Path) -> Plan:
    """Compute what eject writes, without touching the repository.

    Raises
    ------
    DataError
        If the library is ejected already, work is not committed, or a file is not as the template writes it.
    """
    _refuse(root)
    edited = dict[Path, str]()
    for edit in EDITS:
        path = root / edit.path
        if not path.is_file() and edit.path in PAGES:
            continue
        if not path.is_file():
            raise DataError(f"{edit.path} is missing: `git checkout {edit.path}` restores it")
        edited[edit.path] = edit.apply(edited.get(edit.path) or path.read_bytes().decode("utf-8").replace("\r\n", "\n"))
    pin = pinned.Pin.read(root)
    removed = (pinned.PIN,) if pin.wheel is None else (pinned.PIN, pin.wheel.relative_to(root))
    return Plan(project(library(pin)), edited, removed)


def _refuse(root: Path) -> None:
    if (root / pinned.EJECTED).is_dir():
        raise DataError(f"the library is ejected already: it is the source in {pinned.EJECTED.as_posix()}")
    if (root / TARGET).exists():
        raise DataError(f"{TARGET}/ exists and is not the library: move it, for eject writes the library there")
    command = ["git", "status", "--porcelain", "--", "."]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise DataError("this is not a git repository: `git init`, commit, and eject then; the commit is the way back")
    if changed := done.stdout.splitlines():
        names = ", ".join(line[3:] for line in changed[:3]) + (" ..." if len(changed) > 3 else "")
        raise DataError(f"there are uncommitted changes ({names}): commit or stash them first")


def library(pin: pinned.Pin) -> dict[str, bytes]:
    """Return the library's files with its tests, by their name in the wheel: of the wheel, else as installed.

    Raises
    ------
    DataError
        If the installed library holds no tests: then it is not the pinned wheel, but an editable install.
    """
    if pin.wheel is not None:
        with zipfile.ZipFile(pin.wheel) as archive:
            found = {name: archive.read(name) for name in archive.namelist() if name.startswith("mlproduct/")}
    else:
        paths = [path for path in pinned.HERE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        found = {path.relative_to(pinned.HERE.parent).as_posix(): path.read_bytes() for path in paths}
    if missing := [name for name in PROJECT if TESTS + name not in found]:
        where = pin.wheel or pinned.HERE
        raise DataError(
            f"{where} is not a released mlproduct: {', '.join(missing)} of its tests are missing (an editable install "
            f"holds none); `make setup` installs the library that {pinned.PIN.as_posix()} pins"
        )
    return found


def project(found: dict[str, bytes]) -> dict[str, bytes]:
    """Arrange the files of a wheel as a project of its own: src/, tests/ and pyproject.toml."""
    files = dict[str, bytes]()
    for name, content in sorted(found.items()):
        if not name.startswith(TESTS):
            files[f"src/{name}"] = content
        elif (own := name.removeprefix(TESTS)) in PROJECT:
            files[own] = content
        else:
            files[f"tests/{own}"] = content
    table = files["pyproject.toml"].decode("utf-8")
    files["pyproject.toml"] = (SHIPPED.sub("", table) + (RUFF if "[tool.ruff]" not in table else "")).encode()
    files["src/mlproduct/_version.py"] = files["src/mlproduct/_version.py"].replace(
        f'"{__version__}"'.encode(), f'"{__version__}{LOCAL}"'.encode()
    )
    files["constraints.txt"] = CONSTRAINTS.encode()
    return files


def apply(planned: Plan, root: Path) -> None:
    """Write a plan; what was there is put back if that fails."""
    before = {path: (root / path).read_bytes() for path in (*planned.edited, *planned.removed)}
    try:
        for name, content in planned.files.items():
            path = root / TARGET / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for path, text in planned.edited.items():
            (root / path).write_bytes(text.encode())
        for path in planned.removed:
            (root / path).unlink()
        if not any((root / VENDOR).iterdir()):
            (root / VENDOR).rmdir()
    except BaseException:
        shutil.rmtree(root / TARGET, ignore_errors=True)
        (root / VENDOR).mkdir(exist_ok=True)
        for path, content in before.items():
            (root / path).write_bytes(content)
        raise


def summary(planned: Plan, root: Path) -> str:
    """Say what was written, and what to do next."""
    tests = sum(name.startswith("tests/") for name in planned.files)
    lines = [
        f"{TARGET}/ holds mlproduct {__version__}{LOCAL}: {len(planned.files)} files, {tests} of them tests.",
        f"Removed: {', '.join(path.as_posix() for path in planned.removed)}",
        f"Changed: {', '.join(path.as_posix() for path in planned.edited)}",
    ]
    if editable := pinned.editable():
        lines.append(f"Note: the library that ran is an editable install of {editable}, equal to the pinned one.")
    if (root / VENDOR).is_dir():
        files = ", ".join(sorted(path.name for path in (root / VENDOR).iterdir()))
        lines.append(f"Kept: {VENDOR}/ ({files}); apply what you need of it to {TARGET}/, then delete it.")
    return "\n".join(
        [
            *lines,
            "From now on the library is yours: updates of the standard leave it alone.",
            "Next: make setup && make test lint && git add -A && git commit -m 'Eject the library'",
            f"Its own tests: cd {TARGET} && uv pip install --group test && python -m pytest",
            "Everyone else runs `make setup` after the pull.",
        ]
    )
