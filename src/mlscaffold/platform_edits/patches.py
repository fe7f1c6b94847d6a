"""Keep edits of modules that the template no longer has: one patch a module in vendor/edits/, open until decided."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import UserError
from ..git import PLAIN, git
from .library import Place, find_place

HOME = "vendor/edits"
README = f"{HOME}/README.md"
PIN = "vendor/requirements.txt"  # a version of the template that has it is built on the library
_STATUS = re.compile(rb"^Status: (open|accepted)\b.*$", re.MULTILINE)
_ITEM = re.compile(r"^- `(.+)`$", re.MULTILINE)
_ABOUT = """\
# Edits of modules that the template no longer has

Each patch is what the team had changed in a module whose work the library does now. Its head names the module of the
library and the extension point that holds such a change. Decide on each: carry it over and delete the patch, or keep it
(`mlscaffold update --accept-edits`). This list stays, so that `mlscaffold diff` knows what was decided.

"""
_LINES = {
    "open": "Status: open; decide by deleting this file, or keep it: mlscaffold update --accept-edits",
    "accepted": "Status: accepted; the edit is kept here and has no effect",
}


@dataclass(frozen=True)
class Edit:
    """A team's edit of a module that the template no longer has.

    Attributes
    ----------
    path : str
        The module, seen from the repository's folder.
    version : str
        The version of the template whose module was edited.
    place : Place
        The module of the library that it concerns, and the extension point that would hold it.
    diff : str
        From what that version rendered to what the team made of it, as git writes it.
    accepted : bool
        Whether the team has decided to keep the patch and go on.
    """

    path: str
    version: str
    place: Place
    diff: str
    accepted: bool = False

    @property
    def patch(self) -> str:
        """Where the patch is kept, seen from the repository's folder."""
        return patch_of(self.path)


def patch_of(path: str) -> str:
    """Return where the patch of a module is kept."""
    return f"{HOME}/{path}.patch"


def is_module(path: str, package: str) -> bool:
    """Whether a file of the template is a module or a test: in src/<package>/, tests/ or ce/."""
    return path.startswith((f"src/{package}/", "tests/", "ce/"))


def make_edit(path: str, version: str, package: str, contents: tuple[bytes, bytes], *, library: bool) -> Edit:
    """Return the edit of a module.

    Parameters
    ----------
    path : str
        The module, seen from the repository's folder.
    version : str
        The version of the template whose module was edited.
    package : str
        The team's package.
    contents : tuple of bytes
        What that version rendered, and what the team made of it.
    library : bool
        Whether the template is built on the library now; else there is no place in it.
    """
    place = find_place(path, package) if library else Place("", "")
    return Edit(path, version, place, _diff(path, *contents))


def _diff(path: str, before: bytes, after: bytes) -> str:
    with TemporaryDirectory(prefix="mlscaffold-edit-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        git("init", "--quiet", "--template=", cwd=scratch, config=PLAIN)
        # Not even a line's end is changed: the patch has to apply to the bytes that were committed.
        (scratch / ".git" / "info").mkdir(exist_ok=True)
        (scratch / ".git" / "info" / "attributes").write_text("* -text -ident -filter\n", encoding="utf-8")
        file = scratch / path
        file.parent.mkdir(parents=True)
        file.write_bytes(before)
        git("add", "--all", "--force", cwd=scratch, config=PLAIN)
        file.write_bytes(after)
        words = ("diff-files", "--patch", "--binary", "--full-index", "--no-ext-diff", "--no-textconv", "--no-color")
        return git(*words, cwd=scratch, config=PLAIN)


def write(folder: Path, edit: Edit) -> Path:
    """Write an edit as a patch that `git apply` takes, with its head, and return its path.

    Parameters
    ----------
    folder : Path
        The repository's folder, or a copy of it.
    edit : Edit
        The edit.

    Raises
    ------
    UserError
        If a link stands on the way to it.
    """
    file = folder / edit.patch
    links = [above for above in (folder / README, file, *file.parents) if above != folder and above.is_symlink()]
    if any(above.is_relative_to(folder) for above in links):
        raise UserError(f"{edit.patch} cannot be written: there is a link on the way to it, which could lead anywhere")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_text(edit).encode(errors="surrogateescape"))
    _list(folder, edit.path)
    return file


def _list(folder: Path, path: str) -> None:
    """List a module in the folder's README, which stays when its patch is deleted: so it is known to be decided."""
    if path not in find_listed(folder):
        file = folder / README
        text = file.read_text(encoding="utf-8") if file.is_file() else _ABOUT
        file.write_text(f"{text}- `{path}`\n", encoding="utf-8", newline="\n")


def find_listed(folder: Path) -> frozenset[str]:
    """Return the modules whose edits are kept as patches in a repository, or were: their patches may be deleted."""
    file = folder / README
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() and not file.is_symlink() else ""
    return frozenset(_ITEM.findall(text))


def _text(edit: Edit) -> str:
    head = [
        f"Module: {edit.path}",
        f"Template: {edit.version} had it, this one has not",
        *([f"Library: {edit.place.module}"] if edit.place.module else []),
        *([f"Extension point: {edit.place.point}"] if edit.place.point else []),
        _LINES["accepted" if edit.accepted else "open"],
    ]
    return "\n".join(head) + f"\n\n{edit.diff}"


def find_open(folder: Path) -> tuple[Edit, ...]:
    """Return the edits of a repository that nobody has decided on, by path."""
    return tuple(edit for edit in find_all(folder) if not edit.accepted)


def find_all(folder: Path) -> tuple[Edit, ...]:
    """Return the edits that a repository keeps as patches, by path."""
    home = folder / HOME
    files = (file for file in sorted(home.rglob("*.patch")) if file.is_file() and not file.is_symlink())
    return tuple(edit for file in files if (edit := _read(file, home)) is not None)


def _read(file: Path, home: Path) -> Edit | None:
    text = file.read_bytes()
    status = _STATUS.search(text)
    if status is None:  # not one of ours
        return None
    head, _, diff = text.decode(errors="surrogateescape").partition("\n\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    path = file.relative_to(home).as_posix().removesuffix(".patch")
    place = Place(fields.get("Library", ""), fields.get("Extension point", ""))
    return Edit(path, fields.get("Template", "").split(" ")[0], place, diff, status[1] == b"accepted")


def accept(folder: Path) -> tuple[Edit, ...]:
    """Mark the open edits of a repository as decided, and return them: their patches stay, and stop no update."""
    decided = find_open(folder)
    for edit in decided:
        write(folder, replace(edit, accepted=True))
    return decided
