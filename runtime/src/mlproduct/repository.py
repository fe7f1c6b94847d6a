"""Find the repository that a command or a notebook works in."""

from pathlib import Path

from mlproduct.errors import DataError

MARK = "contract.yaml"


def find(start: Path | None = None) -> Path:
    """Return the root of the repository that holds a folder: the nearest one above it with contract.yaml and src/.

    Raises
    ------
    DataError
        If no folder above is such a repository.
    """
    start_folder = (start or Path.cwd()).absolute()
    for folder in (start_folder, *start_folder.parents):
        if (folder / MARK).is_file() and (folder / "src").is_dir():
            return folder
    raise DataError(f"{start_folder} is not inside a product repository: no folder above it holds {MARK} and src/")
