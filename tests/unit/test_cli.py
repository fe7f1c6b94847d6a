"""The command line at its edges: help, versions, errors, exit codes, plain text."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mlscaffold
from conftest import Run
from mlscaffold import doctor, new

MLSCAFFOLD = [sys.executable, "-m", "mlscaffold"]


COMMANDS = [[], ["new"], ["update"], ["infer"], ["doctor"], ["fleet"]]
COMMANDS += [["fleet", name] for name in ("status", "check", "update", "report", "matrix")]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_every_help_has_an_example_and_fits_80_columns(command: list[str], run: Run) -> None:
    result = run(*command, "--help")
    assert result.code == 0
    assert f"Example: mlscaffold {' '.join(command)}" in result.out
    lines = subprocess.run([*MLSCAFFOLD, *command, "--help"], capture_output=True, text=True, check=True, env={
        **os.environ, "COLUMNS": "80",
    }).stdout.splitlines()  # fmt: skip
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("columns", ["", "60", "200"])
def test_the_kept_help_is_what_is_made(columns: str) -> None:
    """At 80 columns and more the command reads its help from a file; elsewhere it is made."""
    command = Path(sys.executable).with_name("mlscaffold")
    env = os.environ | {"COLUMNS": columns}
    code = "import sys; sys.argv = ['mlscaffold', '--help']; from mlscaffold.cli import main; main()"
    kept = subprocess.run([command, "--help"], capture_output=True, text=True, check=True, env=env)
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert kept.stdout == fresh.stdout


def test_the_version_is_the_packages(run: Run) -> None:
    assert run("--version").out == f"mlscaffold {mlscaffold.__version__}\n"


def test_no_command_shows_the_help(run: Run) -> None:
    result = run()
    assert "Usage: mlscaffold" in result.out + result.err


@pytest.mark.parametrize("words", [["nwe"], ["new"], ["new", "x", "--nowhere"]])
def test_a_wrong_option_is_exit_code_2(words: list[str], run: Run) -> None:
    result = run(*words)
    assert result.code == 2
    assert "Traceback" not in result.err


def test_infer_prints_the_contract_and_says_the_rest_elsewhere(run: Run, table: Path) -> None:
    result = run("infer", table, "--target", "churned", "--protected", "sex")
    assert result.code == 0
    assert result.out.startswith("# yaml-language-server: $schema=contract.schema.json\n")
    assert "role: target" in result.out
    assert "task: classification" in result.err


def test_infer_without_a_target_names_the_columns(run: Run, table: Path) -> None:
    result = run("infer", table)
    assert (result.code, result.out) == (2, "")
    assert "give --target; its columns are: age, sex, churned" in result.err


@pytest.mark.parametrize(("before", "after"), [(["--debug"], []), ([], ["--debug"])], ids=["before", "after"])
def test_debug_stands_before_or_after_the_command(before: list[str], after: list[str]) -> None:
    words = [*MLSCAFFOLD, *before, "infer", "nowhere.csv", "--target", "x", *after]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Traceback" in done.stderr
    assert "nowhere.csv" in done.stderr


def fails(*_: object) -> None:
    raise RuntimeError("the moon")


def test_a_bug_is_ours_and_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", fails)
    result = run("doctor")
    assert result.code == 70
    assert "a bug in it (RuntimeError: the moon)" in result.err
    assert "--debug" in result.err
    assert "Traceback" not in result.err


def test_a_bug_with_debug_shows_where(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", fails)
    assert "in fails" in run("doctor", "--debug").err


def test_ctrl_c_is_exit_code_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "examine", interrupted)
    assert run("doctor").code == 130


def test_all_questions_need_somebody_to_answer(run: Run, tmp_path: Path) -> None:
    result = run("new", tmp_path / "churn", "--all-questions")
    assert (result.code, "--all-questions needs a terminal" in result.err) == (2, True)
    assert not (tmp_path / "churn").exists()


def test_own_table_without_data_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("new", tmp_path / "churn", "--defaults", "-d", "table=own")
    assert (result.code, "comes with --data" in result.err) == (2, True)
    assert not (tmp_path / "churn").exists()


def test_a_pipe_gets_plain_text(table: Path) -> None:
    words = [*MLSCAFFOLD, "infer", str(table), "--target", "churned"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "\x1b" not in done.stdout + done.stderr


def test_no_color_is_honoured(table: Path) -> None:
    environ = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    words = [*MLSCAFFOLD, "infer", str(table), "--target", "nobody"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environ)
    assert "\x1b[31m" not in done.stderr
    assert "\x1b[1;31m" not in done.stderr


def test_completion_of_a_shell_is_printed() -> None:
    environ = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    words = [*MLSCAFFOLD, "--show-completion", "bash"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environ)
    assert "_MLSCAFFOLD_COMPLETE" in done.stdout


def test_the_handler_of_sigterm_is_given_back(run: Run) -> None:
    import signal

    before = signal.getsignal(signal.SIGTERM)
    run("--version")
    assert signal.getsignal(signal.SIGTERM) is before


def test_ship_does_not_hand_our_environment_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Makefile").write_text('ship:\n\t@test -z "$$VIRTUAL_ENV$$PYTHONPATH"\n')
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert new.ship(tmp_path) == 0
