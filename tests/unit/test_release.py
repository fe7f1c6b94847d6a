"""The release step: the same tree makes the same history, and a released version never changes."""

import re
import subprocess
import sys
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
    git(root, "add", "--all")


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


def test_the_newest_version_is_replaced_on_demand_but_no_other(checkout: Path) -> None:
    release(checkout)
    write(checkout, "0.2.0", "second")
    release(checkout)
    write(checkout, "0.2.0", "second, better")
    assert release(checkout, "--replace-newest").returncode == 0
    assert versions(checkout) == ["v0.1.0", "v0.2.0"]
    write(checkout, "0.1.0", "too late")
    assert release(checkout, "--replace-newest").returncode != 0


def test_what_git_does_not_track_is_left_out_and_modes_are_kept(checkout: Path) -> None:
    (checkout / "template" / "scratch").touch()
    (checkout / "template" / "run.sh").write_text("#!/bin/sh\n")
    (checkout / "template" / "run.sh").chmod(0o755)
    git(checkout, "add", "template/run.sh")
    release(checkout)
    clone = checkout.parent / "clone"
    git(checkout, "clone", "-q", str(bundle(checkout)), str(clone))
    assert sorted(path.name for path in (clone / "template").iterdir()) == ["README.md", "run.sh"]
    assert (clone / "template" / "run.sh").stat().st_mode & 0o100


def test_a_symlink_is_refused(checkout: Path) -> None:
    (checkout / "template" / "link").symlink_to("README.md")
    git(checkout, "add", "--all")
    assert "is a symlink" in release(checkout).stderr


def test_changelog_and_package_must_name_the_same_version(checkout: Path) -> None:
    (checkout / "src" / "mlscaffold" / "__init__.py").write_text('__version__ = "0.2.0"\n')
    assert "must name the same version" in release(checkout).stderr


UNRELEASED = re.search(r"^## (\S+) - unreleased$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.skipif(UNRELEASED is not None, reason="the template may change between releases")
def test_the_newest_version_in_the_bundle_is_the_checkout(tmp_path: Path) -> None:
    copy = tmp_path / "template.bundle"
    copy.write_bytes(BUNDLE.read_bytes())
    done = release(ROOT, "--bundle", str(copy))
    assert "released already, with the same tree" in done.stdout, (
        f"the template changed since its release: raise the version, or run {SCRIPT.name} ({done.stdout}{done.stderr})"
    )


@pytest.mark.skipif(UNRELEASED is None, reason="all is released")
def test_the_version_to_come_is_newer_than_the_released_ones() -> None:
    assert UNRELEASED is not None
    assert Version(UNRELEASED[1]) > max(map(Version, versions(ROOT)))
