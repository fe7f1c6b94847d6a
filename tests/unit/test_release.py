"""The release step: the same tree makes the same history, and a released version never changes."""

import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

from conftest import git

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "release_template.py"
BUNDLE = ROOT / "src" / "mlscaffold" / "template.bundle"


def release(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--root", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def bundle(root: Path) -> Path:
    return root / "src" / "mlscaffold" / "template.bundle"


def versions(root: Path) -> list[str]:
    heads = git(root, "bundle", "list-heads", str(bundle(root))).splitlines()
    return sorted(line.rpartition("refs/tags/")[2] for line in heads if "refs/tags/" in line)


def write(root: Path, version: str, text: str) -> None:
    package = root / "src" / "mlscaffold"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(f'__version__ = "{version}"\n')
    (root / "CHANGELOG.md").write_text(f"# Changelog\n\n## {version} - 2026-11-23\n\n- {text}\n")
    (root / "copier.yml").write_text("_subdirectory: template\n")
    (root / "template").mkdir(exist_ok=True)
    (root / "template" / "README.md").write_text(f"{text}\n")
    library = root / "runtime" / "src" / "mlproduct"
    library.mkdir(parents=True, exist_ok=True)
    (library / "_version.py").write_text(f'__version__ = "{version}"\n')
    (root / "runtime" / "tests").mkdir(exist_ok=True)
    for name in ("pyproject.toml", "README.md", "LICENSE", "api.txt"):
        (root / "runtime" / name).write_bytes((ROOT / "runtime" / name).read_bytes())
    (library / "__init__.py").touch()
    git(root, "add", "--all", ":!template/vendor")  # the release writes it


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q")
    write(folder, "0.1.0", "first")
    return folder


def test_two_releases_stand_on_each_other(checkout: Path) -> None:
    assert release(checkout).returncode == 0
    write(checkout, "0.2.0", "second")
    done = release(checkout)
    assert "v0.2.0 released: 2 versions" in done.stdout, done.stderr
    assert versions(checkout) == ["v0.1.0", "v0.2.0"]
    clone = checkout.parent / "clone"
    git(checkout, "clone", "-q", str(bundle(checkout)), str(clone))
    assert git(clone, "log", "--format=%an %ae %aI %s").splitlines() == [
        "mlscaffold mlscaffold@localhost 2026-11-23T00:00:00+00:00 Template 0.2.0",
        "mlscaffold mlscaffold@localhost 2026-11-23T00:00:00+00:00 Template 0.1.0",
    ]
    assert (clone / "CHANGELOG.md").exists()


def test_the_same_tree_gives_the_same_bytes(checkout: Path) -> None:
    release(checkout)
    first = bundle(checkout).read_bytes()
    bundle(checkout).unlink()
    release(checkout)
    assert bundle(checkout).read_bytes() == first


def test_a_released_version_is_not_made_again_from_another_tree(checkout: Path) -> None:
    release(checkout)
    before = bundle(checkout).read_bytes()
    assert "released already, with the same tree" in release(checkout).stdout
    write(checkout, "0.1.0", "changed")
    done = release(checkout)
    assert done.returncode != 0
    assert "raise the version" in done.stderr
    assert bundle(checkout).read_bytes() == before


def test_no_option_makes_a_released_version_again(checkout: Path) -> None:
    assert "unrecognized arguments" in release(checkout, "--replace-newest").stderr


def test_a_release_holds_the_wheel_of_its_library_and_writes_it(checkout: Path) -> None:
    done = release(checkout)
    assert done.returncode == 0, done.stderr
    wheel, pin = sorted((checkout / "template" / "vendor").iterdir())
    assert (wheel.name, pin.name) == ("mlproduct-0.1.0-py3-none-any.whl", "requirements.txt.jinja")
    assert f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" in pin.read_text()
    clone = cloned(checkout)
    assert (clone / "template" / "vendor" / wheel.name).read_bytes() == wheel.read_bytes()
    assert (clone / "template" / "vendor" / pin.name).read_bytes() == pin.read_bytes()


def test_a_wheel_that_is_older_than_the_library_is_built_again(checkout: Path) -> None:
    release(checkout)
    write(checkout, "0.2.0", "second")
    (checkout / "runtime" / "src" / "mlproduct" / "more.py").write_text("x = 1\n")
    assert release(checkout).returncode == 0
    (wheel,) = (cloned(checkout) / "template" / "vendor").glob("*.whl")
    assert wheel.name == "mlproduct-0.2.0-py3-none-any.whl"
    assert "mlproduct/more.py" in zipfile.ZipFile(wheel).namelist()


def test_a_changed_library_under_a_released_version_is_refused(checkout: Path) -> None:
    release(checkout)
    (checkout / "runtime" / "src" / "mlproduct" / "more.py").write_text("x = 1\n")
    assert "v0.1.0 is released already, with another tree: raise the version" in release(checkout).stderr


def test_the_library_must_have_the_version_of_the_package(checkout: Path) -> None:
    (checkout / "runtime" / "src" / "mlproduct" / "_version.py").write_text('__version__ = "0.0.9"\n')
    assert "_version.py must name the version 0.1.0" in release(checkout).stderr


def cloned(checkout: Path) -> Path:
    clone = checkout.parent / "clone"
    git(checkout, "clone", "-q", str(bundle(checkout)), str(clone))
    return clone


def test_what_git_does_not_track_is_left_out_and_modes_are_kept(checkout: Path) -> None:
    (checkout / "template" / "scratch").touch()
    (checkout / "template" / "run.sh").write_text("#!/bin/sh\n")
    (checkout / "template" / "run.sh").chmod(0o755)
    git(checkout, "add", "template/run.sh")
    release(checkout)
    clone = checkout.parent / "clone"
    git(checkout, "clone", "-q", str(bundle(checkout)), str(clone))
    assert sorted(path.name for path in (clone / "template").iterdir()) == ["README.md", "run.sh", "vendor"]
    assert (clone / "template" / "run.sh").stat().st_mode & 0o100


def test_a_symlink_is_refused(checkout: Path) -> None:
    (checkout / "template" / "link").symlink_to("README.md")
    git(checkout, "add", "--all")
    assert "is a symlink" in release(checkout).stderr


def test_changelog_and_package_must_name_the_same_version(checkout: Path) -> None:
    (checkout / "src" / "mlscaffold" / "__init__.py").write_text('__version__ = "0.2.0"\n')
    assert "must name the same version" in release(checkout).stderr


UNRELEASED = re.search(r"^## (\S+) - unreleased$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


def newest_with_a_wheel(folder: Path) -> Path:
    """Check out the newest released template, if it carries a wheel."""
    git(ROOT, "clone", "-q", str(BUNDLE), str(folder))
    if not list((folder / "template" / "vendor").glob("*.whl")):
        pytest.skip("no released version carries a wheel yet: 0.6.0 is the first")
    return folder


def test_the_released_wheel_can_be_built_again_from_the_tree_of_its_tag(tmp_path: Path) -> None:
    clone = newest_with_a_wheel(tmp_path / "released")
    (wheel,) = (clone / "template" / "vendor").glob("*.whl")
    version = wheel.name.split("-")[1]
    tags = git(ROOT, "tag", "--list", f"v{version}").split()
    if not tags:
        pytest.skip(f"this checkout has no tag v{version} to build from")
    tree = tmp_path / "tree"
    git(ROOT, "clone", "-q", "--branch", tags[0], "--depth", "1", f"file://{ROOT}", str(tree))
    build = [sys.executable, str(tree / "scripts" / "build_runtime.py"), "--target", str(tmp_path / "built")]
    subprocess.run(build, check=True, capture_output=True)
    assert (tmp_path / "built" / wheel.name).read_bytes() == wheel.read_bytes()


@pytest.mark.skipif(UNRELEASED is not None, reason="the template may change between releases")
def test_the_newest_version_in_the_bundle_is_the_checkout(tmp_path: Path) -> None:
    newest_with_a_wheel(tmp_path / "released")
    copy, root = tmp_path / "template.bundle", tmp_path / "checkout"
    copy.write_bytes(BUNDLE.read_bytes())
    for name in git(ROOT, "ls-files").splitlines():  # a release writes the wheel: not into this checkout
        if name.startswith(("template/", "runtime/", "src/mlscaffold/__init__", "copier.yml", "CHANGELOG.md")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    git(root, "init", "-q")
    git(root, "add", "--all", "--force")
    done = release(root, "--bundle", str(copy))
    assert "released already, with the same tree" in done.stdout, (
        f"the template changed since its release: raise the version, or run {SCRIPT.name} ({done.stdout}{done.stderr})"
    )


@pytest.mark.skipif(UNRELEASED is None, reason="all is released")
def test_the_version_to_come_is_newer_than_the_released_ones() -> None:
    assert UNRELEASED is not None
    assert Version(UNRELEASED[1]) > max(map(Version, versions(ROOT)))
