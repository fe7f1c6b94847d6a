"""Release the template: extend src/mlscaffold/template.bundle by the version of CHANGELOG.md and __init__.py.

The wheel of runtime/ is built into template/vendor/ first, and is part of the release; commit it with the bundle. The
commits follow from the tree, the version and its date alone: everybody who releases the same tree makes the same
history. A released version is never made again.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import build_runtime

ROOT = Path(__file__).parents[1]
VENDOR = Path("template/vendor")
BUNDLE = ROOT / "src" / "mlscaffold" / "template.bundle"
WHO = "mlscaffold"
MAIL = "mlscaffold@localhost"
# One thread and fixed settings: the same objects give the same bytes.
SETTINGS = ("-c", "pack.threads=1", "-c", "core.compression=9", "-c", "pack.compression=9", "-c", "core.autocrlf=false")


def git(*words: str, cwd: Path, stdin: bytes | None = None, date: str = "") -> str:
    """Run git without the user's configuration."""
    environ = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    for role in ("AUTHOR", "COMMITTER"):
        environ |= {f"GIT_{role}_NAME": WHO, f"GIT_{role}_EMAIL": MAIL, f"GIT_{role}_DATE": date}
    done = subprocess.run(
        ["git", *SETTINGS, *words], cwd=cwd, input=stdin, env=environ, capture_output=True, check=False
    )
    if done.returncode:
        sys.exit(f"git {words[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode()


def version_and_date(root: Path) -> tuple[str, str]:
    """Read the version of the package, and its date from the changelog."""
    version = re.search(r'__version__ = "(.+)"', (root / "src/mlscaffold/__init__.py").read_text(encoding="utf-8"))
    heading = re.search(
        r"^## (\S+) - (\d{4}-\d{2}-\d{2})", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    if not version or not heading or version[1] != heading[1]:
        sys.exit(
            "the newest heading of CHANGELOG.md and __version__ must name the same version: '## 0.1.0 - 2026-11-23'"
        )
    path = root / "runtime/src/mlproduct/_version.py"
    library = re.search(r'__version__ = "(.+)"', path.read_text(encoding="utf-8"))
    if not library or library[1] != version[1]:
        sys.exit(f"runtime/src/mlproduct/_version.py must name the version {version[1]}, as __version__ does")
    return version[1], heading[2]


def files(root: Path) -> list[Path]:
    """List what belongs to the template: what git tracks, as it stands on disk, and the wheel with its pin."""
    listed = git("ls-files", "-z", "--cached", "--", "copier.yml", "template", cwd=root).split("\0")
    built = {path for path in (root / VENDOR).iterdir() if path.suffix == ".whl" or path.name == build_runtime.PIN}
    found = sorted({root / name for name in listed if name and os.path.lexists(root / name)} | built)
    for path in found:
        if path.is_symlink():
            sys.exit(f"{path.relative_to(root)} is a symlink: it would break the wheel and need trust; copy the file")
    return found


def make_tree(root: Path, repository: Path) -> str:
    """Write the template's files into a repository and return their tree."""
    entries = []
    for path in files(root):
        blob = git("hash-object", "-w", "--stdin", cwd=repository, stdin=path.read_bytes()).strip()
        mode = "100755" if path.stat().st_mode & 0o100 else "100644"
        entries.append(f"{mode} {blob} 0\t{path.relative_to(root).as_posix()}\0")
    # The changelog goes along as it is at this release: an update says what it brings.
    log = git("hash-object", "-w", "--stdin", cwd=repository, stdin=(root / "CHANGELOG.md").read_bytes()).strip()
    entries.append(f"100644 {log} 0\tCHANGELOG.md\0")
    git("read-tree", "--empty", cwd=repository)
    git("update-index", "-z", "--index-info", cwd=repository, stdin="".join(entries).encode())
    return git("write-tree", cwd=repository).strip()


def versions(repository: Path) -> list[str]:
    """List released versions, oldest first."""
    return git("tag", "--list", "v*", "--sort=version:refname", cwd=repository).split()


def release(root: Path, bundle: Path) -> str:
    """Build the wheel, extend the bundle by one release, and say what was done."""
    version, date = version_and_date(root)
    build_runtime.write(root / "runtime", root / VENDOR)  # whatever lies there: it may be older than runtime/
    tag = f"v{version}"
    with TemporaryDirectory() as folder:
        repository = Path(folder)
        git("init", "--quiet", "--bare", "--initial-branch=main", "--template=", cwd=repository)
        if bundle.exists():
            git("fetch", "--quiet", str(bundle.resolve()), "refs/tags/*:refs/tags/*", cwd=repository)
        tree, known = make_tree(root, repository), versions(repository)
        if tag in known:
            if git("rev-parse", f"{tag}^{{tree}}", cwd=repository).strip() == tree:
                return f"{tag} is released already, with the same tree"
            sys.exit(f"{tag} is released already, with another tree: raise the version")
        parent = ["-p", git("rev-parse", known[-1], cwd=repository).strip()] if known else []
        message = f"Template {version}\n".encode()
        commit = git("commit-tree", tree, *parent, cwd=repository, stdin=message, date=f"{date}T00:00:00+00:00").strip()
        git("update-ref", f"refs/tags/{tag}", commit, cwd=repository)
        write(repository, [*known, tag], bundle)
    return f"{tag} released: {len(known) + 1} versions, {bundle.stat().st_size / 1024:.0f} KiB"


def write(repository: Path, tags: list[str], bundle: Path) -> None:
    """Write the bundle from a repository that holds nothing else, so that its bytes follow from the history."""
    with TemporaryDirectory() as folder:
        clean = Path(folder)
        git("init", "--quiet", "--bare", "--initial-branch=main", "--template=", cwd=clean)
        for tag in tags:
            git("fetch", "--quiet", "--no-tags", str(repository), f"refs/tags/{tag}:refs/tags/{tag}", cwd=clean)
        git("update-ref", "refs/heads/main", git("rev-parse", tags[-1], cwd=clean).strip(), cwd=clean)
        git("repack", "-a", "-d", "-f", "-q", cwd=clean)
        partial = bundle.with_suffix(".partial")
        refs = ["HEAD", "refs/heads/main", *(f"refs/tags/{tag}" for tag in tags)]
        git("bundle", "create", "--quiet", str(partial.resolve()), *refs, cwd=clean)
        partial.replace(bundle)


def main() -> None:
    """Release the checkout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: this one)")
    parser.add_argument("--bundle", type=Path, help="the bundle to extend")
    arguments = parser.parse_args()
    bundle = arguments.bundle or arguments.root / BUNDLE.relative_to(ROOT)
    print(release(arguments.root.resolve(), bundle))


if __name__ == "__main__":
    main()
