"""Tiny templates with real releases, real repositories, and the command line in this process."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlscaffold import cli

IDENTITY = "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = trunk\n"
QUESTIONS = """\
_subdirectory: template
_skip_if_exists: [/mine.txt]
name: {type: str}
package: {type: str, default: "{{ name }}"}
target: {type: str, default: species}
protected: {type: yaml, default: "[]"}
owner: {type: str, default: the team, validator: "{% if owner == 'nobody' %}somebody must own it{% endif %}"}
"""
# What `make test ARGS=...` was told is not meant for the Makefiles that tests run.
for _word in ("ARGS", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL"):
    os.environ.pop(_word, None)
# Libraries are compiled once, where they are first imported, as on a user's machine.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Tests run beside one another, and the threads of two processes at once spend their time on waiting for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What a shell runs in the background ignores Ctrl-C, and so would all that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

FILES = {
    "copier.yml": QUESTIONS,
    "template/{{ _copier_conf.answers_file }}.jinja": "{{ _copier_answers|to_nice_yaml }}",
    "template/README.md.jinja": "# {{ name }}\n\nby {{ owner }}\n\nthe end\n",
    "template/src/{{ package }}/model.py": "depth = 3\n\n\ndef build():\n    return depth\n",
    "template/.gitignore": ".env\n*.local\n/mine.txt\n",
    "template/run.sh": "#!/bin/sh\necho run\n",
}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Template:
    """A template's repository, released version by version."""

    path: Path

    def release(self, version: str, files: Mapping[str, str | None]) -> "Template":
        for name, text in files.items():
            file = self.path / name
            if text is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            if text.startswith("#!"):
                file.chmod(0o755)
        git(self.path, "add", "--all", "--force")
        git(self.path, "commit", "-qm", version)
        git(self.path, "tag", version)
        return self

    def bundle(self, *tags: str) -> Path:
        file = self.path.parent / f"{self.path.name}-{'-'.join(tags) or 'all'}.bundle"
        git(self.path, "bundle", "create", str(file), "HEAD", *(tags or ["--tags"]))
        return file


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow tests first, so that no worker is left with minutes of them while the others have nothing to do."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a home of its own: nobody's git habits and defaults come in."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "gitconfig").write_text(IDENTITY)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    for name in [name for name in os.environ if name.startswith(("MLSCAFFOLD_", "GIT_AUTHOR_", "GIT_COMMITTER_"))]:
        monkeypatch.delenv(name)
    return folder


@pytest.fixture
def template(tmp_path: Path) -> Template:
    folder = tmp_path / "template"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    return Template(folder).release("v0.1.0", FILES)


@pytest.fixture
def shipped(template: Template, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Let a bundle of the tiny template be the one that came with the package."""

    def ship(*tags: str) -> Path:
        bundle = template.bundle(*tags)
        serve(bundle, monkeypatch)
        return bundle

    return ship


def serve(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a bundle be the one that came with the package."""
    for path in ("source.template_source", "source.serve", "update.plan.plan"):
        name, _, function = path.rpartition(".")
        target = getattr(__import__(f"mlscaffold.{name}", fromlist=[name]), function)
        original = getattr(target, "__wrapped__", target)
        defaults = (*original.__defaults__[:-1], bundle) if original.__defaults__ else None
        if defaults:
            monkeypatch.setattr(original, "__defaults__", defaults)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line in this process."""
    monkeypatch.setenv("COLUMNS", "200")

    def running(*words: str | Path) -> Result:
        capsys.readouterr()
        code = 0
        try:
            cli.main([str(word) for word in words])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        finally:
            os.environ.pop("MLSCAFFOLD_DEBUG", None)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return running


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "churn.csv"
    rows = [f"{number * 7 % 60 + 18},{'MF'[number % 2]},{['No', 'Yes'][number * 3 % 7 > 3]}" for number in range(80)]
    file.write_text("age,sex,churned\n" + "\n".join(rows) + "\n")
    return file


@pytest.fixture
def project(tmp_path: Path, run: Run, shipped: Callable[..., Path]) -> Path:
    """A repository made from v0.1.0 of the tiny template, with its bundle inside."""
    shipped("v0.1.0")
    folder = tmp_path / "churn"
    result = run("new", folder, "--defaults")
    assert result.code == 0, result.err
    return folder
