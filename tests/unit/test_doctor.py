"""The doctor: looks for real tools, and says what is missing, why, and how to get it."""

import sys
from pathlib import Path

import pytest

from conftest import Run
from mlscaffold import doctor


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a PATH of one empty folder, to be filled with tools."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def tool(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def found(name: str) -> str:
    return next(tool.found for tool in doctor.examine() if tool.name == name)


def test_this_machine_can_ship(run: Run) -> None:
    result = run("doctor")
    assert result.code == 0
    assert "A project can ship from this machine." in result.out
    assert "git version" in result.out
    assert "config.yaml (no such file yet)" in result.out


def test_what_is_missing_is_named_with_its_fix(run: Run, tools: Path) -> None:
    tool(tools, "git", "echo git version 9.9")
    result = run("doctor")
    assert result.code == 1
    assert "cannot ship from this machine: make missing" in result.out
    assert "Get it: " in result.out


def test_a_tool_that_fails_or_says_nothing_is_judged_by_its_exit_code(tools: Path) -> None:
    tool(tools, "uv", "exit 1")
    tool(tools, "make", "exit 0")
    tool(tools, "promtool", "echo promtool 3.0 >&2")
    assert [found(name) for name in ("uv", "make", "promtool", "docker")] == ["", "found", "promtool 3.0", ""]


def test_a_file_that_cannot_be_run_does_not_count(tools: Path) -> None:
    (tools / "make").write_text("\x7fELF nonsense")
    (tools / "make").chmod(0o755)
    assert found("make") == ""


def test_another_python_will_do(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    assert found("python") == ""
    tool(tools, "python3.12", "echo 3.12.1")
    assert found("python") == "Python 3.12.1"


def test_this_python_will_do() -> None:
    assert found("python") == "Python " + ".".join(map(str, sys.version_info[:3]))
