"""The wheel of the library: the same tree gives the same bytes, wherever and whenever it is built."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "build_runtime.py"
LIMIT = 1_000_000


def build(target: Path, runtime: Path = ROOT / "runtime", *, umask: int = 0o022, **variables: str) -> Path:
    command = [sys.executable, str(SCRIPT), "--runtime", str(runtime), "--target", str(target)]
    env = {**os.environ, **variables}
    subprocess.run(command, env=env, umask=umask, cwd=target.parent, capture_output=True, check=True)
    (wheel,) = target.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel") / "vendor")


def test_another_folder_umask_time_zone_and_date_give_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "runtime"
    shutil.copytree(ROOT / "runtime", copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for path in copy.rglob("*"):  # of another checkout, on another day
        os.utime(path, (2_000_000_000, 2_000_000_000))
        path.chmod(0o700 if path.is_dir() else 0o600)
    found = build(
        tmp_path / "vendor", copy, umask=0o077, TZ="Pacific/Auckland", SOURCE_DATE_EPOCH="2000000000",
        PYTHONHASHSEED="7", LC_ALL="C",
    )  # fmt: skip
    assert (found.name, found.read_bytes()) == (wheel.name, wheel.read_bytes())


def test_it_is_small_stored_and_holds_all_that_travels(wheel: Path) -> None:
    assert wheel.stat().st_size <= LIMIT
    with zipfile.ZipFile(wheel) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert names == sorted(names)
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."],
        cwd=ROOT / "runtime", capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    expected = {name.removeprefix("src/") for name in tracked if name.startswith("src/")}
    expected |= {f"mlproduct/_tests/{name.removeprefix('tests/')}" for name in tracked if name.startswith("tests/")}
    expected |= {f"mlproduct/_tests/{name}" for name in ("pyproject.toml", "README.md", "LICENSE", "api.txt")}
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert {"mlproduct/py.typed", "mlproduct/reports/templates/page.css"} <= expected


def test_only_the_newest_wheel_stays_and_its_pin_names_it(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "vendor"
    target.mkdir()
    (target / "mlproduct-0.0.1-py3-none-any.whl").touch()
    assert build(target).read_bytes() == wheel.read_bytes()
    assert sorted(path.name for path in target.iterdir()) == [wheel.name, "requirements.txt.jinja"]
    assert f"./vendor/{wheel.name}" in (target / "requirements.txt.jinja").read_text()
