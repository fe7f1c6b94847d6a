"""What deploy/ holds, put together by kustomize and held against the schemas of Kubernetes; the image of a Bento."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
import yaml

from template.conftest import Render
from template.test_generated import free_port

Make = Callable[..., subprocess.CompletedProcess[str]]
STAGES = ("staging", "production", "canary")

pytestmark = [pytest.mark.slow]
kubectl = pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl puts the overlays together, and is not here")


@pytest.fixture(scope="module")
def tree(render: Render) -> Path:
    return render(name="My_Churn", registry="registry.example/team")


@pytest.fixture
def verb(make: Make, ops_environment: Path) -> Make:
    def run(project: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        (ops_environment / ".ready").touch()
        return make(project, *words, f"OPS={ops_environment}", check=check)

    return run


def built(tree: Path, stage: str) -> list[dict[str, Any]]:
    words = ["kubectl", "kustomize", str(tree / "deploy/kubernetes/overlays" / stage)]
    return list(yaml.safe_load_all(subprocess.run(words, capture_output=True, check=True).stdout))


def validated(ops_environment: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    words = [str(ops_environment / "bin" / "kubernetes-validate"), "--strict", *map(str, files)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@kubectl
def test_every_stage_keeps_to_the_schemas_of_kubernetes(tree: Path, verb: Make) -> None:
    done = verb(tree, "manifests")
    assert len(re.findall(r"passed for resource", done.stdout + done.stderr)) == 15


def test_every_file_that_is_a_manifest_keeps_to_them(tree: Path, ops_environment: Path) -> None:
    files = [
        path
        for path in sorted((tree / "deploy/kubernetes").rglob("*.yaml"))
        if path.name not in ("kustomization.yaml", "prometheus-adapter.yaml", "inferenceservice.yaml")
    ]
    assert len(files) == 8
    assert validated(ops_environment, *files).returncode == 0


def test_the_pod_of_kserve_is_one(tree: Path, ops_environment: Path, tmp_path: Path) -> None:
    """KServe's own schema is not at hand: what it passes on to Kubernetes is."""
    spec = yaml.safe_load((tree / "deploy/kubernetes/kserve/inferenceservice.yaml").read_text())["spec"]["predictor"]
    own = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget"}
    assert own <= set(spec)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "predictor"},
        "spec": {key: value for key, value in spec.items() if key not in own},
    }
    (tmp_path / "pod.yaml").write_text(yaml.safe_dump(pod))
    done = validated(ops_environment, tmp_path / "pod.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("automountServiceAccountToken: false", "automountServiceAccountTokens: false"), ("maxSurge: 1", "maxSurge: [1]")],
)
def test_a_broken_manifest_is_refused(
    tree: Path, ops_environment: Path, tmp_path: Path, right: str, wrong: str
) -> None:
    text = (tree / "deploy/kubernetes/base/api/deployment.yaml").read_text()
    assert right in text
    (tmp_path / "broken.yaml").write_text(text.replace(right, wrong))
    assert validated(ops_environment, tmp_path / "broken.yaml").returncode != 0


@kubectl
def test_stages_are_what_they_promise(tree: Path) -> None:
    for stage in STAGES:
        found = {(each["kind"], each["metadata"]["name"]): each for each in built(tree, stage)}
        names = {name for _, name in found}
        assert names <= {"my-churn", "my-churn-staging", "my-churn-api", "my-churn-pods", "my-churn-api-canary"}
        pod = found["Deployment", "my-churn-api-canary" if stage == "canary" else "my-churn-api"]["spec"]["template"]
        image = pod["spec"]["containers"][0]["image"]
        assert re.fullmatch(r"registry.example/team/my-churn@sha256:[0-9a-f]{64}", image)
        assert pod["metadata"]["labels"]["track"] == ("canary" if stage == "canary" else "stable")


