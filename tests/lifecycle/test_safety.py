"""What a template, an answer or a repository may not do: leave its folder, run code unasked, or carry a password on."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import FILES, Result, Run, Template, git
from mlscaffold import show
from mlscaffold.credentials import masked
from mlscaffold.errors import UserError
from mlscaffold.git import GitError
from mlscaffold.trust import trusted

ANSWERS = ".copier-answers.yml"
MODEL = "template/src/{{ package }}/model.py"
PASSWORD = "hunter2hunter2"  # pragma: allowlist secret


def outside(tmp_path: Path) -> Path:
    """Give a folder that nothing may be written to."""
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


@pytest.fixture
def made(template: Template, run: Run, tmp_path: Path) -> Path:
    project = tmp_path / "churn"
    assert run("new", project, "--defaults", "--template", template.path).code == 0
    return project


# Paths.


@pytest.mark.parametrize("answer", ["../outside", "..", "/mlscaffold-outside", "a/../../outside"])
def test_a_path_made_of_an_answer_stays_in_the_project(
    answer: str, run: Run, template: Template, tmp_path: Path
) -> None:
    template.release("v0.2.0", {"template/{{ owner }}/x.txt": "x\n"})
    folder = outside(tmp_path)
    result = run("new", tmp_path / "churn", "--defaults", "--template", template.path, "-d", f"owner={answer}")
    assert (result.code, "the template cannot be used" in result.err) == (2, True), result
    assert not (tmp_path / "churn").exists()
    assert not Path("/mlscaffold-outside").exists()
    assert list(folder.iterdir()) == []


def test_answers_that_were_edited_lead_nowhere_else(run: Run, template: Template, tmp_path: Path) -> None:
    template.release("v0.2.0", {"template/{{ owner }}/x.txt": "x\n"})
    project = tmp_path / "churn"
    assert run("new", project, "--defaults", "--template", template.path, "-d", "owner=ada").code == 0
    answers = project / ANSWERS
    answers.write_text(answers.read_text().replace("owner: ada", "owner: ../outside"))
    git(project, "commit", "-qam", "edited")
    template.release("v0.3.0", {"template/{{ owner }}/y.txt": "y\n"})
    folder = outside(tmp_path)
    for words in (["update", project, "--dry-run"], ["update", project], ["diff", project]):
        assert run(*words).code == 2
    assert list(folder.iterdir()) == []
    assert git(project, "status", "--porcelain") == ""


def test_a_committed_link_in_place_of_a_folder_is_not_written_through(
    made: Path, run: Run, template: Template, tmp_path: Path
) -> None:
    folder = outside(tmp_path)
    (made / "docs").symlink_to(folder)
    git(made, "add", "--all")
    git(made, "commit", "-qm", "a link")
    template.release("v0.2.0", {"template/docs/page.md": "page\n", MODEL: "depth = 5\n"})
    for words in (["update", made, "--dry-run"], ["update", made], ["update", made, "--branch"]):
        result = run(*words)
        assert (result.code, "docs/page.md" in result.err) == (2, True), result
    assert list(folder.iterdir()) == []
    assert git(made, "status", "--porcelain") == ""


def test_an_ignored_link_in_place_of_a_folder_is_not_written_through(
    made: Path, run: Run, template: Template, tmp_path: Path
) -> None:
    folder = outside(tmp_path)
    (made / "x.local").symlink_to(folder)
    template.release("v0.2.0", {"template/x.local/page.md": "page\n", MODEL: "depth = 5\n"})
    result = run("update", made)
    assert (result.code, "Kept: x.local/page.md is a local file" in result.out) == (0, True), result
    assert list(folder.iterdir()) == []
    assert (made / "src/churn/model.py").read_text() == "depth = 5\n"


@pytest.mark.parametrize("preserve", ["true", "false"])
def test_a_link_of_the_template_brings_nothing_from_outside(
    preserve: str, run: Run, template: Template, tmp_path: Path
) -> None:
    secret = outside(tmp_path) / "secret"
    secret.write_text("mine\n")
    (template.path / "template/x.txt").symlink_to(secret)
    template.release("v0.2.0", {"copier.yml": f"{FILES['copier.yml']}_preserve_symlinks: {preserve}\n"})
    result = run("new", tmp_path / "churn", "--defaults", "--template", template.path)
    if preserve == "false":
        assert (result.code, (tmp_path / "churn").exists()) == (2, False)
    else:
        assert (tmp_path / "churn/x.txt").is_symlink()
        assert "mine" not in git(tmp_path / "churn", "show", "HEAD:x.txt")


@pytest.mark.parametrize("how", ["..", "link"])
def test_a_bundle_is_never_read_or_refreshed_outside_of_the_project(
    how: str, project: Path, run: Run, template: Template, shipped: Callable[..., Path], tmp_path: Path
) -> None:
    folder = outside(tmp_path)
    content = (project / ".mlscaffold/template.bundle").read_bytes()
    (folder / "template.bundle").write_bytes(content)
    git(project, "rm", "-rq", ".mlscaffold")
    if how == "link":
        (project / ".mlscaffold").symlink_to(folder)
    else:
        answers = project / ANSWERS
        text = answers.read_text().replace(".mlscaffold/template.bundle", "../outside/template.bundle")
        answers.write_text(text)
    git(project, "add", "--all", "--force")
    git(project, "commit", "-qm", "elsewhere")
    template.release("v0.2.0", {MODEL: "depth = 5\n"})
    shipped()
    for command in ("update", "diff"):
        result = run(command, project)
        assert (result.code, "leads out of the repository" in result.err) == (2, True), result
    assert (folder / "template.bundle").read_bytes() == content


# The trust list.

BRINGS = {
    "tasks": "_tasks: [touch ran]\n",
    "migrations": "_migrations: [{version: v0.2.0, command: touch migrated}]\n",
    "jinja_extensions": "_jinja_extensions: [jinja2.ext.do]\n",
}


def unsafe(template: Template, *kinds: str) -> None:
    template.release("v0.2.0", {"copier.yml": FILES["copier.yml"] + "".join(map(BRINGS.__getitem__, kinds))})


def config(home: Path, text: str) -> None:
    file = home / "config" / "mlscaffold" / "config.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize("kind", BRINGS)
def test_what_runs_code_is_refused_and_the_reason_says_how_to_trust_it(
    kind: str, run: Run, template: Template, tmp_path: Path
) -> None:
    unsafe(template, kind)
    result = run("new", tmp_path / "churn", "--defaults", "--template", template.path)
    assert result.code == 2
    assert f"the template contains {kind}" in result.err
    assert "put its address on your trust list" in result.err
    assert "MLSCAFFOLD_TRUST" in result.err
    assert not (tmp_path / "churn").exists()


def test_a_template_on_the_list_of_the_configuration_runs_its_tasks(
    run: Run, template: Template, tmp_path: Path, home: Path
) -> None:
    unsafe(template, *BRINGS)
    config(home, f"trust:\n  - {template.path}\n")
    result = run("new", tmp_path / "churn", "--defaults", "--template", template.path)
    assert result.code == 0, result.err
    assert (tmp_path / "churn/ran").exists()
    assert "trust" not in (tmp_path / "churn" / ANSWERS).read_text()


def test_an_update_runs_the_migrations_of_a_trusted_template_and_of_no_other(
    made: Path, run: Run, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsafe(template, "migrations", "tasks")
    refused = run("update", made)
    assert (refused.code, "migrations, tasks" in refused.err) == (2, True), refused
    assert git(made, "status", "--porcelain") == ""
    monkeypatch.setenv("MLSCAFFOLD_TRUST", f"https://elsewhere.example/x, {template.path.parent}/")
    result = run("update", made)
    assert result.code == 0, result.err
    assert (made / "migrated").exists()
    assert (made / "ran").exists()


def test_to_look_runs_no_task_even_of_a_trusted_template(
    run: Run, template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "count"
    template.release("v0.2.0", {"copier.yml": FILES["copier.yml"] + f"_tasks: ['echo >> {trap}']\n"})
    monkeypatch.setenv("MLSCAFFOLD_TRUST", str(template.path))
    assert run("new", tmp_path / "churn", "--defaults", "--template", template.path).code == 0
    assert run("diff", tmp_path / "churn").code == 0
    assert trap.read_text() == "\n"
    monkeypatch.delenv("MLSCAFFOLD_TRUST")
    assert run("diff", tmp_path / "churn").code == 0, "what is not run needs no trust"


@pytest.mark.parametrize(
    ("listed", "address", "expected"),
    [
        ("https://git.example/ml/template", "git+https://git.example/ml/template.git", True),
        ("https://git.example/ml/", "https://git.example/ml/template", True),
        ("https://git.example/ml", "https://git.example/ml/template", False),
        ("https://git.example/ml/", "https://git.example/ml/../evil/template", False),
        ("https://git.example/", "https://git.example.evil.example/template", False),
        ("gh:acme/template", "https://github.com/acme/template.git", True),
        ("git@git.example:ml/template.git", "git@git.example:ml/template.git", True),
        ("/srv/templates/", "/srv/templates/ours", True),
        ("/srv/templates/", "/srv/templates/../evil", False),
        ("/", ".mlscaffold/template.bundle", False),
        ("", "https://git.example/ml/template", False),
    ],
)  # fmt: skip
def test_what_the_list_names(listed: str, address: str, expected: bool) -> None:
    assert trusted(address, {"MLSCAFFOLD_TRUST": listed}) == expected


@pytest.mark.parametrize(
    ("text", "message"), [("trust: everything\n", "trust is a list"), ("trust: [templates/]\n", "an absolute path")]
)
def test_a_wrong_list_is_refused(
    text: str, message: str, run: Run, template: Template, tmp_path: Path, home: Path
) -> None:
    config(home, text)
    result = run("new", tmp_path / "churn", "--defaults", "--template", template.path)
    assert (result.code, message in result.err) == (2, True)


# Secrets.


def clean(result: Result, *folders: Path) -> None:
    assert PASSWORD not in result.out + result.err
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert not any(PASSWORD.encode() in file.read_bytes() for file in files)


@pytest.mark.parametrize(
    "address",
    [
        f"https://ada:{PASSWORD}@127.0.0.1:9/x.git",
        f"https://{PASSWORD}@127.0.0.1:9/x",
        f"git+https://ada:{PASSWORD}@127.0.0.1:9/x",
        f"ssh://ada:{PASSWORD}@127.0.0.1:9/x",
        f"https://127.0.0.1:9/x.git?private_token={PASSWORD}",
    ],
)
@pytest.mark.parametrize("way", ["option", "environment", "configuration"])
def test_an_address_with_a_password_is_refused_and_not_repeated(
    address: str, way: str, run: Run, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "environment":
        monkeypatch.setenv("MLSCAFFOLD_TEMPLATE", address)
    if way == "configuration":
        config(home, f"template: {address}\n")
    words = ["--template", address] if way == "option" else []
    result = run("new", tmp_path / "churn", "--defaults", "--debug", *words)
    assert (result.code, "holds a user, a password or a token" in result.err) == (2, True), result
    clean(result)
    assert not (tmp_path / "churn").exists()


def test_an_address_with_a_password_in_the_answers_is_refused(made: Path, run: Run, template: Template) -> None:
    answers = made / ANSWERS
    text = answers.read_text().replace(str(template.path), f"https://ada:{PASSWORD}@127.0.0.1:9/x.git")
    answers.write_text(text)
    git(made, "commit", "-qam", "a password")
    for words in (["update", made, "--debug"], ["update", made, "--dry-run", "--json"], ["diff", made, "--debug"]):
        result = run(*words)
        assert (result.code, "holds a user, a password or a token" in result.err) == (2, True), result
        clean(result)


@pytest.mark.parametrize(
    "value", [f"see postgres://ada:{PASSWORD}@db/x", f"https://{PASSWORD}@git.example/x", "AKIA" + "Q7ZD4XK2N8W5R3TV"]
)
def test_an_answer_with_a_password_is_refused_wherever_it_comes_from(
    value: str, run: Run, template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["new", tmp_path / "churn", "--defaults", "--template", template.path, "--debug"]
    results = [run(*words, "-d", f"owner={value}")]
    (tmp_path / "answers.yaml").write_text(f"owner: '{value}'\n")
    results += [run(*words, "--answers", tmp_path / "answers.yaml")]
    monkeypatch.setenv("MLSCAFFOLD_OWNER", value)
    results += [run(*words)]
    monkeypatch.delenv("MLSCAFFOLD_OWNER")
    template.release("v0.2.0", {"copier.yml": FILES["copier.yml"] + f"more: {{type: str, default: '{value}'}}\n"})
    results += [run(*words)]
    for result in results:
        assert result.code == 2, result
        assert "answers are committed with the repository" in result.err
        assert value not in result.err
        clean(result)
    assert not (tmp_path / "churn").exists()


def test_what_git_says_of_a_users_own_credentials_is_not_printed(
    run: Run, home: Path, tmp_path: Path, template: Template, shipped: Callable[..., Path]
) -> None:
    shipped()
    with (home / "gitconfig").open("a") as file:
        file.write(f'[url "http://ada:{PASSWORD}@127.0.0.1:9/"]\n\tinsteadOf = https://git.invalid/\n')
    words = ["new", tmp_path / "churn", "--defaults", "--template", "https://git.invalid/x.git"]
    clean(run(*words, "--debug", "--ref", "v9"))
    result = run(*words)
    assert (result.code, "is out of reach" in result.err) == (0, True), result
    clean(result, tmp_path / "churn")


def test_errors_notes_and_tracebacks_are_printed_without_passwords(capsys: pytest.CaptureFixture[str]) -> None:
    text = f"git failed at https://ada:{PASSWORD}@git.example/x"
    for failure in (UserError(text), RuntimeError(text)):
        failure.__cause__ = GitError(text)
    show.notes([text])
    show.error(UserError(text), debug=True)
    show.bug(failure, debug=True)
    captured = capsys.readouterr()
    assert PASSWORD not in captured.out + captured.err
    assert captured.err.count("https://***@git.example/x") == 6


def test_masked_leaves_names_that_are_no_secrets() -> None:
    assert masked(f"ssh://git@host/x git@host:x https://u:{PASSWORD}@h/x a@b.c ?token={PASSWORD}&page=2") == (
        "ssh://git@host/x git@host:x https://***@h/x a@b.c ?token=***&page=2"
    )
    assert os.sep in masked("/a/b")
