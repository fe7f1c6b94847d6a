"""Exchange data and models with the DVC storage, and say what is wrong where the storage cannot be reached."""

import configparser
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mlproduct.errors import DataError

CONFIG, LOCAL = Path(".dvc/config"), Path(".dvc/config.local")
NAME = "storage"


@dataclass(frozen=True)
class Storage:
    """The DVC remote of the repository.

    Attributes
    ----------
    url : str
        As it is written; a local path is seen from .dvc/.
    own : bool
        Whether this clone has an address of its own, in .dvc/config.local.
    """

    url: str
    own: bool

    @classmethod
    def read(cls) -> "Storage":
        """Read the default remote of .dvc/config and .dvc/config.local."""
        parser = configparser.ConfigParser()
        parser.read(CONFIG, encoding="utf-8")
        name = parser.get("core", "remote", fallback=NAME).strip("'\"")
        section = next((each for each in parser.sections() if each.strip("'") == f'remote "{name}"'), "")
        shared = parser.get(section, "url", fallback="") if section else ""
        parser.read(LOCAL, encoding="utf-8")
        section = next((each for each in parser.sections() if each.strip("'") == f'remote "{name}"'), "")
        url = parser.get(section, "url", fallback="") if section else ""
        return cls(url, url != shared)

    @property
    def folder(self) -> Path | None:
        """The folder on this machine; None where the storage is a server."""
        return None if "://" in self.url or not self.url else (CONFIG.parent / self.url).resolve()


def _owner() -> str:
    words = ["git", "log", "-1", "--format=%an", "--", str(CONFIG)]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() or "somebody"


def check(storage: Storage) -> None:
    """Check that the storage is on this machine, where it is a folder.

    Raises
    ------
    DataError
        Whose machine has it, and how this clone gets another one.
    """
    folder = storage.folder
    if folder is None or folder.is_dir():
        return
    raise DataError(
        f"the storage {storage.url} is a folder that this machine does not have; {_owner()} has set it in {CONFIG}. "
        f"Ask for a shared one and set it: `dvc remote modify --local {NAME} url s3://bucket/path` (this clone alone), "
        f"or without --local for everybody"
    )


def note(storage: Storage) -> str:
    """Return a warning where the storage is a folder of one machine; else nothing."""
    if storage.folder is None:
        return ""
    return f"the storage {storage.url} is a folder of this machine: colleagues and CI cannot fetch this model from it"


def pull() -> int:
    """Fetch data, and models where some were trained; returns the exit code of DVC.

    Raises
    ------
    DataError
        If the storage is a folder that this machine does not have.
    """
    check(Storage.read())
    lock = Path("dvc.lock")
    trained = lock.exists() and "models/" in lock.read_text(encoding="utf-8")
    pointers = [] if trained else [str(path) for path in sorted(Path("data").glob("*.dvc"))]
    return subprocess.run(["dvc", "pull", *pointers], check=False).returncode


def push() -> int:
    """Send data and models to the storage; a folder that is not there yet is made by DVC. Returns DVC's exit code."""
    code = subprocess.run(["dvc", "push"], check=False).returncode
    if not code and (warning := note(Storage.read())):
        print(f"note: {warning}")
    return code
