"""What runs is what is pinned: the installed library against the wheel or the index entry that the repository names."""

import csv
import hashlib
import io
import json
import re
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from mlproduct._version import __version__
from mlproduct.errors import DataError

PIN = Path("vendor/requirements.txt")
EJECTED = Path("runtime/src/mlproduct")
HERE = Path(__file__).parent
INSTALL = "`make setup` installs it"
_LINE = re.compile(
    r"^(?P<what>(?:\./)?\S+\.whl|mlproduct==\S+)\s+(?P<hashes>(?:\\?\s*--hash=sha256:[0-9a-f]{64}\s*)+)$"
)


@dataclass(frozen=True)
class Pin:
    """The line of vendor/requirements.txt.

    Attributes
    ----------
    wheel : Path or None
        The vendored wheel; None where the library comes from an index.
    version : str
        The version that is wanted.
    hashes : tuple of str
        SHA-256 of the wheels that are accepted.
    """

    wheel: Path | None
    version: str
    hashes: tuple[str, ...]

    @classmethod
    def read(cls, root: Path = Path()) -> "Pin":
        """Read vendor/requirements.txt.

        Raises
        ------
        DataError
            If the file is missing, or does not pin the library by a hash.
        """
        try:
            lines = (root / PIN).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            raise DataError(f"{PIN} is missing: it pins the library; `git checkout {PIN}` restores it") from None
        text = " ".join(line.rstrip("\\ ") for line in lines if line.strip() and not line.startswith("#"))
        found = _LINE.match(text)
        if found is None:
            raise DataError(f"{PIN} must pin mlproduct by one line with --hash=sha256:...; `git checkout {PIN}`")
        what, hashes = found["what"], tuple(re.findall(r"sha256:([0-9a-f]{64})", found["hashes"]))
        if what.startswith("mlproduct=="):
            return cls(None, what.removeprefix("mlproduct=="), hashes)
        return cls(root / what.removeprefix("./"), Path(what).name.split("-")[1], hashes)


def check(root: Path = Path()) -> None:
    """Check that the library that runs is the one the repository pins, file by file.

    Raises
    ------
    DataError
        If it is another one, or was changed; the message names the files and the command that repairs it.
    """
    if (root / EJECTED).is_dir():
        if not HERE.samefile(root / EJECTED):
            raise DataError(f"the library of this repository is {EJECTED}, but {HERE} runs: `make setup` installs it")
        return
    pin = Pin.read(root)
    if pin.wheel is None and __version__ != pin.version:
        raise DataError(f"mlproduct {__version__} is installed, {PIN} pins {pin.version}: `make setup` installs it")
    if wrong := _differences(pin) if pin.wheel else _changed_since_installation():
        names = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
        pinned = pin.wheel.name if pin.wheel else f"mlproduct {pin.version}"
        raise DataError(f"the installed library is not the pinned {pinned} ({names} differ): {INSTALL}")


def elsewhere(root: Path = Path()) -> Path | None:
    """Return the folder of the ejected library that a work tree holds, if the ejected library of another one runs.

    Experiments of DVC run in copies of the repository, and an editable install leads to the original.
    """
    ejected = root / EJECTED
    other = __version__.endswith("+ejected") and ejected.is_dir() and not HERE.samefile(ejected)
    return ejected.parent.absolute() if other else None


def editable() -> str:
    """Return the address of the project that the installed library is an editable install of; empty if it is none."""
    try:
        about = json.loads(distribution(HERE.name).read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        return ""
    return str(about.get("url", "")) if about.get("dir_info", {}).get("editable") else ""


def write_record(folder: Path) -> None:
    """Write the dist-info of a copy of the library, by which `check_unpacked` knows it again."""
    about = folder / f"{HERE.name}-{__version__}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {HERE.name}\nVersion: {__version__}\n")
    rows = [
        f"{path.relative_to(folder).as_posix()},{_digest(path)},{path.stat().st_size}"
        for path in sorted((folder / HERE.name).rglob("*"))
        if path.is_file()
    ]
    (about / "RECORD").write_text("\n".join(rows) + "\n", encoding="utf-8")


def record() -> Path | None:
    """Return the RECORD of the installed library; None if it runs from source."""
    return next(HERE.parent.glob(f"{HERE.name}-*.dist-info/RECORD"), None)


def _changed_since_installation() -> list[str]:
    """Name the files that differ from those that the installer wrote; it has checked them against the hash."""
    installed = record()
    return _changed(installed.read_text(encoding="utf-8"), HERE.parent) if installed else []


def check_unpacked(root: Path) -> None:
    """Check that the library that runs is the one that a Bento was packaged with, by the RECORD beside it.

    Raises
    ------
    DataError
        If another library runs, or a file was changed.
    """
    for record in root.glob("mlproduct-*.dist-info/RECORD"):
        if wrong := _changed(record.read_text(encoding="utf-8"), HERE.parent):
            raise DataError(
                f"{HERE} is not the library that this Bento was packaged with ({', '.join(wrong[:3])} differ): "
                "unset PYTHONPATH, or package it again"
            )


def files(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of what a wheel installs, without the tests that travel in it."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not name.startswith("mlproduct/_tests/") and not name.endswith("/"):
                yield name, archive.read(name)


def _differences(pin: Pin) -> list[str]:
    wheel = pin.wheel
    if wheel is None or not wheel.is_file():
        return [f"{wheel} is missing:"]
    content = wheel.read_bytes()
    if hashlib.sha256(content).hexdigest() not in pin.hashes:
        raise DataError(
            f"{wheel.name} is not the file that {PIN} pins (its SHA-256 differs); "
            f"`git checkout vendor` restores both, `mlscaffold update` brings released ones"
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (record,) = (name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        text = archive.read(record).decode()
    return _changed(text, HERE.parent)


def _changed(record: str, folder: Path) -> list[str]:
    """Name the modules and data files that differ from a wheel's RECORD, or are not in it."""
    rows = [row for row in csv.reader(record.splitlines()) if row and row[0].startswith("mlproduct/")]
    wanted = {row[0]: row[1] for row in rows if row[1]}  # pip notes compiled files without a hash
    wanted = {name: digest for name, digest in wanted.items() if not name.startswith("mlproduct/_tests/")}
    found = {
        path.relative_to(folder).as_posix()
        for path in (folder / "mlproduct").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "_tests" not in path.parts
    }
    more = sorted(name for name in found - set(wanted) if name.endswith((".py", ".so", ".pyd")))
    return [name for name, digest in wanted.items() if _digest(folder / name) != digest] + more


def _digest(path: Path) -> str:
    """Hash a file as RECORD does (PEP 376); empty if it is missing."""
    if not path.is_file():
        return ""
    return "sha256=" + urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode().rstrip("=")
