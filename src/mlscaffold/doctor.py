"""What this machine has, what is missing, what it is for and how to get it."""

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass

_GET = {"darwin": "brew install", "win32": "winget install"}.get(sys.platform, "apt-get install")
_PYTHONS = ("python3.13", "python3.12", "python3.11", "python3", "python")


@dataclass(frozen=True)
class Tool:
    """A tool, whether it is here, and what it is for.

    Attributes
    ----------
    name : str
        Of the tool.
    found : str
        What was found: a version; empty if it is missing.
    needed : bool
        Whether nothing ships without it.
    purpose, fix : str
        What it is for, and how to get it.
    """

    name: str
    found: str
    needed: bool
    purpose: str
    fix: str


def examine() -> tuple[Tool, ...]:
    """Look for every tool that a generated repository can use."""
    return (
        Tool("git", _version("git"), True, "the history of code and data", f"{_GET} git"),
        Tool("make", _version("make"), True, "the commands of a repository", f"{_GET} make"),
        Tool("python", _python(), True, "3.11 or newer, with venv: runs everything", f"{_GET} python3 python3-venv"),
        Tool("uv", _version("uv"), False, "makes environments quickly; else venv and pip", "pipx install uv"),
        Tool("docker", _version("docker"), False, "images of the service", "https://docs.docker.com/get-docker"),
        Tool("promtool", _version("promtool"), False, "tests of the alerts", f"{_GET} prometheus"),
        Tool("dvc", _version("dvc"), False, "in each repository's own environment already", "make setup"),
        Tool("gh", _version("gh"), False, "pull requests on GitHub", f"{_GET} gh"),
        Tool("glab", _version("glab"), False, "merge requests on GitLab", f"{_GET} glab"),
    )


def can_ship(tools: tuple[Tool, ...]) -> bool:
    """Whether everything that a project needs to ship is here."""
    return all(tool.found for tool in tools if tool.needed)


def _version(name: str, *words: str) -> str:
    path = shutil.which(name)
    if not path:
        return ""
    try:
        done = subprocess.run(
            [path, *(words or ("--version",))], capture_output=True, text=True, timeout=20, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = (done.stdout or done.stderr).strip().splitlines()
    return (lines[0] if lines else "found")[:40] if done.returncode == 0 else ""


def _python() -> str:
    if sys.version_info >= (3, 11) and importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return "Python " + ".".join(map(str, sys.version_info[:3]))
    probe = "import ensurepip, venv, sys; assert sys.version_info >= (3, 11); print(sys.version.split()[0])"
    return next((f"Python {found}" for name in _PYTHONS if (found := _version(name, "-c", probe))), "")
