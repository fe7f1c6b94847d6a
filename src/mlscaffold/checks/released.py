"""Which wheels of the library were released: the template that came with this mlscaffold pins each by its hash."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from ..bundle import BUNDLE, tags
from ..errors import UserError
from ..git import PLAIN, GitError, git, read

_PIN = "template/vendor/requirements.txt.jinja"
_HASH = re.compile(r"sha256:([0-9a-f]{64})")
_VERSION = re.compile(r"mlproduct==([\w.+!-]+)|mlproduct-([\w.+!]+)-py3")


def wheels() -> Mapping[str, str]:
    """Return the version of each released wheel, by its SHA-256, oldest first."""
    return _wheels(BUNDLE)


def wheel(version: str) -> bytes | None:
    """Return the content of a released wheel; None where no such version was released."""
    return _wheel(BUNDLE, version)


@lru_cache(maxsize=8)
def _wheels(bundle: Path) -> Mapping[str, str]:
    commits = list(tags(bundle).values())
    try:
        pins = _contents(bundle, [f"{commit}:{_PIN}" for commit in commits])
    except (GitError, OSError, UserError):  # without git, or without a bundle, no release is known
        return {}
    return {digest: _version(pin) for pin in pins for digest in _HASH.findall(pin.decode(errors="replace"))}


def _version(pin: bytes) -> str:
    found = _VERSION.search(pin.decode(errors="replace"))
    return (found[1] or found[2]) if found else ""


@lru_cache(maxsize=8)
def _wheel(bundle: Path, version: str) -> bytes | None:
    name = f"mlproduct-{version}-py3-none-any.whl"
    names = [f"{commit}:template/vendor/{name}" for commit in tags(bundle).values()]
    try:
        return next(iter(_contents(bundle, names)), None)
    except (GitError, OSError, UserError):
        return None


def _contents(bundle: Path, names: list[str]) -> list[bytes]:
    """Return the files among some names, `COMMIT:PATH`, that a bundle holds."""
    if not names:
        return []
    with TemporaryDirectory(prefix="mlscaffold-bundle-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        git("init", "--quiet", "--bare", "--template=", cwd=scratch, config=PLAIN)
        git("bundle", "unbundle", bundle.resolve(), cwd=scratch, config=PLAIN)
        output = read("cat-file", "--batch", cwd=scratch, stdin="".join(f"{name}\n" for name in names).encode())
    found = []
    while output:
        head, _, output = output.partition(b"\n")
        if head.endswith(b" missing"):
            continue
        size = int(head.rsplit(b" ", 1)[1])
        found.append(output[:size])
        output = output[size + 1 :]
    return found
