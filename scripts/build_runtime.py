"""Build the wheel of runtime/ so that the same tree gives the same bytes, and the line that pins it.

The archive is stored uncompressed, in the order of names and with a fixed time: git packs its versions as deltas.
"""

import argparse
import hashlib
import os
import sys
import zipfile
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
RUNTIME = ROOT / "runtime"
TARGET = ROOT / "template" / "vendor"
EPOCH = (1980, 1, 1, 0, 0, 0)
PIN = "requirements.txt.jinja"
LIMIT = 1_000_000  # bytes of a wheel
INDEXED = (
    "{%% if runtime == 'index' %%}mlproduct==%(version)s{%% else %%}./vendor/%(name)s{%% endif %%}"
    " --hash=sha256:%(digest)s\n"
)
HEAD = (
    "# The library that this repository runs, pinned by its hash; `make setup` installs it, updates of the standard "
    "raise it.\n"
)


def build(runtime: Path, target: Path) -> Path:
    """Build the wheel into a folder and return its path.

    Parameters
    ----------
    runtime : Path
        The library's project.
    target : Path
        Where the wheel goes; wheels of other versions there are removed.
    """
    from hatchling.builders.wheel import WheelBuilder

    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        os.environ["SOURCE_DATE_EPOCH"] = "315532800"
        with redirect_stdout(sys.stderr):
            (made,) = WheelBuilder(str(runtime)).build(directory=folder, versions=["standard"])
        content = stored(Path(made))
        for old in target.glob("mlproduct-*.whl"):
            old.unlink()
        wheel = target / Path(made).name
        wheel.write_bytes(content)
    if len(content) > LIMIT:
        sys.exit(f"{wheel.name} holds {len(content)} bytes; a repository takes at most {LIMIT}")
    return wheel


def stored(wheel: Path) -> bytes:
    """Return a wheel's archive uncompressed, sorted, and without times."""
    with TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        path = Path(folder) / wheel.name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as plain:
            for name in sorted(archive.namelist()):
                info = zipfile.ZipInfo(name, EPOCH)
                info.external_attr = 0o644 << 16
                plain.writestr(info, archive.read(name))
        return path.read_bytes()


def pin(wheel: Path) -> str:
    """Return the template of vendor/requirements.txt for a wheel."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return HEAD + INDEXED % {"version": wheel.name.split("-")[1], "name": wheel.name, "digest": digest}


def write(runtime: Path, target: Path) -> Path:
    """Build the wheel and write its pin beside it; returns the wheel's path."""
    wheel = build(runtime, target)
    (target / PIN).write_text(pin(wheel), encoding="utf-8")
    return wheel


def main() -> None:
    """Build into template/vendor/, or into another folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", type=Path, default=RUNTIME, help="the library's project (runtime/)")
    parser.add_argument("--target", type=Path, default=TARGET, help="the folder (template/vendor/)")
    arguments = parser.parse_args()
    wheel = write(arguments.runtime, arguments.target)
    print(f"{wheel.name}: {wheel.stat().st_size} bytes, sha256 {hashlib.sha256(wheel.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