@kubectl
def test_the_canary_answers_behind_the_same_service_and_is_not_scaled_with_the_rest(tree: Path) -> None:
    production, (canary,) = built(tree, "production"), built(tree, "canary")
    labels = canary["spec"]["template"]["metadata"]["labels"].items()
    (service,) = [
        each for each in production if each["kind"] == "Service" and each["metadata"]["name"].endswith("-api")
    ]
    assert service["spec"]["selector"].items() <= labels
    (stable,) = [each for each in production if each["kind"] == "Deployment"]
    assert not stable["spec"]["selector"]["matchLabels"].items() <= labels


@kubectl
def test_names_can_be_looked_up(tree: Path) -> None:
    """Kustomize adds the product's labels to every selector of pods: a rule for the cluster's DNS must have none."""
    (policy,) = [each for each in built(tree, "production") if each["kind"] == "NetworkPolicy"]
    dns, _ = policy["spec"]["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert [set(peer) for peer in dns["to"]] == [{"namespaceSelector"}]


@kubectl
def test_without_an_adapter_the_autoscaler_goes_by_cpu(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "tree"
    shutil.copytree(tree, copy)
    stage = copy / "deploy/kubernetes/overlays/staging/kustomization.yaml"
    stage.write_text(stage.read_text().replace("# components:", "components:"))
    (scaler,) = [each for each in built(copy, "staging") if each["kind"] == "HorizontalPodAutoscaler"]
    assert [metric["type"] for metric in scaler["spec"]["metrics"]] == ["Resource"]


def test_a_stage_is_pinned(tree: Path, make: Make, tmp_path: Path) -> None:
    copy, digest = tmp_path / "tree", "sha256:" + "ab" * 32
    shutil.copytree(tree, copy)
    make(copy, "image-digest", "STAGE=staging", f"DIGEST={digest}")
    pins = [
        yaml.safe_load((copy / f"deploy/kubernetes/overlays/{stage}/kustomization.yaml").read_text())["images"][0]
        for stage in ("staging", "production")
    ]
    assert [pin["digest"] == digest for pin in pins] == [True, False]
    assert "there are" in make(copy, "image-digest", "STAGE=nowhere", f"DIGEST={digest}", check=False).stderr


def test_compose_mounts_what_is_there_and_gives_no_rights(tree: Path) -> None:
    services = yaml.safe_load((tree / "deploy/compose.yaml").read_text())["services"]
    assert set(services) == {"my_churn", "prometheus", "grafana"}
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert ":" in service["image"].rpartition("/")[2]


def test_the_image_installs_nothing_without_a_hash_and_runs_as_nobody_special(project: Path) -> None:
    store = project / ".bentoml/bentos/penguins"
    bento = store / (store / "latest").read_text().strip()
    lines = (bento / "env/docker/Dockerfile").read_text().splitlines()
    assert re.fullmatch(r"FROM python:3\.\d+-slim AS .*", next(line for line in lines if line.startswith("FROM")))
    assert "ARG UV_REQUIRE_HASHES=1" in lines
    by_hash = lines.index("RUN pip install --no-cache-dir --require-hashes --requirement env/docker/uv.txt")
    assert by_hash < lines.index("RUN command -v uv >/dev/null || pip install uv")  # which finds it there
    assert not [line for line in lines if "apt-get" in line]
    assert [line for line in lines if line.startswith("USER")][-1] == "USER bentoml"
    for file in ("env/python/requirements.txt", "env/docker/uv.txt"):
        pins = [line for line in (bento / file).read_text().splitlines() if line[:1].isalnum()]
        assert pins
        assert all(re.fullmatch(r"\S+==\S+( ; .*)? \\", pin) for pin in pins)
    assert (bento / "env/python/requirements.txt").read_text() == (project / "requirements-service.lock").read_text()


NAMESPACE = """
set -e
mount --make-rprivate /
mount --bind "$PYTHON_HOME" /srv
mount -t tmpfs -o mode=755 none /root
mkdir -p "$PYTHON_HOME" && mount --bind /srv "$PYTHON_HOME"
mount --bind "$WRITABLE" /mnt
mount -o remount,ro,bind /
touch /usr/written 2>/dev/null && exit 9
exec env -i PATH="$PATH" TMPDIR=/mnt/tmp BENTOML_HOME=/mnt/tmp/bentoml BENTOML_DO_NOT_TRACK=True \\
    PREDICTION_LOG=/mnt/log \\
    setpriv --reuid 1034 --regid 1034 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \\
    bentoml serve "$CONTEXT" --host 127.0.0.1 --port "$PORT"
"""


@pytest.mark.skipif(
    not shutil.which("setpriv")
    or os.getuid() != 0
    or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0,
    reason="a file system of its own needs root",
)
def test_the_service_answers_as_in_its_container(project: Path, environment: Path, tmp_path: Path) -> None:
    """On a read-only root, as user 1034, without a capability: it writes to /tmp and to the log alone."""
    context, writable, port = tmp_path / "context", tmp_path / "writable", free_port()
    code = (
        "import shutil, sys, bentoml; from bentoml._internal.container import construct_containerfile as context\n"
        "with context(bentoml.get('penguins:latest')) as (folder, _): shutil.copytree(folder, sys.argv[1])"
    )
    env = {**os.environ, "BENTOML_HOME": str(project / ".bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    subprocess.run([str(environment / "bin/python"), "-c", code, str(context)], env=env, check=True)
    for folder in (writable / "tmp", writable / "log"):
        folder.mkdir(parents=True)
        os.chown(folder, 1034, 1034)
    subprocess.run(["chmod", "-R", "a+rX", str(context)], check=True)
    for folder in (*tmp_path.parents, tmp_path):
        if folder.is_relative_to(gettempdir()):
            folder.chmod(folder.stat().st_mode | 0o055)
    env |= {
        "PYTHON_HOME": sys.base_prefix, "WRITABLE": str(writable), "CONTEXT": str(context), "PORT": str(port),
        "PATH": f"{environment / 'bin'}:/usr/bin:/bin",
    }  # fmt: skip
    record = (project / "models/serving/background.json").read_text()
    with (tmp_path / "log").open("w") as output:
        process = subprocess.Popen(["unshare", "-m", "bash", "-c", NAMESPACE], env=env, stdout=output, stderr=output)
    try:
        answer = _asked(port, json.dumps(json.loads(record)[0]).encode(), process)
        assert "prediction" in answer, (tmp_path / "log").read_text()[-3000:]
        assert list((writable / "log").glob("predictions-*.jsonl"))
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert re.search(r"^Uid:\s+1034\s", status, re.MULTILINE)
        assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    finally:
        process.terminate()
        process.wait(timeout=40)


def _asked(port: int, body: bytes, process: "subprocess.Popen[bytes]") -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body, {"Content-Type": "application/json"})
    late = time.monotonic() + 90
    while process.poll() is None and time.monotonic() < late:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.2)
    return "it did not start"


@pytest.mark.parametrize("secret", ["AKIA" + "QYLPMN5HHHFPZAM2", "-----BEGIN RSA " + "PRIVATE KEY-----"])
def test_a_secret_is_not_committed(tree: Path, lint_environment: Path, tmp_path: Path, secret: str) -> None:
    hook = [str(lint_environment / "bin/detect-secrets-hook"), "--baseline", str(tree / ".secrets.baseline")]
    texts = [
        path for path in tree.rglob("*") if path.is_file() and path.suffix in {".py", ".yaml", ".md", ".toml", ".yml"}
    ]
    ours = [str(path.relative_to(tree)) for path in texts if "experiments" not in path.parts]
    assert subprocess.run([*hook, *ours], cwd=tree, check=False).returncode == 0
    (tmp_path / "settings.py").write_text(f'KEY = "{secret}"\n')
    assert subprocess.run([*hook, "settings.py"], cwd=tmp_path, check=False).returncode == 1
