"""What a release is called and what is said of it; what fails leaves no trace."""

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from mlproduct import imports
from mlproduct.contract import validation as contract
from mlproduct.release import changelog, image_digest, rebuild, release, sbom
from mlproduct_tests.repository import ROOT

VERDICT = {"model": "m2", "verdict": "blessed", "said": "This model may ship.", "waived": []}
OLD = changelog.Release("v1.0.0", {"model": "m1"}, {"roc_auc": 0.8, "gone": 1.0}, {"model.max_iter": 100})
NEW = changelog.Release("v1.1.0", VERDICT, {"roc_auc": 0.9}, {"model.max_iter": 60})
DAY = date(2026, 3, 1)
DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("tags", "version"),
    [
        ([], "v1.0.0"),
        (["v1.0.0"], "v1.1.0"),
        (["v1.9.0", "v1.10.3"], "v1.11.0"),
        (["v2.0.0", "v1.5.0", "vintage"], "v2.1.0"),
    ],
)
def test_the_next_version_is_a_minor_one(tags, version):
    assert release.following(tags) == version


@pytest.mark.parametrize(("version", "message"), [("1.2.0", "write v1.2.0"), ("v1.0.0", "released already")])
def test_a_version_that_is_none_or_is_taken_is_refused(version, message):
    with pytest.raises(contract.DataError, match=message):
        release.checked(version, ["v1.0.0"])


def test_the_changelog_tells_what_is_other_than_before():
    entry = changelog.entry(NEW, OLD, DAY)
    assert entry.startswith("## v1.1.0 - 2026-03-01\n\nThis model may ship.\n")
    assert "- Model: m2 (was m1)" in entry
    assert "- Parameter model.max_iter: 100 -> 60" in entry
    assert "| metric | v1.0.0 | v1.1.0 |" in entry
    assert "| roc_auc | 0.8 | 0.9 |\n| gone | 1 |  |" in entry


def test_the_first_entry_compares_with_nothing():
    entry = changelog.entry(NEW, None, DAY)
    assert "was" not in entry
    assert "Parameter" not in entry
    assert "| roc_auc | 0.9 |" in entry


def test_known_weaknesses_stand_in_the_changelog():
    waiver = {"gate": "slices.gap", "reason": "few rows", "owner": "Ada", "expires": "2027-01-31"}
    waived = changelog.Release("v1.1.0", VERDICT | {"waived": [waiver]}, {})
    assert "- Accepted until 2027-01-31: slices.gap (few rows; Ada)" in changelog.entry(waived, None, DAY)


def test_the_newest_entry_stands_first():
    once = changelog.added("", "## v1.0.0\n\nfirst\n")
    twice = changelog.added(once, "## v1.1.0\n\nsecond\n")
    assert once.startswith("# Changelog\n\n")
    assert once.endswith("\n\n## v1.0.0\n\nfirst\n")
    assert twice.endswith("\n\n## v1.1.0\n\nsecond\n\n## v1.0.0\n\nfirst\n")
    assert twice.count("# Changelog") == 1


def test_the_bill_of_materials_names_model_and_data():
    packages = {
        "metadata": {},
        "components": [{"bom-ref": "a", "name": "numpy", "description": "a line"}],
        "dependencies": [{"ref": "a"}],
    }
    found = sbom.completed(packages, "churn", "v1.1.0", {"version": "m2", "data": "d" * 32})
    assert [part["type"] for part in found["components"][:2]] == ["machine-learning-model", "data"]
    assert found["metadata"]["component"]["version"] == "1.1.0"
    refs = {part["bom-ref"] for part in found["components"]} | {"product"}
    assert {entry["ref"] for entry in found["dependencies"]} == refs
    assert "description" not in found["components"][2]


def test_a_service_that_is_another_is_found_out():
    expected = {"model": "m1", "commit": "c1"}
    assert rebuild.disagreements({"model": "m1", "commit": "c1", "path": "onnx"}, expected) == []
    assert rebuild.disagreements({"model": "m2"}, expected) == ["model is 'm2', not 'm1'", "commit is None, not 'c1'"]


@pytest.mark.parametrize("name", ["releasing/rebuild.py", "rebuild.py"])
def test_a_release_from_before_the_library_is_rebuilt_by_its_own_module(name, tmp_path):
    package = tmp_path / "src" / "renamed"
    (package / name).parent.mkdir(parents=True)
    (package / name).touch()
    (package / "model.py").touch()
    assert rebuild.command(tmp_path) == ["-m", f"renamed.{name.removesuffix('.py').replace('/', '.')}"]


def test_a_release_with_a_pinned_library_is_rebuilt_by_it():
    assert rebuild.command(ROOT) == ["-m", "mlproduct", "rebuild"]


def test_a_failure_leaves_the_store_as_it_was(tmp_path):
    bentos = tmp_path / "bentos" / "churn"
    (bentos / "old").mkdir(parents=True)
    (bentos / "latest").write_text("old")
    with pytest.raises(FileExistsError):
        _build_and_fail(tmp_path, bentos)
    assert sorted(path.name for path in bentos.iterdir()) == ["latest", "old"]
    assert (bentos / "latest").read_text() == "old"
    assert list((tmp_path / "models" / "churn").iterdir()) == []


def _build_and_fail(store, bentos):
    with rebuild.all_or_nothing(store, "churn"):
        (bentos / "new").mkdir()
        (bentos / "latest").write_text("new")
        (store / "models" / "churn" / "first").mkdir(parents=True)
        (bentos / "old").mkdir()


def test_a_stage_is_pinned_by_digest_and_by_nothing_else():
    text = f"  digest: sha256:{'0' * 64} # `make image-digest DIGEST=sha256:...`\n"
    assert image_digest.pinned(text, DIGEST) == f"  digest: {DIGEST} # `make image-digest DIGEST=sha256:...`\n"
    with pytest.raises(contract.DataError, match="64 hexadecimal digits"):
        image_digest.pinned(text, "latest")
    with pytest.raises(contract.DataError, match="names no image"):
        image_digest.pinned("newTag: latest\n", DIGEST)


def test_every_stage_can_be_pinned():
    assert set(image_digest.files(ROOT / "deploy" / "kubernetes")) == {"staging", "production", "canary", "kserve"}


def test_a_change_that_only_the_service_runs_leaves_no_stage_stale(tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("__pycache__", ".venv", ".bentoml", "cache"))
    monkeypatch.chdir(copy)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")  # dvc is there
    subprocess.run(["git", "init", "-q"], check=True)
    imports.main()
    (package,) = copy.glob("src/*/model.py")
    with package.with_name("service.py").open("a") as service:
        service.write("# a comment\n")
    assert "imports" not in release.stale()
    with package.open("a") as model:
        model.write("# a comment\n")
    assert "imports" in release.stale()
