"""The Python and the library that rebuild a release: those at hand where they are its own, else made for it.

A release is packaged by its own library. Where only the wheel differs, the old one is unpacked into a temporary
folder that comes first on the path, which takes a moment; other packages need an environment of their own, which
takes minutes.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from importlib import metadata
from pathlib import Path

from mlproduct import pinned, team
from mlproduct.artifacts import LOCK
from mlproduct.errors import DataError

COPIED = ("releasing/rebuild.py", "rebuild.py")  # the module that rebuilds, in releases from before 0.6
OF_MAKE = ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS")


@dataclass(frozen=True)
class Environment:
    """What rebuilds a work tree.

    Attributes
    ----------
    python : Path
        The interpreter.
    path : tuple of Path
        Folders that come first on the path of imports.
    """

    python: Path
    path: tuple[Path, ...]

    def variables(self) -> dict[str, str]:
        """Return the environment variables of its processes."""
        kept = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
        search = f"{self.python.parent}{os.pathsep}{kept['PATH']}"
        return kept | {"PYTHONPATH": os.pathsep.join(map(str, self.path)), "PATH": search}


def copied(tree: Path) -> str | None:
    """Return the module of a work tree's own package that rebuilds it, if its platform was copied (before 0.6)."""
    package = team.package(tree)
    for name in COPIED:
        if (tree / team.SOURCES / package / name).exists():
            return f"{package}.{name.removesuffix('.py').replace('/', '.')}"
    return None


@contextmanager
def environment(tree: Path) -> Iterator[Environment]:
    """Find or make the environment of a work tree; what is made lasts as long as the block.

    Raises
    ------
    DataError
        If its packages cannot be installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        library = _library(tree, Path(folder)) if _same(tree, LOCK) else None
        if library is None:
            yield Environment(_made(tree), (tree / team.SOURCES,))
        else:
            yield Environment(Path(sys.executable), (*library, tree / team.SOURCES))


def _same(tree: Path, path: Path) -> bool:
    return (tree / path).exists() and path.exists() and (tree / path).read_bytes() == path.read_bytes()


def _library(tree: Path, folder: Path) -> tuple[Path, ...] | None:
    """Return what has to come first on the path for a work tree's own library; None if that does not suffice."""
    if copied(tree) or _same(tree, pinned.PIN):
        return ()
    if (tree / pinned.EJECTED).is_dir():
        return ((tree / pinned.EJECTED).parent,)  # its packages are those of the lock
    wheel = pinned.Pin.read(tree).wheel
    if wheel is None or not wheel.exists() or _requires(wheel) != _installed():
        return None
    print(f"its library is another: {wheel.name} is used for it", flush=True)
    pinned.unpack(wheel, folder)
    return (folder,)


def _requires(wheel: Path) -> set[str]:
    """Return the requirements of a wheel, as its METADATA has them."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return set(message_from_bytes(archive.read(name)).get_all("Requires-Dist", []))


def _installed() -> set[str]:
    """Return the requirements of the installed library."""
    try:
        return set(metadata.requires("mlproduct") or [])
    except metadata.PackageNotFoundError:
        return set()


def _made(tree: Path) -> Path:
    print("its locks or its library are others: making an environment for it", flush=True)
    kept = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    words = ["make", "--no-print-directory", "setup", "VENV=.venv"]
    if subprocess.run(words, cwd=tree, env=kept, check=False).returncode:
        raise DataError("its packages cannot be installed; what `make setup` said stands above")
    return tree / ".venv" / Path(sys.executable).parent.name / "python"
