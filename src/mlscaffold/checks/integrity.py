"""Integrity of the library that judges: pinned, released, and the one that runs (`judges` has what it judges by)."""

import hashlib
import re
from collections.abc import Iterator

from . import library, released
from .library import EJECTED, NAME, PIN
from .patches import patches
from .repository import LARGEST, Repository
from .sources import HIDDEN_DEBT, PIP_HASHES, PYTHON_PATH, SLSA
from .standard import Finding, Findings, Note, family

FAMILY = family("IN", "Integrity", "Are those that judge the model the standard's?")
RUNS_IT = "a repository that runs the library mlproduct"
_SHADOW = re.compile(rf"^(?P<place>(.*/)?{NAME}(/|(\.[\w-]+)*\.(py|pyc|so|pyd)$))")
_CODE = (".py", ".pyc", ".so", ".pyd")
_STARTED = re.compile(r"(^|/)(sitecustomize|usercustomize)(\.py|/__init__\.py)$")
_SETTINGS = (
    "*Makefile", "*.mk", "*.yaml", "*.yml", "*.toml", "*.cfg", "*.ini", "*.env", "*.envrc", "*.sh", "*Dockerfile*",
    "*Containerfile", "justfile", "noxfile.py",
)  # fmt: skip
# Lines that set a variable of Python's: `PYTHONPATH=x`, `PYTHONPATH: x`, `"PYTHONPATH" = "x"`; `- name: PYTHONPATH`.
_VARIABLE = r"\bPYTHON(?:PATH|HOME|STARTUP)\b"
_SET = re.compile(rf"""^[^#]*?{_VARIABLE}["'\]]*\s*(?:[?+:]*=|:)\s*(?P<value>\S*)""")
_NAMED = re.compile(rf"""^[^#]*\bname:\s*["']?{_VARIABLE}""")
_INSTALLS = re.compile(
    rf"""\b(?:install|(?:uv|poetry|pdm)\s+add)\b[^|;&]*?(?<![\w.-]){NAME}(?![\w/.-]*/)(?:[\[=@<>~"'-]|\s|$)"""
)
_PINNED = re.compile(
    rf"^\s*(?:-e\s+)?(?:\S*/)?{NAME}(?:\[[^\]]*\])?(?:\s*(?:@|[=~<>!]=)|-[\w.+!-]+\.whl)", re.MULTILINE
)
_DIRECT = re.compile(
    rf"""["']{NAME}(?:\[[^\]]*\])?\s*@|^{NAME}\s*=\s*\{{|^\[tool\.uv\.sources\.{NAME}\]""", re.MULTILINE
)
_HARMLESS = {"", "src", "./src"}  # the team's own package, of which the other findings speak


@FAMILY.rule(
    1, "high",
    why="Whoever can exchange the wheel decides what is good enough, in every repository that installs it.",
    source=PIP_HASHES,
    fix="Restore both: git checkout -- vendor. `mlscaffold update` raises them; `mlproduct eject` makes it your own.",
    needs=RUNS_IT,
)  # fmt: skip
def pinned(repository: Repository) -> Findings:
    """The library is the file that its pin names."""
    found = repository.mlproduct
    if found is None:
        return None
    if found.kind == "unpinned":
        fault = "does not pin the library by one line with its SHA-256" if PIN in repository.known else "is missing"
        return [Finding(fault, PIN)]
    if found.kind == "ejected":
        return [Finding("pins a wheel beside the ejected library", PIN)] if PIN in repository.known else []
    others = [path for path in repository.matching(f"*{NAME}-*.whl") if path != found.wheel]
    wrong = [Finding("is a second wheel of the library", path) for path in others]
    return wrong + (_of_wheel(repository, found) if found.kind == "vendored" else [])


def _of_wheel(repository: Repository, found: library.Library) -> list[Finding]:
    if found.wheel not in repository.known:
        return [Finding(f"{found.wheel} is not in the repository", PIN, repository.line(PIN, found.wheel))]
    if repository.size(found.wheel) > LARGEST:
        return [Finding(f"has more than {LARGEST // 10**6} MB", found.wheel)]
    content = repository.content(found.wheel)
    if content is None or hashlib.sha256(content).hexdigest() in found.hashes:
        return []
    return [Finding(f"is not the file that {PIN} pins: its SHA-256 differs", found.wheel)]


