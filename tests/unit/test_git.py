"""git, as mlscaffold uses it: undisturbed by the surroundings, with errors that say what happened."""

import os
from pathlib import Path

import pytest

from conftest import git as run_git
from mlscaffold.errors import UserError
from mlscaffold.git import GitError, asked, git, identity, plain_environment, undisturbed, with_config


def test_settings_are_appended_to_those_of_the_environment() -> None:
    before = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"}
    after = with_config(before, {"d.e": "f"})
    assert after == {**before, "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_1": "d.e", "GIT_CONFIG_VALUE_1": "f"}
    assert with_config({"GIT_CONFIG_COUNT": "many"}, {})["GIT_CONFIG_COUNT"] == "0"


def test_another_repository_of_the_environment_is_forgotten() -> None:
    kept = undisturbed({"GIT_DIR": "/elsewhere", "GIT_INDEX_FILE": "x", "GIT_SSH_COMMAND": "ssh -v", "HOME": "/home"})
    assert kept == {"GIT_SSH_COMMAND": "ssh -v", "HOME": "/home", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}


def test_the_environment_comes_back_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    before = dict(os.environ)

    def fail() -> None:
        with plain_environment({"a.b": "c"}, EXTRA="1"):
            assert "GIT_DIR" not in os.environ
            assert os.environ["EXTRA"] == "1"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert dict(os.environ) == before


def test_a_failure_carries_what_git_said(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="git rev-parse: fatal: not a git repository"):
        git("rev-parse", "HEAD", cwd=tmp_path)
    assert asked("rev-parse", "HEAD", cwd=tmp_path) is None


def test_a_missing_folder_is_not_a_missing_git(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="no folder"):
        git("status", cwd=tmp_path / "nowhere")


def test_a_missing_git_is_an_error_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="git is not installed"):
        git("status", cwd=tmp_path)


@pytest.mark.parametrize(
    ("config", "environ", "stand_in"),
    [
        ("[user]\n\tname = Ada\n\temail = ada@example.org\n", {}, None),
        ("[user]\n\tname = Ada\n", {}, ("Ada", "mlscaffold@localhost")),
        ("[user]\n\tname = Ada\n", {"EMAIL": "ada@example.org"}, None),
        ("", {}, ("mlscaffold", "mlscaffold@localhost")),
        (
            "",
            {f"GIT_{role}_{key}": "x" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")},
            None,
        ),
        ("", {"GIT_AUTHOR_NAME": "x"}, ("mlscaffold", "mlscaffold@localhost")),
    ],
)
def test_an_identity_stands_in_only_where_one_is_missing(
    config: str,
    environ: dict[str, str],
    stand_in: tuple[str, str] | None,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (home / "gitconfig").write_text(config)
    monkeypatch.delenv("EMAIL", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    run_git(tmp_path, "init", "-q")
    assert identity(tmp_path) == stand_in
