"""Which image a stage of deploy/kubernetes runs: its digest, written where the manifests name it."""

import re
from pathlib import Path

from mlproduct.errors import DataError

KUBERNETES = Path("deploy/kubernetes")
DIGEST = re.compile(r"\bsha256:[0-9a-f]{64}\b")


def files(folder: Path = KUBERNETES) -> dict[str, Path]:
    """Name the stages, and the file of each that holds a digest."""
    stages = {path.parent.name: path for path in sorted((folder / "overlays").glob("*/kustomization.yaml"))}
    return stages | {path.parent.name: path for path in folder.glob("*/inferenceservice.yaml")}


def pinned(text: str, digest: str) -> str:
    """Replace the digest of a manifest.

    Raises
    ------
    DataError
        If it is not a digest, or the manifest names no image by one.
    """
    if not DIGEST.fullmatch(digest):
        raise DataError(f"DIGEST={digest!r}: sha256: and 64 hexadecimal digits, as `docker push` prints them")
    if not DIGEST.search(text):
        raise DataError("the manifest names no image by its digest")
    return DIGEST.sub(digest, text)


def main(stage: str, digest: str) -> None:
    """Write the digest of an image into the manifest of a stage.

    Raises
    ------
    DataError
        If there is no such stage, or it is not a digest.
    """
    paths = files()
    if stage not in paths:
        raise DataError(f"STAGE={stage!r}: there are {', '.join(paths)}")
    path = paths[stage]
    path.write_text(pinned(path.read_text(encoding="utf-8"), digest), encoding="utf-8")
    print(f"{path}: {digest}")
