"""Data goes to the storage and comes back: a folder, and S3 (moto's server on loopback)."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from template.conftest import Make, Render, commit, make_with


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


def lose_and_pull(project: Path, make: Make, **variables: str) -> None:
    raw = project / "data" / "raw.csv"
    before = raw.read_bytes()
    make(project, "data", **variables)
    make(project, "push", **variables)
    shutil.rmtree(project / ".dvc" / "cache")
    raw.unlink()
    make(project, "pull", **variables)
    assert raw.read_bytes() == before


def test_data_comes_back_from_a_folder(render: Render, make: Make) -> None:
    project = render(storage="local")
    commit(project)
    lose_and_pull(project, make)
    assert list((project.parent / "churn-storage").rglob("*"))


def test_data_comes_back_from_s3(render: Render, s3_environment: Path, lint_environment: Path, s3: str) -> None:
    project = render(storage="s3", storage_url="s3://churn/dvc")
    commit(project)
    boto3.client(
        "s3", endpoint_url=s3, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    ).create_bucket(Bucket="churn")
    dvc = [str(s3_environment / "bin" / "dvc"), "remote", "modify", "--local", "storage", "endpointurl", s3]
    subprocess.run(dvc, cwd=project, check=True)
    lose_and_pull(project, make_with(s3_environment, lint_environment), **KEYS)


@pytest.mark.parametrize("storage", ["s3", "gs", "azure", "ssh"])
def test_the_lock_of_a_cloud_storage_holds_dvc_s_part_for_it(render: Render, storage: str) -> None:
    project = render(storage=storage)
    lock, main = (pins(project / name) for name in ("requirements-storage.lock", "requirements.lock"))
    assert f"dvc-{storage}" in lock.keys() - main.keys()
    assert {name: lock[name] for name in lock.keys() & main.keys()}.items() <= main.items()
    groups = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    assert groups["storage"] == [f"dvc[{storage}]"]


def test_a_folder_needs_no_part_of_dvc_for_a_cloud(render: Render) -> None:
    project = render(storage="local")
    assert not (project / "requirements-storage.lock").exists()
    assert not {"dvc-s3", "dvc-gs", "dvc-azure", "dvc-ssh"} & pins(project / "requirements.lock").keys()


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\S+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE))
