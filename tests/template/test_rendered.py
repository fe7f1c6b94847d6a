"""The rendered tree, over a pairwise matrix of answers: whatever is answered, what comes out is whole."""

import hashlib
import json
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from allpairspy import AllPairs

from template.conftest import Render

TEMPLATE = Path(__file__).parents[2] / "template"
ANSWERS: dict[str, list[object]] = {
    "target": ["species", "sex", "body_mass_g"],
    "time": ["year", ""],
    "python_version": ["3.11", "3.12", "3.13"],
    "license": ["proprietary", "MIT", "Apache-2.0", "none"],
    "ci": ["github", "gitlab", "both", "none"],
    "storage": ["local", "s3", "gs", "azure", "ssh"],
    "registry": ["", "registry.example/team"],
    "renovate": [False, True],
    "description": ["Says which penguin it is.", 'Says "which" penguin: it\'s {braced} & 100 % café ñ.'],
}
MATRIX = [dict(zip(ANSWERS, row, strict=True)) for row in AllPairs(list(ANSWERS.values()))]


@pytest.fixture(scope="module", params=MATRIX, ids=lambda a: f"{a['target']}-{a['license']}-{a['ci']}-{a['storage']}")
def tree(request: pytest.FixtureRequest, render: Render) -> Path:
    return render(**request.param)


def test_a_rendering_is_whole(tree: Path, wheel: Path) -> None:
    files = [path for path in tree.rglob("*") if path.is_file()]
    assert len(files) > 40
    for path in files:
        assert not path.name.endswith(".jinja")
        assert not path.stat().st_mode & stat.S_IXUSR
        if path.suffix == ".whl":
            assert path.read_bytes() == wheel.read_bytes()
            continue
        parts = ["{{ package }}" if part == "churn" else part for part in path.relative_to(tree).parts]
        if path.suffix == ".py":
            assert path.read_bytes() == TEMPLATE.joinpath(*parts).read_bytes()
            continue
        text = path.read_text(encoding="utf-8")
        if "grafana" in parts:  # braces of their own: nothing was rendered there
            assert path.read_bytes() == TEMPLATE.joinpath(*parts).read_bytes()
            continue
        without_forge = re.sub(r"\$\{\{.*?\}\}", "", text)
        assert "{%" not in without_forge, f"Jinja left in {path}"
        assert not re.search(r"\{\{ ?\w", without_forge), f"Jinja left in {path}"
        if path.suffix in {".yaml", ".yml"} or path.name == "raw.csv.dvc":
            yaml.safe_load(text)
        elif path.suffix == ".toml":
            tomllib.loads(text)
        elif path.suffix == ".json":
            json.loads(text)
        assert text.endswith("\n") or not text, f"{path} does not end with a newline"
    ruff = [sys.executable, "-m", "ruff"]
    checked = subprocess.run([*ruff, "check", "."], cwd=tree, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    formatted = subprocess.run([*ruff, "format", "--check", "."], cwd=tree, capture_output=True, text=True, check=False)
    assert formatted.returncode == 0, formatted.stdout


def test_the_library_is_pinned_by_the_hash_of_its_wheel(tree: Path, wheel: Path) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lines = (tree / "vendor" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[1:] == [f"./vendor/{wheel.name} --hash=sha256:{digest}"]


def test_the_forge_s_files_are_those_asked_for(render: Render) -> None:
    for ci, github, gitlab in [
        ("github", True, False),
        ("gitlab", False, True),
        ("both", True, True),
        ("none", False, False),
    ]:
        tree = render(ci=ci)
        assert (tree / ".github").exists() == github
        assert (tree / ".gitlab-ci.yml").exists() == gitlab


@pytest.mark.parametrize("storage", ANSWERS["storage"])
def test_workflows_pass_zizmor(render: Render, storage: str) -> None:
    tree = render(ci="github", storage=storage)
    zizmor = subprocess.run(
        [str(Path(sys.executable).parent / "zizmor"), "--offline", "--persona", "pedantic", str(tree / ".github")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert zizmor.returncode == 0, zizmor.stdout + zizmor.stderr
    actions = re.findall(r"uses: (\S+)", (tree / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert actions
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in actions)


PROFILES: dict[str, dict[str, object]] = {
    "default": {},
    "regression-gitlab-s3": {"target": "body_mass_g", "ci": "gitlab", "storage": "s3", "license": "MIT", "time": ""},
    "bare-own-table": {
        "table": "own", "target": "churned", "task": "classification", "protected": [], "time": "", "ci": "none",
        "license": "none",
    },
}  # fmt: skip


@pytest.mark.parametrize("profile", PROFILES)
def test_the_tree_is_the_golden_one(render: Render, profile: str) -> None:
    tree = render(**PROFILES[profile])
    names = sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())
    golden = Path(__file__).parent / "golden" / f"{profile}.txt"
    assert names == golden.read_text(encoding="utf-8").splitlines(), "see tests/template/golden.py"


@pytest.mark.parametrize(
    ("answer", "value", "message"),
    [
        ("name", "1churn", "begin with a letter"),
        ("package", "class", "a word of the Python language"),
        ("package", "pandas", "would hide"),
        ("package", "Churn", "lower-case"),
        ("description", "two\nlines", "one line"),
        ("owner", "  ", "somebody must own it"),
        ("target", "churned", "mlscaffold new --data"),
        ("task", "regression", "holds labels"),
        ("protected", ["colour"], "no column colour"),
        ("protected", ["species"], "is the target"),
        ("time", "sex", "has another role"),
        ("id", "species", "has another role"),
        ("storage_url", "s3://bucket", "storage is a local folder"),
        ("registry", "Not A Registry", "is no registry"),
    ],
)
def test_a_wrong_answer_is_refused_with_the_fix(render: Render, answer: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render(**{answer: value})


def test_a_password_never_enters_the_answers(render: Render) -> None:
    with pytest.raises(ValueError, match="no password in the address"):
        render(storage="ssh", storage_url="ssh://me:secret@host.example/srv")
