"""The standard of a fleet: from the package, a folder, a bundle or an address."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from conftest import Template, git
from mlscaffold.bundle import tags
from mlscaffold.check.run import examine, judge
from mlscaffold.errors import UserError
from mlscaffold.fleet.clones import borrowed
from mlscaffold.fleet.committed import committed, head
from mlscaffold.fleet.standard import Standard, standard
from mlscaffold.fleet.status import compare_commit


@pytest.fixture
def released(template: Template) -> Template:
    return template.release("v0.2.0", {"template/new.txt": "new\n"}).release("v0.3.0rc1", {"template/next.txt": "\n"})


def test_a_folder_a_bundle_and_an_address_give_the_same_versions(released: Template) -> None:
    places = (str(released.path), str(released.bundle()), f"file://{released.path}/.git")
    for place in places:
        with standard(place) as found:
            assert list(found.commits) == ["v0.1.0", "v0.2.0", "v0.3.0rc1"]
            assert found.commits["v0.1.0"] == git(released.path, "rev-parse", "v0.1.0").strip()
            assert found.newest == "v0.2.0"  # a pre-release is not for everybody
            assert found.bundle.is_file()


def test_the_one_that_came_with_mlscaffold_is_the_default() -> None:
    with standard(None) as found:
        assert found.newest in found.commits
        assert found.url == ""


def test_a_template_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no template at"), standard(str(tmp_path / "nowhere")):
        pass
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "no version")
    with pytest.raises(UserError, match="does it have tags"), standard(str(tmp_path)):
        pass


def test_versions_behind_are_counted(tmp_path: Path) -> None:
    found = Standard(tmp_path, {"v0.1.0": "a", "v0.2.0": "b", "v0.3.0": "c"})
    assert [found.behind(each) for each in ("v0.3.0", "v0.2.0", "v0.1.0", "v9")] == [0, 1, 2, None]


def test_a_bundle_with_another_commit_of_that_version_is_another_standard(
    project: Path, template: Template, shipped: Callable[..., Path]
) -> None:
    found = committed(project, head(project))
    ours = git(template.path, "rev-parse", "v0.1.0").strip()
    place = ".mlscaffold/template.bundle"
    assert Standard(project, {"v0.1.0": ours}).follows(found, place, "v0.1.0")
    assert not Standard(project, {"v0.1.0": "f" * 40}).follows(found, place, "v0.1.0")
    assert not Standard(project, {"v0.1.0": ours}).follows(found, "elsewhere.bundle", "v0.1.0")
    assert not Standard(project, {"v0.1.0": ours}).follows(found, "https://git.example/x", "v0.1.0")
    assert Standard(project, {}, "https://git.example/x").follows(found, "https://git.example/x.git", "v0.1.0")


def test_a_shallow_clone_is_borrowed_with_its_edge(project: Path, tmp_path: Path) -> None:
    git(project, "commit", "-q", "--allow-empty", "-m", "second")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{project}", "shallow")
    shallow = tmp_path / "shallow"
    with borrowed(shallow, head(shallow)) as beside:
        assert git(beside, "log", "--format=%s").split() == ["second"]
        assert git(beside, "status", "--porcelain") == ""
    assert not beside.exists()


def test_a_repository_with_longer_names_of_objects_is_read(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    (tmp_path / "README.md").write_text("# x\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-qm", "first")
    found = committed(tmp_path, head(tmp_path))
    assert found.text("README.md") == "# x\n"
    assert found.size("README.md") == 4
    with borrowed(tmp_path, found.commit) as beside:
        assert (beside / "README.md").read_text() == "# x\n"


def test_status_is_the_same_as_check(project: Path, template: Template) -> None:
    """A commit is compare_commit to the checks as the folder is: the same findings, from git's objects."""
    bundle = template.bundle()
    for text in (None, "a file of the standard, changed\n"):
        if text:
            (project / "run.sh").write_text(text)
            git(project, "commit", "-qam", "changed")
        folder = examine(project)
        held_to = partial(compare_commit, Standard(bundle, tags(bundle)))
        objects = judge(committed(project, head(project), held_to), project.name)
        assert objects.outcomes == folder.outcomes
        assert objects.score == folder.score
        changed = [each.findings for each in objects.outcomes if each.check.id == "TM005"]
        assert [len(each) for each in changed] == [1 if text else 0]
