"""Apply a planned adoption: stage the additions, put colliding files on a branch, and change nothing else."""

from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import UserError
from ..git import PLAIN, asked, git, identity
from ..project import Project
from ..update.apply import apply as apply_plan
from ..update.preview import Change, Plan
from .adoption import BRANCH, Adoption
from .ignored import lets_through

_LISTS = (".gitignore", ".gitattributes", ".dockerignore", ".dvcignore")


def apply(adoption: Adoption) -> None:
    """Write the additions and stage them; put the standard's version of what collides on a branch.

    Nothing of the repository is overwritten, nothing is committed to its branch. As with an update, what is to be done
    is written down first: killed before that, nothing has happened; killed after, the next `mlscaffold adopt` finishes.

    Parameters
    ----------
    adoption : Adoption
        A plan that is still open.

    Raises
    ------
    UserError
        If the branch for collisions is there already.
    """
    root = adoption.target.root
    if adoption.having("collides") and asked("rev-parse", "--verify", "--quiet", f"refs/heads/{BRANCH}", cwd=root):
        raise UserError(f"there is a branch {BRANCH} already; merge it, or delete it: git branch -D {BRANCH}")
    added = adoption.having("added")
    staged = tuple(path for path in added if path not in adoption.hidden)
    planned = Plan(
        Project(adoption.target.path, root, adoption.url, adoption.version, adoption.target.git_dir),
        adoption.version,
        tuple(Change(path, "added") for path in added),
        tree=adoption.tree,
        stages=_entries(adoption.tree, staged, root),
        branch=_proposal(adoption),
    )
    apply_plan(planned)


def _entries(tree: Path, paths: tuple[Path, ...], root: Path) -> bytes:
    """Write files into git's objects, and return their lines of an index."""
    files = "\n".join(str(tree / path) for path in paths).encode(errors="surrogateescape")
    hashes = git("hash-object", "-w", "--no-filters", "--stdin-paths", cwd=root, config=PLAIN, stdin=files).split()
    lines = [
        f"{'100755' if (tree / path).stat().st_mode & 0o100 else '100644'} {digest} 0\t{path.as_posix()}\0"
        for path, digest in zip(paths, hashes, strict=True)
    ]
    return "".join(lines).encode(errors="surrogateescape")


def _proposal(adoption: Adoption) -> tuple[str, str] | None:
    """Commit the standard's version of what collides on top of the repository's own commit, on no branch yet."""
    paths, root = adoption.having("collides"), adoption.target.root
    if not paths:
        return None
    with TemporaryDirectory(prefix="mlscaffold-adopt-") as scratch:
        other, index = Path(scratch).resolve() / "tree", Path(scratch).resolve() / "index"
        for path in paths:
            (other / path).parent.mkdir(parents=True, exist_ok=True)
            (other / path).write_bytes(_proposed(adoption, path))
        git("read-tree", "HEAD", cwd=root, index=index)
        entries = _entries(other, paths, root)
        git("update-index", "-z", "--index-info", cwd=root, index=index, stdin=entries)
        written = git("write-tree", cwd=root, index=index).strip()
    name = identity(root)
    user = {"user.name": name[0], "user.email": name[1]} if name else {}
    message = f"The standard's version of {len(paths)} file(s) that the repository has as well\n\nTake of it what fits."
    return BRANCH, git("commit-tree", written, "-p", "HEAD", "-m", message, cwd=root, config={**PLAIN, **user}).strip()


def _proposed(adoption: Adoption, path: Path) -> bytes:
    """Return the standard's file; of a list of patterns, the team's with the lines that it lacks."""
    rendered, real = (adoption.tree / path).read_bytes(), adoption.target.root / path
    if path.name not in _LISTS or real.is_symlink():
        return rendered
    own = real.read_bytes()
    lacking = [line for line in rendered.splitlines(keepends=True) if line.strip() not in set(own.split(b"\n"))]
    gap = b"" if own.endswith(b"\n") or not own else b"\n"
    through = [] if path.name != ".gitignore" else _through(adoption, path)
    return own + gap + b"".join(lacking) + "".join(f"{line}\n" for line in through).encode()


def _through(adoption: Adoption, source: Path) -> list[str]:
    hidden = [path for path, by in adoption.masked.items() if by == source]
    return lets_through(hidden, source, adoption.target.root) if hidden else []
