"""The command line: each verb shows an example, errors are one line, and help imports nothing heavy."""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlproduct import pinned
from mlproduct.cli import main as cli
from mlproduct.errors import DataError
from mlproduct_tests.repository import ROOT

HEAVY = ("numpy", "pandas", "pydantic", "yaml", "sklearn", "scipy", "bentoml", "dvc", "grimp", "jinja2", "matplotlib")


def mlproduct(*words: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlproduct", *words]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


@pytest.fixture
def verbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Let `mlproduct NAME` run a function of the test, in a repository whose library counts as the pinned one."""
    monkeypatch.setattr(pinned, "check", lambda: None)
    monkeypatch.chdir(ROOT / "src")

    def set_verb(run, *, passed_on: bool = False) -> None:
        verb = argparse.Namespace(__doc__="Try it.", EXAMPLE="mlproduct data", PASSED_ON=passed_on)
        verb.arguments = lambda parser: parser.add_argument("--file", type=Path)
        verb.run = run
        monkeypatch.setattr(cli, "load", lambda name: verb)

    return set_verb


def code_of(*words: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    return stopped.value.code


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["train", "--help"], ["trian"]])
def test_help_imports_nothing_heavy(words: list[str]):
    code = (
        "import sys\nfrom mlproduct.cli.main import main\n"
        f"try: main({words!r})\nexcept SystemExit: print('|'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.splitlines()[-1].split("|"))
    assert "mlproduct.cli.main" in loaded
    assert loaded & set(HEAVY) == set()


def test_the_overview_names_every_verb_and_fits_80_columns():
    shown = cli.overview().splitlines()
    assert max(map(len, shown)) <= 80
    assert sorted(line.split()[0] for line in shown if line.startswith("  ")) == cli.names()


@pytest.mark.parametrize("name", cli.names())
def test_the_example_of_a_verb_is_shown_and_can_be_read(name: str, capsys: pytest.CaptureFixture[str]):
    verb = cli.load(name)
    assert code_of(name, "--help") == 0
    assert f"example:\n  {verb.EXAMPLE}" in capsys.readouterr().out
    head, called, *words = shlex.split(verb.EXAMPLE)
    assert (head, called) == ("mlproduct", name)
    cli._parsed(verb, name, words)


def test_an_unknown_verb_names_the_closest(capsys: pytest.CaptureFixture[str]):
    assert code_of("trian") == 2
    assert capsys.readouterr().err == "error: there is no verb 'trian'; did you mean 'train'?\n"
    assert code_of("zzz") == 2
    assert capsys.readouterr().err == "error: there is no verb 'zzz'; `mlproduct --help` lists them\n"


def test_a_verb_runs_in_the_root_and_paths_count_from_where_it_is_called(verbs):
    seen = []
    verbs(lambda options: seen.append((Path.cwd(), options.file, sys.path[0])))
    assert code_of("data", "--file", "new.csv") == 0
    assert seen == [(ROOT, ROOT / "src" / "new.csv", str(ROOT / "src"))]


def test_words_for_another_tool_are_passed_on_in_their_order(verbs):
    seen = []
    verbs(lambda options: seen.append(options.words), passed_on=True)
    assert code_of("data", "-m", "bias", "-x", "--file", "a") == 0
    assert seen == [["-m", "bias", "-x", "--file", "a"]]


def test_an_error_of_the_user_is_one_line_and_ends_with_2(verbs, capsys: pytest.CaptureFixture[str]):
    def refuse(options: object) -> None:
        raise DataError("no rows; add some")

    verbs(refuse)
    assert code_of("data") == 2
    assert capsys.readouterr().err == "error: no rows; add some\n"


def test_outside_of_a_repository_it_says_so(tmp_path: Path):
    done = mlproduct("data", cwd=tmp_path)
    assert (done.returncode, "is not inside a product repository" in done.stderr) == (2, True)
    assert len(done.stderr.splitlines()) == 1


def test_an_interruption_is_one_line_and_ends_with_130(verbs, capsys, monkeypatch: pytest.MonkeyPatch):
    def interrupt(options: object) -> None:
        raise KeyboardInterrupt

    verbs(interrupt)
    assert code_of("data") == 130
    assert capsys.readouterr().err == "interrupted: `mlproduct data` was stopped\n"
    monkeypatch.setenv("DVC_STAGE", "train")  # then the verb that runs the pipeline says it
    assert code_of("data") == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_leaves_is_no_error():
    command = f"{shlex.quote(sys.executable)} -m mlproduct --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


WAITS = "import sys, time\nprint('ready', flush=True)\ntime.sleep(60)"
DEAF = "import signal, sys, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
RUNS = """
import json, os, subprocess, sys
from mlproduct import processes
processes.GRACE, processes.MOST = 0.2, 1.0
try:
    processes.run([sys.executable, "-c", *sys.argv[1:]], dict(os.environ))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("deaf", [("", ""), ("", DEAF), (DEAF, DEAF)], ids=["none", "child", "both"])
def test_an_interrupted_command_ends_with_its_children(deaf: tuple[str, str]):
    import psutil

    # A child that ignores the interruption, as DVC does while a stage runs, and a grandchild.
    command = [sys.executable, "-c", RUNS, deaf[0] + CHILD, deaf[1] + WAITS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) == 2
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert time.monotonic() - begun < 15
    assert psutil.wait_procs(family, timeout=5)[1] == []


NEXT = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
listens = "import signal, sys, time; signal.signal(signal.SIGINT, signal.SIG_DFL); "
subprocess.run([sys.executable, "-c", listens + "print('first', flush=True); time.sleep(60)"])
subprocess.run([sys.executable, "-c", listens + "import os; print(os.getpid(), flush=True); time.sleep(60)"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_a_child_that_is_started_after_the_interruption_ends_too():
    """As DVC goes on to the next stage, where the one before was done in time."""
    import psutil

    with subprocess.Popen([sys.executable, "-c", RUNS, NEXT], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "first\n"
        process.send_signal(signal.SIGINT)
        second = psutil.Process(int(process.stdout.readline()))
        assert process.wait(timeout=20) == 130
    assert psutil.wait_procs([second], timeout=5)[1] == []


DVC = """\
Running stage 'train':
> mlproduct stage train

Updating lock file 'dvc.lock'

To track the changes with git, run:

\tgit add dvc.lock

To enable auto staging, run:

\tdvc config core.autostage true
Use `dvc push` to send your updates to remote storage.
the end"""


def test_advice_of_dvc_that_contradicts_ours_is_left_out(capfd: pytest.CaptureFixture[str]):
    from mlproduct import processes

    code = f"import sys; sys.stdout.write({DVC!r})"
    assert processes.watch([sys.executable, "-c", code], os.environ, 2) == (0, [])
    assert capfd.readouterr().out == "Running stage 'train':\n> mlproduct stage train\n\nthe end"


def test_what_a_command_says_in_error_is_shown_and_its_end_is_kept(capsys: pytest.CaptureFixture[str]):
    from mlproduct import processes

    code = "import sys; [print(i, file=sys.stderr) for i in range(9)]; sys.exit(3)"
    assert processes.watch([sys.executable, "-c", code], dict(os.environ), 2) == (3, ["7", "8"])
    assert capsys.readouterr().err.split() == [str(i) for i in range(9)]
