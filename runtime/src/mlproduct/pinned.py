"""What runs is what is pinned: the installed library against the wheel or the index entry that the repository names."""

import csv
import hashlib
import io
import json
import re
import sys
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from mlproduct._version import __version__
from mlproduct.errors import DataError

PIN = Path("vendor/requirements.txt")
EJECTED = Path("runtime/src/mlproduct")
HERE = Path(__file__).parent
CODE = (".py", ".pyc", ".so", ".pyd")  # what Python imports
MARK = ".library"  # of the Makefile, in the environment: the library is installed as vendor/ has it
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
            raise _refused(f"the library of this repository is {EJECTED}, but {HERE} runs")
        return
    pin = Pin.read(root)
    if __version__ != pin.version:
        raise _refused(f"mlproduct {__version__} is installed, {PIN} pins {pin.version}")
    record = _installed_record() if pin.wheel is None else _record(pin)
    changed, added = _compared(record, HERE.parent)
    if changed:
        of = f"of {pin.wheel.name}" if pin.wheel else "that was installed"
        raise _refused(f"the library that runs is not the one {of} ({_named(changed)} differ)")
    if added:
        raise DataError(f"{HERE.parent} holds {_named(added)}, not part of the pinned library: delete, or `make setup`")


def _refused(cause: str) -> DataError:
    """Return the error that names the repair, and let the next `make setup` install the library."""
    with suppress(OSError):
        (Path(sys.prefix) / MARK).unlink(missing_ok=True)
    return DataError(f"{cause}; `make setup` installs it")


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


def check_unpacked(root: Path) -> None:
    """Check that the library that runs is the one that a Bento was packaged with, by the RECORD beside it.

    Raises
    ------
    DataError
        If another library runs, or a file was changed.
    """
    for record in root.glob("mlproduct-*.dist-info/RECORD"):
        changed, added = _compared(record.read_text(encoding="utf-8"), HERE.parent)
        if wrong := changed + added:
            raise DataError(
                f"{HERE} is not the library that this Bento was packaged with ({_named(wrong)} differ): "
                "unset PYTHONPATH, or package it again"
            )


def files(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of what a wheel installs, without the tests that travel in it."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not name.startswith("mlproduct/_tests/") and not name.endswith("/"):
                yield name, archive.read(name)


def unpack(wheel: Path, folder: Path) -> None:
    """Write what a wheel installs into a folder."""
    for name, content in files(wheel):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _record(pin: Pin) -> str:
    """Return RECORD of the vendored wheel, which lists its files with their hashes."""
    wheel = pin.wheel
    if wheel is None or not wheel.is_file():
        raise DataError(f"{wheel} is missing; `git checkout vendor` restores it")
    content = wheel.read_bytes()
    if hashlib.sha256(content).hexdigest() not in pin.hashes:
        raise DataError(
            f"{wheel.name} is not the file that {PIN} pins (its SHA-256 differs); `git checkout vendor` restores both"
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (record,) = (name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        return archive.read(record).decode()


def _installed_record() -> str:
    """Return RECORD that the installer wrote beside the library; it is all there is without a wheel."""
    record = HERE.parent / f"mlproduct-{__version__}.dist-info" / "RECORD"
    if not record.is_file():
        raise _refused(f"{HERE} was not installed from a package index, as {PIN} asks")
    return record.read_text(encoding="utf-8")


def _named(wrong: list[str]) -> str:
    return ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")


def _compared(record: str, folder: Path) -> tuple[list[str], list[str]]:
    """Return the files of a wheel's RECORD that are changed or missing in a folder, and modules that are not in it."""
    rows = [row for row in csv.reader(record.splitlines()) if len(row) == 3 and row[0].startswith("mlproduct/")]
    expected = {name: digest for name, digest, _ in rows if digest and not name.startswith("mlproduct/_tests/")}
    found = {
        path.relative_to(folder).as_posix()
        for path in (folder / "mlproduct").rglob("*")
        if path.suffix in CODE and not {"__pycache__", "_tests"} & set(path.parts)
    }
    changed = [name for name, digest in expected.items() if _digest(folder / name) != digest]
    return changed, sorted(found - set(expected))


def _digest(path: Path) -> str:
    """Hash a file as RECORD does (PEP 376); empty if it is missing."""
    if not path.is_file():
        return ""
    return "sha256=" + urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode().rstrip("=")
