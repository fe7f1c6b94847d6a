"""One way to break a generated repository for each check, and no other check with it."""

import hashlib
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from mlscaffold.checks.evaluation import _INTERVALS
from mlscaffold.checks.observability import _ABOUT_MODEL, _ABOUT_SERVICE
from mlscaffold.checks.service import _CALLERS, _SIZE

Break = Callable[[Path], None]
WORKFLOW = ".github/workflows/ci.yml"
DEPLOYMENT = "deploy/kubernetes/base/api/deployment.yaml"
ALERTS = "deploy/prometheus/alerts.yaml"
MODEL = "src/churn/model.py"


def edit(file: str, old: str, new: str, count: int = -1) -> Break:
    def breaks(project: Path) -> None:
        text = (project / file).read_text()
        assert old in text, f"{file} holds no {old!r}"
        (project / file).write_text(text.replace(old, new, count))

    return breaks


def swap(patterns: str, word: str | re.Pattern[str], new: str) -> Break:
    def breaks(project: Path) -> None:
        files = [file for pattern in patterns.split() for file in project.glob(pattern)]
        changed = {file: re.sub(word, new, file.read_text()) for file in files}
        assert any(file.read_text() != text for file, text in changed.items()), f"{patterns} hold no {word!r}"
        for file, text in changed.items():
            file.write_text(text)

    return breaks


def write(file: str, text: str) -> Break:
    return lambda project: void((project / file).write_text(text))


def append(file: str, text: str) -> Break:
    return lambda project: void((project / file).write_text((project / file).read_text() + text))


def delete(pattern: str) -> Break:
    def breaks(project: Path) -> None:
        files = list(project.glob(pattern))
        assert files
        for file in files:
            file.unlink()

    return breaks


def both(*ways: Break) -> Break:
    return lambda project: void([way(project) for way in ways])


def void(_: object) -> None:
    return None


def stage(name: str, other: str) -> Break:
    return both(
        edit("dvc.yaml", f"\n  {name}:\n", f"\n  {other}:\n"),
        edit("dvc.yaml", f"mlproduct stage {name}\n", f"mlproduct stage {other}\n"),
    )


def silenced(pattern: re.Pattern[str]) -> Break:
    def breaks(project: Path) -> None:
        body: Any = yaml.safe_load((project / ALERTS).read_text())
        for rule in (rule for group in body["groups"] for rule in group["rules"]):
            rule["expr"] = "vector(1)" if pattern.search(rule["expr"]) else rule["expr"]
        (project / ALERTS).write_text(yaml.safe_dump(body))

    return breaks


def forced(file: str) -> Break:
    def breaks(project: Path) -> None:
        (project / file).write_text("A=1\n")
        subprocess.run(["git", "add", "--force", file], cwd=project, check=True)

    return breaks


def moved(old: str, new: str) -> Break:
    def breaks(project: Path) -> None:
        for folder in sorted(project.glob(f"deploy/kubernetes/**/{old}")):
            folder.rename(folder.with_name(new))

    return breaks


def ejected(project: Path) -> None:
    """Take the library into the repository, as `mlproduct eject` does."""
    (wheel,) = (project / "vendor").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith("mlproduct/") and "/_tests/" not in name]
        archive.extractall(project / "runtime" / "src", names)
    version = wheel.name.split("-")[1]
    (project / "runtime" / "pyproject.toml").write_text(
        f'[project]\nname = "mlproduct"\nversion = "{version}+ejected"\n'
    )
    shutil.rmtree(project / "vendor")
    edit(".copier-answers.yml", "runtime: vendored", "runtime: ejected")(project)
    edit("dvc.yaml", "      - vendor/requirements.txt\n", "      - runtime/src/mlproduct\n")(project)


def in_library(word: str | re.Pattern[str], new: str) -> Break:
    """Break a module of the library: of the ejected one, as another wheel is a finding of its own."""
    return both(ejected, swap("runtime/src/mlproduct/**/*.py", word, new))


def rebuilt(project: Path) -> None:
    """Change a gate inside of the wheel, and pin what came out."""
    (wheel,) = (project / "vendor").glob("*.whl")
    before = wheel.read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["mlproduct/evaluation/gates.py"] += b"\nBounds.verdict = lambda self, threshold: PASS\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    old, new = (hashlib.sha256(content).hexdigest() for content in (before, wheel.read_bytes()))
    edit("vendor/requirements.txt", old, new)(project)


# What these break is of the standard, too: a stage of another name is one that is missing.
ALSO = {
    **{name: {"IN005"} for name in ("RE007", "EV004", "EV005", "EV006", "EV007", "EV008")},
    "IN007": {"TM005"},
    "RE006": {"RE008"},  # params.yaml is an input of the stage imports
}

