"""Templates from elsewhere: paths, bundles, URLs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import FILES, Run, Template, git
from mlscaffold import source
from mlscaffold.bundle import newest
from mlscaffold.errors import UserError

ANSWERS = ".copier-answers.yml"


def test_a_bundle_by_path_is_a_template(run: Run, template: Template, tmp_path: Path) -> None:
    bundle = template.bundle()
    assert run("new", tmp_path / "churn", "--defaults", "--template", bundle).code == 0
    assert f"_src_path: {bundle}" in (tmp_path / "churn" / ANSWERS).read_text()


def test_a_url_within_reach_is_asked_for_its_newest_version(run: Run, template: Template, tmp_path: Path) -> None:
    template.release("v0.2.0", {"template/second.txt": "2\n"})
    url = f"file://{template.path}/.git"
    result = run("new", tmp_path / "churn", "--defaults", "--template", url)
    assert result.code == 0, result.err
    assert "_commit: v0.2.0" in (tmp_path / "churn" / ANSWERS).read_text()


def test_a_template_without_a_version_is_used_with_a_warning(run: Run, template: Template, tmp_path: Path) -> None:
    git(template.path, "tag", "-d", "v0.1.0")
    result = run("new", tmp_path / "churn", "--defaults", "--template", template.path)
    assert (result.code, "has no tag that is a version" in result.err) == (0, True)


def test_what_is_no_template_is_refused(template: Template, tmp_path: Path, shipped: Callable[..., Path]) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "file").write_text("no bundle")
    for path, message in (
        (tmp_path / "plain", "is not a git repository"),
        (tmp_path / "file", "is not a git bundle"),
        (template.path / "template", "give the repository's root"),
    ):
        with pytest.raises(UserError, match=message):
            source.template_source(str(path))
    with pytest.raises(UserError, match="carries no template"):
        source.template_source(bundle=tmp_path / "missing.bundle")
    with pytest.raises(UserError, match="out of reach"):
        source.template_source("http://127.0.0.1:9/x.git", "v7", shipped())


def test_the_packages_own_url_is_served_from_the_bundle(
    template: Template, shipped: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = shipped()
    own = "https://git.company.example/ml/mlscaffold"
    monkeypatch.setattr(source, "project_url", lambda: own)
    assert source.template_source(None, None, bundle) == source.Source(f"git+{own}", "v0.1.0", bundle)
    assert source.template_source(f"git+{own}.git", None, bundle).bundle == bundle


def test_only_versions_are_versions() -> None:
    assert newest(["latest", "v0.9.0", "v0.10.0", "v1.0.0rc1", "v0.10.0+acme.1"]) == "v0.10.0+acme.1"
    assert newest(["latest"]) is None


def test_a_loop_in_a_path_is_rendered_as_copier_does(run: Run, template: Template, tmp_path: Path) -> None:
    loop = "template/{% yield each from ['a', 'b'] %}{{ each }}{% endyield %}"
    template.release("v0.2.0", {f"{loop}/x.txt": "x\n", f"{loop}/y.txt": "y\n"})
    result = run("new", tmp_path / "churn", "--defaults", "--template", template.path)
    assert result.code == 0, result.err
    found = sorted(path.relative_to(tmp_path / "churn").as_posix() for path in (tmp_path / "churn").glob("[ab]/*"))
    assert found == ["a/x.txt", "a/y.txt", "b/x.txt", "b/y.txt"]


def test_a_broken_template_is_the_messages_subject(run: Run, template: Template, tmp_path: Path) -> None:
    template.release("v0.2.0", {"template/README.md.jinja": "{{ name", "copier.yml": FILES["copier.yml"]})
    result = run("new", tmp_path / "churn", "--defaults", "--template", template.path)
    assert (result.code, "the template cannot be used" in result.err) == (2, True)
    missing = run("new", tmp_path / "churn", "--defaults", "--template", template.path, "--ref", "nowhere")
    assert (missing.code, "nowhere" in missing.err) == (2, True)
