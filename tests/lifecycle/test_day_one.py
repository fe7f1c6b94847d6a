"""Day one, as a stranger has it: the wheel in a fresh environment, a table, and an answer over HTTP."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from template.conftest import committed_template

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_table_becomes_an_answer_from_the_wheel_alone(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    tools = tmp_path / "tools"  # uv, for speed: with pip the environment takes minutes, and `make demo` shows that way
    tools.mkdir()
    (tools / "uv").symlink_to(Path(sys.executable).parent / "uv")
    subprocess.run([tools / "uv", "pip", "install", "-q", "--python", str(tmp_path / "venv"), str(wheel)], check=True)
    outside = [part for part in os.environ["PATH"].split(os.pathsep) if not part.startswith(str(ROOT))]
    environ = {
        "PATH": os.pathsep.join([str(tools), str(tmp_path / "venv" / "bin"), *outside]),
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        **{name: value for name, value in os.environ.items() if "CERT" in name or name.startswith("PIP_")},
    }
    template = committed_template(tmp_path / "template")  # the next release's, which the wheel does not hold yet
    words = ["mlscaffold", "new", "my-shop", "--defaults", "--ship", "--template", str(template)]
    words += ["-d", "owner=Team Shop"]
    done = subprocess.run(words, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    assert "== my_shop ships" in done.stdout
    assert "checked     test rows over HTTP match the model" in done.stdout
    project = tmp_path / "my-shop"
    meta = json.loads((project / "models" / "meta.json").read_text(encoding="utf-8"))
    assert meta["version"] in done.stdout
    again = subprocess.run(["make", "train"], cwd=project, env=environ, capture_output=True, text=True, check=True)
    assert "Data and pipelines are up to date" in again.stdout
    status = ["git", "status", "--porcelain"]
    changed = subprocess.run(status, cwd=project, capture_output=True, text=True, check=True).stdout.splitlines()
    expected = {"docs/model-card.md", "dvc.lock", "experiments/", "imports.yaml", "reports/"}
    assert {line[3:] for line in changed} <= expected
