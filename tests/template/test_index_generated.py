"""`runtime: index`: the library comes from a package index of the organisation, pinned by version and hash."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from template.conftest import Render

pytestmark = [pytest.mark.slow, pytest.mark.heavy]

Code = Callable[..., subprocess.CompletedProcess[str]]
CHECK = "from mlproduct import pinned; pinned.check(); print('as pinned', pinned.record() is not None)"
LIBRARY = """
from pathlib import Path
from mlproduct import pinned
from mlproduct.packaging.package import library
context = Path("context")
context.mkdir()
library(context)
(record,) = context.glob("mlproduct-*.dist-info/RECORD")
assert pinned._compared(record.read_text(), context) == ([], [])
assert not (context / "mlproduct/_tests").exists()
(context / "mlproduct/team.py").write_text("changed")
assert pinned._compared(record.read_text(), context) == (["mlproduct/team.py"], [])
"""


@pytest.fixture(scope="module")
def index(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a simple index (PEP 503) that holds the library alone."""
    folder = tmp_path_factory.mktemp("index")
    (folder / "simple/mlproduct").mkdir(parents=True)
    shutil.copy2(wheel, folder / "simple/mlproduct")
    page = f'<!DOCTYPE html><a href="{wheel.name}">{wheel.name}</a>'
    (folder / "simple/mlproduct/index.html").write_text(page, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait(port)
            yield f"http://127.0.0.1:{port}/simple/"
        finally:
            server.terminate()


def _wait(port: int) -> None:
    for _ in range(100):
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the index does not answer")


@pytest.fixture(scope="module")
def project(render: Render) -> Path:
    return render(name="penguins", runtime="index")


def test_the_repository_holds_a_pin_and_no_wheel(project: Path) -> None:
    assert [path.name for path in (project / "vendor").iterdir()] == ["requirements.txt"]
    pin = (project / "vendor/requirements.txt").read_text(encoding="utf-8").splitlines()[-1]
    assert re.fullmatch(r"mlproduct==\S+ --hash=sha256:[0-9a-f]{64}", pin)
    texts = [path.read_text(encoding="utf-8") for path in (project / "Makefile", project / "vendor/requirements.txt")]
    assert not re.search(r"https?://|--index-url", "".join(texts))
    assert "-c vendor/requirements.txt" in texts[0]


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_setup_installs_it_from_the_index(project: Path, index: str, tool: str, tmp_path: Path) -> None:
    venv, tools = tmp_path / "venv", tmp_path / "tools"
    command = [sys.executable, "-m", "venv", str(venv), *(["--without-pip"] if tool == "uv" else [])]
    subprocess.run(command, check=True)
    (venv / ".ready").touch()  # the locks count as installed: they come from another index
    tools.mkdir()
    for name in ("sh", "make", "touch", *(["uv"] if tool == "uv" else [])):
        found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        (tools / name).symlink_to(str(found))
    env = {
        "PATH": str(tools),
        "HOME": str(tmp_path),
        "UV_INDEX_URL": index,
        "PIP_INDEX_URL": index,
        "UV_NO_CONFIG": "1",
    }
    os.utime(venv / ".ready", (2e9, 2e9))
    command = ["make", "setup", f"VENV={venv}"]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    python = [str(venv / "bin" / "python"), "-c", CHECK]
    checked = subprocess.run(python, cwd=project, capture_output=True, text=True, check=False)
    assert checked.stdout == "as pinned True\n", checked.stderr
    (changed,) = venv.glob("lib/python*/site-packages/mlproduct/team.py")
    changed.write_text(changed.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    refused = subprocess.run(python, cwd=project, capture_output=True, text=True, check=False)
    assert "(mlproduct/team.py differ); `make setup` installs it" in refused.stderr


def test_another_wheel_of_that_version_is_refused(project: Path, index: str, tmp_path: Path) -> None:
    venv, pin = tmp_path / "venv", tmp_path / "requirements.txt"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    text = (project / "vendor/requirements.txt").read_text(encoding="utf-8")
    pin.write_text(re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", text), encoding="utf-8")
    words = ["uv", "pip", "install", "--python", str(venv), "--no-deps", "--require-hashes", "--index-url", index]
    done = subprocess.run([sys.executable, "-m", *words, "-r", str(pin)], capture_output=True, text=True, check=False)
    assert done.returncode
    assert "Hash mismatch" in done.stderr


def test_stages_run_and_another_version_is_refused(project: Path, environment: Path) -> None:
    verb = [str(environment / "bin" / "mlproduct"), "stage"]
    for stage in ("imports", "contract", "prepare"):
        done = subprocess.run([*verb, stage], cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    pin = project / "vendor/requirements.txt"
    text = pin.read_text(encoding="utf-8")
    pin.write_text(re.sub(r"mlproduct==\S+", "mlproduct==99.1", text), encoding="utf-8")
    done = subprocess.run([*verb, "contract"], cwd=project, capture_output=True, text=True, check=False)
    pin.write_text(text, encoding="utf-8")
    assert done.returncode == 2
    assert "vendor/requirements.txt pins 99.1; `make setup` installs it" in done.stderr


def test_a_bento_holds_the_library_and_its_record(project: Path, environment: Path) -> None:
    python = [str(environment / "bin" / "python"), "-c", LIBRARY]
    done = subprocess.run(python, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
