"""Where a template comes from, decided without rendering it."""

from email.message import Message
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from conftest import Template
from mlscaffold import address, source
from mlscaffold.bundle import VENDORED, newest, refreshes, tags
from mlscaffold.errors import UserError
from mlscaffold.source import Source, project_url, template_source, update_source, vendor


def test_the_versions_of_a_bundle_are_read_from_its_header(template: Template) -> None:
    template.release("v0.10.0", {"template/a.txt": "a"}).release("v0.9.0", {"template/b.txt": "b"})
    assert list(tags(template.bundle())) == ["v0.1.0", "v0.9.0", "v0.10.0"]


@pytest.mark.parametrize("content", [None, b"", b"just text\n", b"# v2 git bundle\n\nPACK"])
def test_what_is_no_bundle_has_no_versions(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "template.bundle"
    if content is not None:
        file.write_bytes(content)
    assert tags(file) == {}


def test_the_newest_is_chosen_by_version_and_no_pre_release() -> None:
    assert newest(["v0.9.0", "v0.10.0", "v0.11.0rc1", "latest"]) == "v0.10.0"
    assert newest(["v0.3.0", "v0.3.0+acme.1"]) == "v0.3.0+acme.1"
    assert newest(["latest"]) is None


def test_a_bundle_refreshes_only_what_it_goes_on_from(template: Template) -> None:
    first = template.bundle("v0.1.0")
    template.release("v0.2.0", {"template/a.txt": "a"})
    second = template.bundle()
    assert refreshes(second, first)
    assert not refreshes(first, second)
    assert not refreshes(first, first)


def test_an_installation_without_a_template_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="carries no template"):
        template_source(bundle=tmp_path / "nowhere.bundle")


def test_a_version_that_did_not_come_along_is_named(template: Template) -> None:
    with pytest.raises(UserError, match=r"no version v7 .* there are v0\.1\.0"):
        template_source(ref="v7", bundle=template.bundle())


def test_a_url_and_version_out_of_reach_are_both_named(template: Template) -> None:
    with pytest.raises(UserError, match=r"out of reach .*version v7 did not come"):
        template_source("http://127.0.0.1:9/t.git", "v7", template.bundle())


@pytest.mark.parametrize(
    ("url", "recorded", "fetched"),
    [
        ("https://git.acme.example/ml", "git+https://git.acme.example/ml", "https://git.acme.example/ml"),
        ("https://git.acme.example/ml.git", "https://git.acme.example/ml.git", "https://git.acme.example/ml.git"),
        ("gh:acme/ml", "gh:acme/ml", "https://github.com/acme/ml.git"),
        ("gl:acme/ml.git", "gl:acme/ml.git", "https://gitlab.com/acme/ml.git"),
        ("git@git.acme.example:ml.git", "git@git.acme.example:ml.git", "git@git.acme.example:ml.git"),
        ("git+file:///srv/ml", "git+file:///srv/ml", "file:///srv/ml"),
    ],
)
def test_an_address_is_written_as_copier_and_as_git_read_it(url: str, recorded: str, fetched: str) -> None:
    assert address.for_copier(url) == recorded
    assert address.for_git(recorded) == fetched


@pytest.mark.parametrize(
    ("urls", "found"),
    [
        (["Template, https://git.acme.example/t", "Repository, https://x.example"], "https://git.acme.example/t"),
        (["Documentation, https://docs.example", "Repository,https://x.example"], "https://x.example"),
        (["Documentation, https://docs.example"], None),
        ([], None),
    ],
)
def test_the_packages_metadata_may_name_the_template(
    urls: list[str], found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = Message()
    for url in urls:
        metadata["Project-URL"] = url
    monkeypatch.setattr(source, "metadata", {"mlscaffold": metadata}.get)
    assert project_url() == found


def test_a_package_that_is_not_installed_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError

    monkeypatch.setattr(source, "metadata", missing)
    assert project_url() is None


def test_a_bundle_is_vendored_only_where_nothing_else_serves_updates(template: Template, tmp_path: Path) -> None:
    bundle = template.bundle()
    vendor(Source("https://git.acme.example/t.git", "v0.1.0", bundle), tmp_path / "with-url")
    assert not (tmp_path / "with-url").exists()
    vendor(Source(VENDORED, "v0.1.0", bundle), tmp_path / "without")
    assert (tmp_path / "without" / ".mlscaffold" / "template.bundle").read_bytes() == bundle.read_bytes()


def test_another_version_of_a_source_needs_no_resolution(template: Template, tmp_path: Path) -> None:
    bundle, url = template.bundle("v0.1.0"), "https://git.acme.example/t.git"
    bundled = Source(url, "v0.2.0", bundle, ("out of reach",))
    assert bundled.at("v0.1.0", tmp_path) == Source(url, "v0.1.0", bundle)
    assert bundled.at("v0.0.9", tmp_path) == Source(url, "v0.0.9"), "our bundle does not hold it"


def test_a_carried_bundle_is_seen_from_anywhere_at_another_version(template: Template, tmp_path: Path) -> None:
    carried = Source(VENDORED, "v0.1.0", template.bundle())
    vendor(carried, tmp_path)
    assert carried.at("v0.0.9", tmp_path) == Source((tmp_path / VENDORED).as_posix(), "v0.0.9")


def test_an_update_from_a_missing_bundle_says_how_to_restore_it(template: Template, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is missing, which holds the template; restore it: git checkout -- "):
        update_source(VENDORED, tmp_path, None, template.bundle())
