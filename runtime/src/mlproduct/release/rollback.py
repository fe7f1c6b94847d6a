"""Back to a release of before: its Bento is made again from its tag, has to say so itself, and is the champion again.

Nothing at hand is touched, so nothing has to be committed: the release is checked out in a work tree beside. What is
newer gets a tag `withdrawn/v1.2.0`, with the reason: candidates are not compared with it any more.
"""

from datetime import date

from mlproduct import team
from mlproduct.errors import DataError
from mlproduct.evaluation.champion import WITHDRAWN, releases, withdrawn
from mlproduct.release.rebuild import Rebuilt, git, paths, rebuild, work_tree


def target(version: str) -> str:
    """Return the release to go back to: the one that is asked for, or the one before the champion.

    Raises
    ------
    DataError
        If there is none, or it was released before `make rollback` could make it again.
    """
    standing = releases()
    if not version and len(standing) < 2:
        raise DataError("there is no release to go back to: `git tag` lists them, VERSION=v1.0.0 names one")
    version = version or standing[1]
    if version not in [*standing, *withdrawn()]:
        raise DataError(
            f"VERSION={version} is not a release before this commit: {', '.join(standing) or 'there is none'}"
        )
    if not git("ls-tree", "--name-only", version, *paths()):
        raise DataError(
            f"{version} cannot say by itself what it is, it is from before `make release`. By hand, in a clone: "
            f"`git checkout {version} && make setup pull package serve`"
        )
    return version


def newer(version: str) -> list[str]:
    """Name the releases that came after one and stand."""
    after = set(git("tag", "--list", "v[0-9]*", "--contains", version).splitlines())
    return [name for name in releases() if name in after and name != version]


def released_on(version: str) -> date:
    """Return the day of a release."""
    return date.fromisoformat(git("for-each-ref", "--format=%(creatordate:short)", f"refs/tags/{version}"))


def mark(version: str, why: str) -> list[str]:
    """Withdraw what is newer than a release, and let the release itself stand; returns the tags that were made."""
    tags = [f"{WITHDRAWN}{name}" for name in newer(version)]
    for tag in tags:
        git(
            "tag",
            "--annotate",
            "--message",
            why or f"rolled back to {version}",
            tag,
            tag.removeprefix(WITHDRAWN) + "^{}",
        )
    if version in withdrawn():
        git("tag", "--delete", f"{WITHDRAWN}{version}")
    return tags


def summary(version: str, built: Rebuilt, tags: list[str]) -> str:
    """Say what runs from here, and what is left to do."""
    again = f"make rollback VERSION={tags[0].removeprefix(WITHDRAWN)}" if tags else ""
    lines = [
        f"\n== {team.package()} is back at {version}",
        f"model       {built.model}, served and asked: /version says so",
        f"bento       {built.bento}: `make serve` serves it, `make image` makes its image",
        "cluster     kubectl rollout undo, or `make image-digest` with the digest of its image: docs/how-to/deploy.md",
        f"publish     git push origin {' '.join(tags)}" if tags else "",
        f"undo        {again}" if again else "",
    ]
    return "\n".join(filter(None, lines))


def main(version: str = "", why: str = "") -> None:
    """Roll back to a version, or to the release before the champion."""
    version = target(version)
    with work_tree(version) as tree:
        built = rebuild(tree, released_on(version))
    print(summary(version, built, mark(version, why)))