@FAMILY.rule(
    2, "high",
    why="A wheel that nobody has released was tested by nobody, and may let every model pass.",
    source=SLSA,
    fix="`mlscaffold update` brings a released one; a change of your own is an extension point, or `mlproduct eject`.",
    needs=RUNS_IT,
)  # fmt: skip
def is_released(repository: Repository) -> Findings:
    """The library is a released one."""
    found = repository.mlproduct
    if found is None or found.kind == "unpinned":
        return None
    if found.kind == "ejected":
        return _ejected(repository, found.version)
    wheels = released.wheels()
    newest = next(reversed(list(wheels.values())), "none")
    fault = f"is an unreleased build; the newest release that this mlscaffold knows is {newest}"
    return [
        Finding(f"{NAME} {found.version} with SHA-256 {digest[:12]}... {fault}", PIN, repository.line(PIN, digest))
        for digest in found.hashes
        if wheels.get(digest) != found.version
    ]


def _ejected(repository: Repository, version: str) -> list[Finding]:
    base = version.partition("+")[0]
    wheel = released.wheel(base)
    if wheel is None:
        return [Note(f"version {base or '?'} is not a release that this mlscaffold knows: nothing to compare", EJECTED)]
    differ = library.changed(repository, wheel)
    if not differ:
        return []
    names = ", ".join(differ[:3]) + (", ..." if len(differ) > 3 else "")
    many = "1 file differs" if len(differ) == 1 else f"{len(differ)} files differ"
    return [Note(f"ejected: {many} from {NAME} {base} as released: {names}", EJECTED)]


@FAMILY.rule(
    3, "high",
    why="Python takes the first module of a name: another mlproduct on its path judges in place of the pinned one.",
    source=PYTHON_PATH,
    fix="Delete or rename it. What is special to the product belongs into src/PACKAGE/extensions.py.",
    needs=RUNS_IT,
)  # fmt: skip
def unshadowed(repository: Repository) -> Findings:
    """Nothing stands in the library's place."""
    found = repository.mlproduct
    if found is None:
        return None
    own = f"{EJECTED}/" if found.kind == "ejected" else "\0"
    modules = [path for path in repository.files if path.endswith(_CODE) and not path.startswith(own)]
    places = dict.fromkeys(match["place"] for path in modules if (match := _SHADOW.match(path)))
    shadows = [Finding(f"has the name of the library {NAME}", place.rstrip("/")) for place in places]
    started = [Finding("runs before every program", path) for path in modules if _STARTED.search(path)]
    links = [path for path in repository.matching("*.pth") if repository.text(path)]
    started += [Finding("adds to Python's path, or runs code when Python starts", path) for path in links]
    return [*shadows, *started, *_paths(repository), *_installed(repository)]


def _paths(repository: Repository) -> Iterator[Finding]:
    for path in repository.matching(*_SETTINGS):
        if repository.holds(path, "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"):
            for number, line in enumerate(repository.text(path).splitlines(), 1):
                found = _SET.match(line)
                if _NAMED.match(line) or (found and found["value"].strip("\"',;") not in _HARMLESS):
                    yield Finding(f"changes where Python looks: {line.strip()[:60]}", path, number)


def _installed(repository: Repository) -> Iterator[Finding]:
    """Find what installs the library from elsewhere than its pin."""
    for path in repository.matching(*_SETTINGS):
        if repository.holds(path, NAME):
            for number, line in enumerate(repository.text(path).splitlines(), 1):
                if _INSTALLS.search(line.partition("#")[0]):
                    yield Finding(f"installs the library from elsewhere than {PIN}: {line.strip()[:60]}", path, number)
    for path in repository.matching("*requirements*.txt", "*requirements*.lock", "pyproject.toml"):
        pattern = _DIRECT if path == "pyproject.toml" else _PINNED
        if path != PIN and (found := repository.finds(path, pattern)):
            yield Finding(f"pins the library beside {PIN}", path, repository.line(path, found[0].strip()))


@FAMILY.rule(
    4, "high",
    why="A gate that is exchanged while it runs leaves no trace in the wheel, the pin or the pipeline.",
    source=HIDDEN_DEBT,
    fix="Use an extension point (src/PACKAGE/extensions.py: own metric, gate, split); `mlproduct eject` for more.",
    needs=RUNS_IT,
)  # fmt: skip
def unpatched(repository: Repository) -> Findings:
    """No code changes the library while it runs."""
    if repository.mlproduct is None:
        return None
    own = "runtime/" if repository.mlproduct.kind == "ejected" else "\0"
    paths = [path for path in repository.matching("*.py") if not path.startswith(own) and not _is_plain_test(path)]
    return [Finding(what, path, line) for path in paths for line, what in patches(repository.text(path))]


def _is_plain_test(path: str) -> bool:
    """Whether a module tests code: it may replace what it does not test; gates (ce/) and conftest.py may not."""
    return path.startswith(("tests/", "test/")) and not path.endswith("conftest.py")
