"""Data goes to the storage and comes back: a folder, and S3 (moto's server on loopback)."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from template.conftest import Render, commit

Make = Callable[..., subprocess.CompletedProcess[str]]


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


def test_data_comes_back_from_s3(render: Render, make: Make, environment: Path, s3: str) -> None:
    project = render(storage="s3", storage_url="s3://churn/dvc")
    commit(project)
    boto3.client(
        "s3", endpoint_url=s3, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    ).create_bucket(Bucket="churn")
    dvc = [str(environment / "bin" / "dvc"), "remote", "modify", "--local", "storage", "endpointurl", s3]
    subprocess.run(dvc, cwd=project, check=True)
    lose_and_pull(project, make, **KEYS)
