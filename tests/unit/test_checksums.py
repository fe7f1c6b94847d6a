"""The files that a template copies byte for byte, compared without rendering anything."""

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import FILES, Run, Template
from mlscaffold import checksums, source
from mlscaffold.checksums import compare_repository
from mlscaffold.errors import UserError
from mlscaffold.project import answers_of

TABLE = (
    FILES["copier.yml"]
    + "_yours: {/src/**/model.py: the model}\n_exclude: [\"{% if owner == 'x' %}/run.sh{% endif %}\"]\n"
)


def quick(project: Path, **more: str):
    return compare_repository(project, {**answers_of(project / ".copier-answers.yml"), **more})


@pytest.fixture
def owned(template: Template, shipped: Callable[..., Path], run: Run, tmp_path: Path) -> Path:
    """A repository whose template says that the model is the team's, and that run.sh depends on an answer."""
    template.release("v0.2.0", {"copier.yml": TABLE, "template/tool.py": "print()\n", "template/a.sh": "#!/bin/sh\n"})
    shipped()
    assert run("new", tmp_path / "owned", "--defaults").code == 0
    return tmp_path / "owned"


def test_a_new_repository_is_as_the_standard(project: Path) -> None:
    found = quick(project)
    assert found is not None
    assert (found.looked_at, found.count) == (3, 0)  # model.py, .gitignore, run.sh


def test_what_was_changed_or_deleted_is_named_and_what_is_the_teams_is_not(owned: Path) -> None:
    (owned / "src/owned/model.py").write_text("depth = 9\n")
    (owned / "tool.py").write_text("print(1)\n")
    (owned / ".gitignore").unlink()
    (owned / "a.sh").chmod(0o644)
    found = quick(owned)
    assert found is not None
    assert (found.looked_at, found.count) == (4, 3)
    assert (found.changed, found.deleted) == (("a.sh", "tool.py"), (".gitignore",))


def test_the_team_adds_to_the_table_with_a_reason(owned: Path) -> None:
    (owned / "tool.py").write_text("print(1)\n")
    (owned / "pyproject.toml").write_text('[tool.mlscaffold.diff]\nyours = {"/*.py" = "we print more"}\n')
    assert quick(owned).count == 0
    for text, message in (
        ('yours = {"/*.py" = ""}', "without a reason"),
        ('yours = ["/*.py"]', "needs a reason for each"),
        ("mine = 1", "has no setting 'mine'"),
        ('yours = {"!" = "why"}', "'!' is not a file pattern"),
    ):
        (owned / "pyproject.toml").write_text(f"[tool.mlscaffold.diff]\n{text}\n")
        with pytest.raises(UserError, match=message):
            quick(owned)
    (owned / "pyproject.toml").write_text("[tool.mlscaffold]\ndiff = 3\n")
    with pytest.raises(UserError, match="is a table"):
        quick(owned)
    (owned / "pyproject.toml").write_text("[tool\n")
    assert quick(owned).count == 1


def test_links_lead_nowhere(owned: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "owned").mkdir(parents=True)
    (outside / "owned/model.py").write_text((owned / "src/owned/model.py").read_text())
    (owned / "src").rename(tmp_path / "gone")
    (owned / "src").symlink_to(outside)
    (owned / "tool.py").unlink()
    (owned / "tool.py").symlink_to(owned / "a.sh")
    (owned / "a.sh").unlink()
    (owned / "a.sh").mkdir()
    (owned / "pyproject.toml").write_text('[tool.mlscaffold.diff]\nyours = {"/.gitignore" = "why"}\n')
    found = quick(owned)
    assert (found.changed, found.deleted) == (("a.sh", "tool.py"), ())  # src/owned/model.py is the team's


@pytest.mark.parametrize("url", ["../x.bundle", "/x.bundle", "gone.bundle", "link.bundle", "https://example.org/x.git"])
def test_an_address_elsewhere_is_not_followed_and_the_packages_bundle_stands_in_for_its_own(
    url: str, owned: Path, tmp_path: Path, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.bundle").write_bytes((owned / ".mlscaffold/template.bundle").read_bytes())
    (owned / "link.bundle").symlink_to(tmp_path / "x.bundle")
    answers = {**answers_of(owned / ".copier-answers.yml"), "_src_path": url}
    assert compare_repository(owned, answers) is None
    assert compare_repository(owned, answers, template.bundle()).count == 0
    monkeypatch.setattr(source, "project_url", lambda: "https://example.org/x")
    monkeypatch.setattr(checksums, "BUNDLE", template.bundle())
    assert (compare_repository(owned, answers) is None) == (not url.startswith("https"))


def test_a_version_that_nobody_carries_gives_nothing_to_look_at(owned: Path) -> None:
    assert quick(owned, _commit="v9.0.0") is None
    assert quick(owned, _commit="") is None


def test_a_path_from_an_answer_leads_nowhere_else(owned: Path) -> None:
    assert quick(owned, package="../../x").looked_at == 3


def test_a_broken_bundle_gives_nothing_to_look_at(owned: Path) -> None:
    place = owned / ".mlscaffold/template.bundle"
    assert quick(owned) is not None
    head, _, _ = place.read_bytes().partition(b"\n\n")
    place.write_bytes(head + b"\n\nPACKbroken")
    assert quick(owned) is not None, "its commit is known by now, and a commit is its content"
    place.write_bytes(b"# v2 git bundle\n" + b"1" * 40 + b" refs/tags/v0.2.0\n\nPACKbroken")
    assert quick(owned) is None


@pytest.mark.parametrize("text", ["_subdirectory: [\n", '_exclude: ["!"]\n_subdirectory: template\n', None])
def test_a_template_whose_questions_cannot_be_read_gives_nothing_to_look_at(
    text: str | None, owned: Path, template: Template
) -> None:
    bundle = template.release("v0.3.0", {"copier.yml": text}).bundle()
    (owned / ".mlscaffold/template.bundle").write_bytes(bundle.read_bytes())
    assert quick(owned, _commit="v0.3.0") is None
