"""What deploy/ promises keeps to params.yaml, and no container has more rights than it needs."""

from pathlib import Path

import pytest
import yaml
from mlproduct import config as params

ROOT = Path(__file__).parents[1]
KUBERNETES = ROOT / "deploy" / "kubernetes"
PARAMS = params.Params.load(ROOT / "params.yaml")
MEBIBYTES = {"Mi": 1, "Gi": 1024}


def read(name):
    return yaml.safe_load((KUBERNETES / name).read_text(encoding="utf-8"))


def pods():
    """Return the pod of the Deployment, and that of KServe."""
    return {
        "deployment": read("base/api/deployment.yaml")["spec"]["template"]["spec"],
        "kserve": read("kserve/inferenceservice.yaml")["spec"]["predictor"],
    }


def test_the_autoscaler_scales_by_the_objective_of_params_yaml():
    (metric,) = [m["pods"] for m in read("base/autoscaler.yaml")["spec"]["metrics"] if m["type"] == "Pods"]
    wanted, found = PARAMS.objectives.requests_per_second, metric["target"]["averageValue"]
    assert float(found) == wanted, (
        f'deploy/kubernetes/base/autoscaler.yaml: averageValue is objectives.requests_per_second, "{wanted:g}"'
    )
    (rule,) = read("prometheus-adapter.yaml")["rules"]
    assert metric["metric"]["name"] == rule["name"]["as"]


@pytest.mark.parametrize("kind", ["deployment", "kserve"])
def test_requests_in_flight_are_answered_before_a_pod_ends(kind):
    pod = pods()[kind]
    (container,) = pod["containers"]
    drained = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] >= drained + PARAMS.service.timeout_seconds + 5, (
        "raise terminationGracePeriodSeconds: preStop, service.timeout_seconds of params.yaml, and a margin"
    )


@pytest.mark.parametrize("kind", ["deployment", "kserve"])
def test_the_prediction_log_fits_into_its_volume(kind):
    (size,) = [v["emptyDir"]["sizeLimit"] for v in pods()[kind]["volumes"] if v["name"] == "predictions"]
    kinds = 2  # predictions and outcomes
    assert int(size[:-2]) * MEBIBYTES[size[-2:]] > kinds * PARAMS.log.rotate_megabytes * PARAMS.log.keep_files, (
        "raise sizeLimit of the volume `predictions`: a pod that outgrows it is evicted"
    )


@pytest.mark.parametrize("kind", ["deployment", "kserve"])
def test_a_pod_has_no_right_that_it_does_not_need(kind):
    pod = pods()[kind]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= set(container["resources"]["requests"]) & set(container["resources"]["limits"])


def test_kserve_runs_the_same_container():
    (deployed,), (served,) = (pod["containers"] for pod in pods().values())
    for key in ("env", "resources", "volumeMounts", "securityContext", "lifecycle"):
        assert served[key] == deployed[key], key


def test_every_image_is_named_by_its_digest():
    for stage in ("staging", "production", "canary"):
        (image,) = read(f"overlays/{stage}/kustomization.yaml")["images"]
        assert image["digest"].startswith("sha256:")
        assert "newTag" not in image
    assert "@sha256:" in pods()["kserve"]["containers"][0]["image"]
