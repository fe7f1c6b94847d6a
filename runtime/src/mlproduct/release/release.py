"""The blessed model becomes the champion: a tag, an entry in CHANGELOG.md, an SBOM, and a Bento that has proven itself.

All or nothing: the commit is made in a work tree beside, and the branch and the tag move when everything else is done.
"""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from mlproduct import imports, team
from mlproduct.data import storage
from mlproduct.errors import DataError
from mlproduct.evaluation.champion import find, releases
from mlproduct.evaluation.verdict import require_accepted
from mlproduct.packaging.store import STORE
from mlproduct.release.changelog import CHANGELOG, Release, added, entry
from mlproduct.release.rebuild import Rebuilt, git, rebuild, work_tree
from mlproduct.release.sbom import SBOM, bill
from mlproduct.stages import IMPORTS

VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Released:
    """A release, the one before, and its Bento."""

    version: str
    before: str | None
    built: Rebuilt


def following(tags: list[str]) -> str:
    """Return the next version: a new model is a minor one; who breaks what callers send says VERSION=v2.0.0."""
    versions = [tuple(map(int, found.groups())) for tag in tags if (found := VERSION.fullmatch(tag))]
    if not versions:
        return "v1.0.0"
    major, minor, _ = max(versions)
    return f"v{major}.{minor + 1}.0"


def checked(version: str, tags: list[str]) -> str:
    """Refuse a version that is none, or is taken.

    Raises
    ------
    DataError
        With what to do.
    """
    if not VERSION.fullmatch(version):
        raise DataError(f"VERSION={version}: write v1.2.0")
    if version in tags:
        raise DataError(f"{version} is released already: `make release` alone takes the next one")
    return version


def ready() -> str:
    """Return the commit that is released.

    Raises
    ------
    DataError
        If something is not committed, or the reports are not those of what is committed.
    """
    if changed := git("status", "--porcelain"):
        raise DataError(f"a release is a commit: commit or stash first\n{changed}")
    if names := stale():
        raise DataError(
            f"model and reports are not those of this commit: `make train` (or `make pull`) runs {', '.join(names)}"
        )
    require_accepted()
    return git("rev-parse", "HEAD")


def stale() -> list[str]:
    """Name the stages and data whose results are not those of what is at hand.

    The stage `imports` reads all of src/, also what only the service runs: it is current if its outputs are.

    Raises
    ------
    DataError
        If DVC cannot tell; with what it says.
    """
    done = subprocess.run(["dvc", "status", "--json"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise DataError(f"dvc status: {done.stderr.strip()}")
    names = list(json.loads(done.stdout))
    return [name for name in names if name != IMPORTS or not imports.is_current()]


def release(version: str, day: date) -> Released:
    """Release the commit at hand.

    Raises
    ------
    DataError
        If it may not be released, or does not prove itself; then all is as it was.
    """
    tags, old, commit = git("tag", "--list", "v[0-9]*").splitlines(), find()["release"], ready()
    version = checked(version or following(tags), tags)
    before = Release.of(old, old) if old else None
    notes = entry(Release.of(version, commit), before, day)
    with work_tree(commit) as tree:
        (tree / CHANGELOG).write_text(added(_text(tree / CHANGELOG), notes), encoding="utf-8")
        (tree / SBOM).write_text(bill(team.package(), version, tree), encoding="utf-8")
        git("add", str(CHANGELOG), str(SBOM), folder=tree)
        git(
            "commit", "--quiet", "--no-verify", "--message", f"Release {version}", folder=tree
        )  # hooks have seen the rest
        built = rebuild(tree, day)
        shutil.copy2(tree / SBOM, STORE / "bentos" / built.bento.replace(":", "/") / SBOM.name)
    publish(version, commit, built.commit, notes)
    return Released(version, old, built)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def publish(version: str, before: str, commit: str, notes: str) -> None:
    """Move the branch to the release, and tag it; or neither.

    Raises
    ------
    DataError
        If the branch has moved meanwhile, or the tag cannot be made.
    """
    git("merge", "--quiet", "--ff-only", commit)
    try:
        git("tag", "--annotate", "--cleanup=verbatim", "--message", notes, version, commit)
    except BaseException:
        git("reset", "--quiet", "--keep", before)
        raise


def summary(released: Released) -> str:
    """Say what was released, how it reaches others, and how it is taken back."""
    branch = git("rev-parse", "--abbrev-ref", "HEAD")
    back = f"make rollback VERSION={released.before}" if released.before else "there is no release before this one"
    return "\n".join(
        [
            f"\n== {team.package()} {released.version} is the champion",
            f"model       {released.built.model}, served and asked: /version says so",
            f"bento       {released.built.bento}, with its SBOM",
            f"written     {CHANGELOG}, {SBOM}",
            f"publish     make push && git push --atomic origin {branch} {released.version}",
            f"roll back   {back}",
        ]
    )


def main(version: str = "") -> None:
    """Release the commit at hand under a version, or under the next one."""
    released = release(version, datetime.now(UTC).date())
    if releases()[0] != released.version:
        raise DataError(
            f"{released.version} is tagged, and `make train` would compare with {releases()[0]}: look at `git tag`"
        )
    print(summary(released))
    if warning := storage.note(storage.Storage.read()):
        print(f"note        {warning}")
