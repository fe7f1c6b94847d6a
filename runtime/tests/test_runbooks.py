"""The commands of runbooks: how they are found, and that one which fails is seen to fail."""

import os
from pathlib import Path

import pytest
from mlproduct.contract import validation as contract
from mlproduct.monitoring import runbooks

PAGE = """# Down

```bash check
true
```

Text, and ``` in it.

```bash fix
touch mended
```

~~~
no fence of ours
~~~

```bash manual: only a person can
rm -rf everything
```
"""


def test_blocks_are_found_with_their_kind_place_and_reason() -> None:
    found = runbooks.commands("Down", PAGE)
    assert [(c.kind, c.line, c.reason, c.text) for c in found] == [
        ("check", 3, "", "true"),
        ("fix", 9, "", "touch mended"),
        ("manual", 17, "only a person can", "rm -rf everything"),
    ]


@pytest.mark.parametrize(
    "info", ["", "bash", "sh check", "bash manual", "bash manual:", "bash manual: ", "bash checks"]
)
def test_a_block_that_does_not_say_what_it_is_is_refused(info: str) -> None:
    with pytest.raises(contract.DataError, match="Down, line 3"):
        runbooks.commands("Down", f"# Down\n\n```{info}\ntrue\n```\n")


def outcome(text: str, **variables: str):
    command = runbooks.Command("Down", 1, "check", "", text)
    return runbooks.execute(command, {"PATH": os.environ["PATH"], **variables})


def test_a_command_sees_the_addresses() -> None:
    assert outcome('echo "$URL"', URL="http://127.0.0.1:1").said == "http://127.0.0.1:1\n"


@pytest.mark.parametrize(
    "text", ["false", "false | cat", "false\ntrue", 'echo "$NOBODY_SET_THIS"', "no-such-tool", "exit 3"]
)
def test_a_failure_anywhere_fails_the_block(text: str) -> None:
    assert outcome(text).status != 0


def test_what_a_failed_command_said_is_told() -> None:
    failed = runbooks.describe(outcome("echo because >&2; exit 3"))
    assert failed.startswith("FAILED Down:1  echo because")
    assert "exit status 3" in failed
    assert failed.endswith("because")
    assert runbooks.describe(outcome("true\ntrue")) == "ok     Down:1  true  (and 1 more)"


def test_a_command_that_does_not_end_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runbooks, "PATIENCE", 0.2)
    assert outcome("sleep 20").status == 124


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs" / "runbooks").mkdir(parents=True)
    (tmp_path / "docs" / "runbooks" / "Down.md").write_text(PAGE, encoding="utf-8")

    def running(kind: str, *names: str) -> int:
        return runbooks.main(kind, list(names), "http://127.0.0.1:1", "")

    return running


def test_checks_run_and_nothing_else(repository, tmp_path, capsys) -> None:
    assert repository("check") == 0
    assert capsys.readouterr().out == "ok     Down:3  true\n1 commands, 0 failed\n"
    assert not (tmp_path / "mended").exists()


def test_a_failing_check_fails_the_run_and_the_others_still_run(repository, tmp_path, capsys) -> None:
    (tmp_path / "docs" / "on-call.md").write_text("```bash check\nfalse\n```\n", encoding="utf-8")
    (tmp_path / "docs" / "runbooks" / "Also.md").write_text("```bash check\nexit 7\n```\n", encoding="utf-8")
    assert repository("check") == 1
    output = capsys.readouterr().out
    assert "FAILED Also:1" in output
    assert "ok     Down:3" in output
    assert "FAILED on-call:1" in output
    assert output.endswith("3 commands, 2 failed\n")


def test_a_fix_runs_for_the_page_that_is_named(repository, tmp_path) -> None:
    assert repository("fix", "Down") == 0
    assert (tmp_path / "mended").exists()


def test_all_fixes_at_once_are_refused_and_so_is_a_page_that_is_not_there(repository) -> None:
    with pytest.raises(contract.DataError, match="name the runbook"):
        repository("fix")
    with pytest.raises(contract.DataError, match="there is no runbook Up; there are Down"):
        repository("check", "Up")


def test_settings_of_the_deployment_are_read_and_the_shell_wins(repository, tmp_path) -> None:
    (tmp_path / "deploy").mkdir()
    settings = 'set -a\n: "${URL:=http://127.0.0.1:3000}"\nset +a\n'
    (tmp_path / "deploy" / "on-call.env").write_text(settings, encoding="utf-8")
    assert outcome("env | grep ^URL=").said == "URL=http://127.0.0.1:3000\n"
    assert outcome('echo "$URL"', URL="there").said == "there\n"


def test_a_runbook_does_not_hear_what_make_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Makefile").write_text("inner:\n\t@echo '<$(ARGS)>'\n", encoding="utf-8")
    monkeypatch.setenv("ARGS", "--only stale")
    monkeypatch.setenv("MAKEFLAGS", "-- ARGS=--only\\ stale")
    command = runbooks.Command("Down", 1, "fix", "", f"make --no-print-directory -C '{tmp_path}' inner")
    assert runbooks.execute(command, runbooks.environment("", "")).said == "<>\n"
    assert runbooks.execute(command, dict(os.environ)).said == "<--only stale>\n"
