"""fleet.toml: what it may say, and what becomes of it."""

import sys
from pathlib import Path

import pytest

from mlscaffold.errors import UserError
from mlscaffold.fleet.listing import Entry, entry_of, load, remote, sharded, shards, without_secrets


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for name in ("teams/a/churn", "teams/a/fraud", "teams/b/risk", "old/wear"):
        (tmp_path / name / ".git").mkdir(parents=True)
    (tmp_path / "teams" / "a" / "notes").mkdir()  # no repository
    return tmp_path / "fleet.toml"


def names(file: Path, text: str) -> list[str]:
    file.write_text(text)
    return [entry.name for entry in load(file).entries]


def test_paths_and_patterns_are_found_by_name_and_once(file: Path) -> None:
    assert names(file, 'repositories = ["teams/*/*", "teams/a/churn", "old/wear"]') == [
        "old/wear", "teams/a/churn", "teams/a/fraud", "teams/b/risk",
    ]  # fmt: skip


def test_exclude_leaves_out(file: Path) -> None:
    assert names(file, 'repositories = ["*/*/*"]\nexclude = ["teams/a/*"]') == ["teams/b/risk"]


def test_root_is_where_paths_begin(file: Path) -> None:
    assert names(file, 'root = "teams"\nrepositories = ["*/*"]') == ["a/churn", "a/fraud", "b/risk"]
    assert names(file, f'root = "{file.parent}/teams/a"\nrepositories = ["churn"]') == ["churn"]


def test_a_command_prints_paths_and_addresses(file: Path) -> None:
    code = "print('teams/a/churn'); print(); print('https://git.example/x/y.git')"
    assert names(file, f'command = ["{sys.executable}", "-c", "{code}"]') == ["git.example/x/y", "teams/a/churn"]


def test_settings_are_handed_on(file: Path) -> None:
    file.write_text('repositories = ["old/wear"]\ntemplate = "gh:acme/standard"\nchecks = []\n')
    fleet = load(file)
    assert (fleet.template, fleet.checks) == ("gh:acme/standard", ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("repositories = [", "is no TOML"),
        ("", "names no repository"),
        ("repositories = []", "names no repository"),
        ('repository = ["a"]', "has no setting 'repository'; there are repositories, command"),
        ('repositories = "a"', "repositories is 'a'; write a list"),
        ("repositories = [1]", "holds a value that is not text"),
        ("root = 1\nrepositories = ['a']", "root is 1; write a text"),
        ("root = 'nowhere'\nrepositories = ['a']", "root is 'nowhere', which is not a folder"),
        ('repositories = ["../x"]', "leads out of root"),
        ('repositories = ["a/../../x*"]', "leads out of root"),
        ('repositories = ["/etc/*"]', "a pattern that does not begin at root"),
        ('repositories = ["nothing/*"]', "no repository under"),
        ('command = ["no-such-program"]', "cannot be run"),
        ("command = []", "cannot be run"),
    ],
)
def test_what_is_not_understood_is_named(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(UserError, match=r"fleet\.toml") as caught:
        load(file)
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="name another with --file"):
        load(tmp_path / "fleet.toml")


def test_a_command_that_fails_says_so_without_passwords(file: Path) -> None:
    code = "import sys; sys.exit('no access to https://ada:secret@git.example/x')"
    file.write_text(f'command = ["{sys.executable}", "-c", "{code}"]')
    with pytest.raises(UserError, match="failed") as caught:
        load(file)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("word", ["/etc", "a/../../etc", "../x", "link", "loop"])
def test_a_path_does_not_leave_the_root(word: str, tmp_path: Path) -> None:
    root = (tmp_path / "root").resolve()
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    (root / "loop").symlink_to("loop")
    entry = entry_of(word, root)
    assert entry.path is None or entry.path.is_relative_to(root)
    assert "leads out of" in entry.wrong or word == "loop"


def test_an_absolute_path_inside_the_root_is_fine(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    assert entry_of(f"{root}/a", root) == Entry("a", path=root / "a")


@pytest.mark.parametrize(
    ("word", "entry"),
    [
        ("https://git.example/x/y.git", Entry("git.example/x/y", url="https://git.example/x/y.git")),
        ("https://ada:pw@git.example/x", Entry("git.example/x", url="https://git.example/x", secret="ada:pw")),
        ("https://token@git.example/x", Entry("git.example/x", url="https://git.example/x", secret="token")),
        ("ssh://git@git.example/x", Entry("git.example/x", url="ssh://git@git.example/x")),
        ("ssh://git:pw@git.example/x", Entry("git.example/x", url="ssh://git@git.example/x", secret="git:pw")),
        ("git@git.example:x/y.git", Entry("git.example/x/y", url="git@git.example:x/y.git")),
    ],
)
def test_the_secret_of_an_address_stands_apart(word: str, entry: Entry) -> None:
    found = remote(word)
    assert found == entry
    assert "pw" not in found.name + found.url


@pytest.mark.parametrize("word", ["file:///etc", "ext://sh", "https:///x", "https://[x", "ftp://a/b"])
def test_other_kinds_of_addresses_are_not_fetched(word: str) -> None:
    assert remote(word).wrong
    assert not remote(word).url


def test_passwords_in_a_text_are_taken_out() -> None:
    assert without_secrets("fatal: https://a:b@x/y and ssh://u@z") == "fatal: https://x/y and ssh://z"


def test_every_repository_is_in_exactly_one_shard() -> None:
    entries = tuple(Entry(f"r{number:02}") for number in range(11))
    parts = [sharded(entries, shard) for shard in shards(4)]
    assert sorted(entry.name for part in parts for entry in part) == [entry.name for entry in entries]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    for wrong in ("0/4", "5/4", "2", "a/b", "1/0"):
        with pytest.raises(UserError, match="write the second of five as 2/5"):
            sharded(entries, wrong)