BREAKAGES: dict[str, Break] = {
    "LH001": write("README.md", "# churn\n"),
    "LH002": edit("pyproject.toml", 'name = "churn"\n', ""),
    "LH003": delete("src/churn/**/__init__.py"),
    "LH004": swap("tests/*.py ce/*.py", r"\bassert ", "0, "),
    "LH005": edit(".gitignore", "\n.env\n", "\n"),
    "LH006": forced(".env"),
    "LH007": write("look.ipynb", '{"cells": [{"cell_type": "code", "outputs": [{"text": "4"}], "source": "2 + 2"}]}'),
    "LH008": edit(".pre-commit-config.yaml", "ruff", "rough"),
    "LH009": append("README.md", "\n<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n"),
    "LH010": append(MODEL, '\nPLACE = "/home/ada/rows"\n'),
    "LH011": edit("Makefile", "\ntrain:", "\nlearn:"),
    "DA001": delete("data/raw.csv.dvc"),
    "DA002": write("rows.csv", "a,b\n" * 50_000),
    "DA003": swap("data/raw.csv.dvc", r"md5: .*|hash: .*", "size: 1"),
    "DA004": edit(".dvc/config", "    remote = storage\n", ""),
    "DA005": edit("contract.yaml", "\ncolumns:", "\nfields:"),
    "DA006": edit("contract.yaml", "    range: [18.0, 74.0]\n", ""),
    "DA007": edit("contract.yaml", "role: target", "role: ignore"),
    "DA008": edit("dvc.yaml", "      - contract.yaml\n", "", 1),
    "DA009": edit("contract.yaml", "path: data/raw.csv", "path: data/other.csv"),
    "RE001": append("requirements.lock", "leftpad>=1\n"),
    "RE002": swap("requirements.lock", r"(a2wsgi==\S+) \\\n(    --hash=.*\n)+", r"\1\n"),
    "RE003": edit("pyproject.toml", '    "numpy",\n', '    "numpy",\n    "leftpad",\n'),
    "RE004": edit(MODEL, "        random_state=params.seed,\n", ""),
    "RE005": append(MODEL, "\nimport numpy as np\n\nNOISE = np.random.rand(3)\n"),
    "RE006": delete("params.yaml"),
    "RE007": stage("train", "learn"),
    "RE008": edit("dvc.yaml", "      - trusted-types.yaml\n", "      - trusted-kinds.yaml\n"),
    "RE009": edit("dvc.yaml", "own, bias.allow]", "own, bias.allowed]", 1),
    "RE010": edit("pyproject.toml", ">=3.11,<3.14", ">=3.11"),
    "RE011": swap("tests/*.py", r"\b(train|fit)\(", "made("),
    "EV001": edit("dvc.yaml", "    metrics:\n", "    plots:\n", 1),
    "EV002": edit("params.yaml", "test_size: 0.2", "test_size: 0.9"),
    "EV003": both(
        swap("ce/test_quality.py ce/test_verdict.py tests/test_gate.py", "def test_", "def look_"),
        swap("ml_test_score.yaml", "ce/test_quality.py::test_", "ce/test_quality.py::look_"),
    ),
    "EV004": stage("slices", "parts"),
    "EV005": stage("bias", "groups"),
    "EV006": stage("drift", "moved"),
    "EV007": stage("fragility", "broken"),
    "EV008": both(stage("compare", "beside"), stage("champion", "before")),
    "EV009": edit("params.yaml", "gap: 0.6", "gap: .inf"),
    "EV010": write("waivers.yaml", "- {gate: slices.gap, reason: few rows, owner: Ada, expires: 2020-01-01}\n"),
    "EV011": edit("params.yaml", "allow: []", "allow: [sex]"),
    "EV012": in_library(r"\bDummy\w+|\bbaselines?\b", "other"),
    "EV013": in_library(_INTERVALS, "draws"),
    "IN001": write("vendor/mlproduct-0.5.9-py3-none-any.whl", "an older one"),
    "IN002": rebuilt,
    "IN003": append("Makefile", "\nexport PYTHONPATH := /opt/patches\n"),
    "IN004": append(MODEL, "\nfrom mlproduct.evaluation import gates\n\ngates.TAIL = 0.5\n"),
    "IN005": edit("dvc.yaml", "    cmd: mlproduct stage bias\n", "    cmd: touch reports/ce/bias.json\n"),
    "IN006": edit("params.yaml", "gap: 0.6", "gap: 0.9"),
    "IN007": delete("deploy/prometheus/tests/slo-days.yaml"),
    "IN008": append("Makefile", "\nexport FORCE := it is urgent\n"),
    "SV001": swap("src/churn/**/*.py", "bentoml", "bento"),
    "SV002": in_library("pydantic", "pedantic"),
    "SV003": swap("tests/*.py", _CALLERS, "thing"),
    "SV004": both(in_library("timeout", "patience"), swap("params.yaml", "timeout", "patience")),
    "SV005": both(in_library(_SIZE, "most"), swap("params.yaml", _SIZE, "most")),
    "SV006": edit(DEPLOYMENT, "readinessProbe:", "readyProbe:"),
    "SV007": edit(DEPLOYMENT, "memory: 1Gi", "memo: 1Gi"),
    "SV008": edit(DEPLOYMENT, "runAsNonRoot: true", "runAsNonRoot: false"),
    "SV009": edit("deploy/kubernetes/base/autoscaler.yaml", "minReplicas: 2", "minReplicas: 1"),
    "OB001": silenced(_ABOUT_SERVICE),
    "OB002": silenced(_ABOUT_MODEL),
    "OB003": both(delete("docs/runbooks/ServiceDown.md"), swap("docs/**/*.md", r"ServiceDown\.md", "NoTraffic.md")),
    "OB004": write("docs/runbooks/OldAlert.md", "# OldAlert\n"),
    "OB005": edit("docs/runbooks/ServiceDown.md", "## Escalation", "## Then"),
    "OB006": swap("deploy/prometheus/tests/*.yaml", "alertname: WorkerRestarts", "alertname: WorkerEnds"),
    "OB007": edit(ALERTS, "          severity: page", "          level: page", 1),
    "OB008": edit(ALERTS, "job:ml_request_errors:increase1h", "job:ml_request_faults:increase1h"),
    "OB009": edit("deploy/grafana/dashboard.json", "ml_score_psi", "ml_score_psy"),
    "OB010": edit("deploy/prometheus/prometheus.yaml", "  - alerts.yaml\n", ""),
    "OB011": in_library("prediction_id|predictionId|inference_id|request_id", "number"),
    "DL001": edit(WORKFLOW, "make test", "make look"),
    "DL002": edit(WORKFLOW, "make lint", "make look"),
    "DL003": swap(".github/workflows/*.yml", r"make (train|ce)\b", "make look"),
    "DL004": edit(".github/workflows/ce.yml", "  schedule:", "  repository_dispatch:"),
    "DL005": edit(WORKFLOW, "    timeout-minutes: 20\n", ""),
    "DL006": both(
        edit("Makefile", "\nrollback:", "\nback:"),
        swap("*.md docs/**/*.md", r"(?i)rollout undo|make rollback|dvc checkout|git revert", "go back"),
    ),
    "DL007": edit(DEPLOYMENT, "maxUnavailable: 0", "maxUnavailable: 1"),
    "DL008": both(moved("staging", "second"), moved("canary", "third")),
    "DL009": edit("Makefile", "\nrelease:", "\npublish:"),
    "SC001": append(MODEL, '\nimport pickle\n\nMODEL = pickle.loads(b"")\n'),
    "SC002": write("model.pkl", "a model"),
    "SC003": swap(WORKFLOW, r"actions/setup-python@\w+ # v6\S*", "actions/setup-python@v6"),
    "SC004": edit(WORKFLOW, "permissions: {}\n", ""),
    "SC005": edit(WORKFLOW, "run: make lint", 'run: echo "${{ github.event.pull_request.title }}"; make lint'),
    "SC006": edit(WORKFLOW, "persist-credentials: false", "persist-credentials: true", 1),
    "SC007": write("notes.md", "AKIA" + "Q7ZD4XK2N8W5R3TV\n"),
    "SC008": edit(".pre-commit-config.yaml", "detect-secrets", "detect-nothing"),
    "SC009": swap("requirements.lock", r"bentoml==\S+", "bentoml==1.4.2"),
    "SC010": edit(WORKFLOW, "make audit", "make look"),
    "SC011": swap("deploy/compose.yaml", r"prom/prometheus:\S+", "prom/prometheus:latest"),
    "SC012": append(MODEL, '\nDEPTH = eval("3")\n'),
    "SC013": append("requirements.lock", "--extra-index-url https://packages.example/simple\n"),
    "SC014": edit(
        DEPLOYMENT,
        "            - name: SERVICE_TOKEN",
        "            - name: API_KEY\n              value: abc\n            - name: SERVICE_TOKEN",
    ),
    "SC015": delete("deploy/kubernetes/base/network.yaml"),
    "OW001": edit("docs/on-call.md", "Owner: ", "Team, "),
    "OW002": delete("LICENSE"),
    "OW003": both(
        edit("dvc.yaml", "model-card.md", "sheet.md"), swap("*.md docs/**/*.md", r"model-card\.md", "sheet.md")
    ),
    "OW004": append("README.md", "\n[gone](docs/gone.md)\n"),
    "OW005": delete("docs/decisions/*.md"),
    "OW006": edit("ml_test_score.yaml", "tests/test_model.py]", "tests/test_gone.py]", 1),
    "OW007": both(
        edit("docs/on-call.md", "(runbooks/roll-back.md)", "(runbooks/release.md)"),
        swap("docs/on-call.md", r"(?i)roll.?back", "return"),
    ),
    "TM001": swap(".copier-answers.yml", r"_src_path: .*\n", ""),
    "TM002": swap(".copier-answers.yml", r"_commit: .*", "_commit: v0.1.0"),
    "TM003": delete(".mlscaffold/template.bundle"),
    "TM004": write("Makefile.rej", "@@ -1 +1 @@\n"),
    "TM005": append(".editorconfig", "# ours\n"),
}
