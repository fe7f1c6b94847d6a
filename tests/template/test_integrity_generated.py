"""Nobody changes the judges of a generated repository unseen: each way is a finding of high severity."""

import hashlib
import io
import shutil
import subprocess
import zipfile
from datetime import date
from pathlib import Path

import pytest
import yaml

from conftest import Run
from mlscaffold import bundle as bundles
from mlscaffold.check.run import Outcome, Report, examine
from mlscaffold.checks import CHECKS, library, released
from mlscaffold.checks.judges import STAGES
from mlscaffold.checks.thresholds import LIMITS

from .breakages import append, delete, edit, ejected, rebuilt, write
from .conftest import Render, commit

PIN = "vendor/requirements.txt"
FAR = f"{date.today().year + 1}-01-01"  # an end within two years
ALL = {name for name, check in CHECKS.items() if check.family == "IN"}


@pytest.fixture(scope="module")
def thin(render: Render, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a generated repository that carries its template."""
    project = tmp_path_factory.mktemp("thin") / "churn"
    shutil.copytree(render(), project)
    carry(template, project)
    commit(project)
    return project


def carry(template: Path, project: Path) -> None:
    bundle = project / ".mlscaffold" / "template.bundle"
    bundle.parent.mkdir()
    subprocess.run(["git", "bundle", "create", "--quiet", bundle, "--tags"], cwd=template, check=True)
    answers = project / ".copier-answers.yml"
    lines = [line for line in answers.read_text().splitlines() if not line.startswith("_src_path")]
    answers.write_text("\n".join([*lines, "_src_path: .mlscaffold/template.bundle", ""]))


@pytest.fixture
def project(thin: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(thin, tmp_path / "churn", symlinks=True))


def failed(report: Report) -> set[str]:
    return {outcome.check.id for outcome in report.failing}


def found(project: Path, name: str = "IN") -> list[str]:
    """Return what the checks of a name find, and see that they are of high severity."""
    report = examine(project, select=name)
    assert {outcome.check.severity for outcome in report.outcomes} == {"high"}
    assert report.good != bool(report.failing)
    return [f"{each.check.id} {finding}" for each in report.failing for finding in each.findings]


def notes(project: Path, name: str) -> list[str]:
    return [str(note) for outcome in examine(project, select=name).outcomes for note in outcome.notes]


def outcome(report: Report, name: str) -> Outcome:
    return next(each for each in report.outcomes if each.check.id == name)


def test_a_fresh_repository_has_the_judges_of_the_standard(project: Path) -> None:
    report = examine(project, select="IN")
    assert {each.check.id for each in report.outcomes if each.status == "passed"} == ALL
    assert not any(each.notes for each in report.outcomes)


def test_a_changed_wheel(project: Path) -> None:
    (wheel,) = (project / "vendor").glob("*.whl")
    wheel.write_bytes(wheel.read_bytes().replace(b"PASS", b"pass", 1))
    assert found(project) == [f"IN001 vendor/{wheel.name}: is not the file that {PIN} pins: its SHA-256 differs"]


def test_a_wheel_that_is_not_there(project: Path) -> None:
    (wheel,) = (project / "vendor").glob("*.whl")
    wheel.unlink()
    assert found(project) == [f"IN001 {PIN}:2: vendor/{wheel.name} is not in the repository"]


def test_a_wheel_that_git_ignores_does_not_travel(project: Path) -> None:
    append(".gitignore", "/vendor/*.whl\n")(project)
    subprocess.run(["git", "rm", "-q", "--cached", "-r", "vendor"], cwd=project, check=True)
    assert any("is not in the repository" in each for each in found(project, "IN001"))


@pytest.mark.parametrize("text", ["", "mlproduct\n", "./vendor/mlproduct-0.6.0-py3-none-any.whl\n", "\0\n"])
def test_a_pin_without_a_hash(project: Path, text: str) -> None:
    write(PIN, text)(project)
    assert found(project) == [f"IN001 {PIN}: does not pin the library by one line with its SHA-256"]


def test_a_pin_with_a_second_line(project: Path) -> None:
    append(PIN, f"mlproduct==9.0 --hash=sha256:{'0' * 64}\n")(project)
    assert found(project, "IN001") == [f"IN001 {PIN}: does not pin the library by one line with its SHA-256"]


def test_a_pin_that_is_gone_also_where_the_answers_no_longer_say_so(project: Path) -> None:
    shutil.rmtree(project / "vendor")
    assert f"IN001 {PIN}: is missing" in found(project)
    edit(".copier-answers.yml", "runtime: vendored\n", "")(project)
    assert f"IN001 {PIN}: is missing" in found(project)


def test_a_changed_wheel_with_its_new_hash(project: Path) -> None:
    rebuilt(project)
    (finding,) = found(project)
    assert finding.startswith(f"IN002 {PIN}:2: mlproduct 0.")
    assert "is an unreleased build; the newest release that this mlscaffold knows is 0." in finding


def test_a_released_wheel_under_the_name_of_another_version(project: Path) -> None:
    (wheel,) = (project / "vendor").glob("*.whl")
    version = wheel.name.split("-")[1]
    wheel.rename(wheel.with_name(wheel.name.replace(version, "99.0")))
    edit(PIN, wheel.name, wheel.name.replace(version, "99.0"))(project)
    assert [each.split(":")[0] for each in found(project)] == [f"IN002 {PIN}"]


def test_a_mlscaffold_that_knows_no_release_says_so(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, bundle in enumerate((tmp_path / "none.bundle", tmp_path / "broken.bundle")):
        if number:
            bundle.write_bytes(b"# v2 git bundle\n" + b"1" * 40 + b" refs/tags/v0.2.0\n\nPACKbroken")
        monkeypatch.setattr(released, "BUNDLE", bundle)
        (finding,) = found(project)
        assert finding.endswith("the newest release that this mlscaffold knows is none")


def test_versions_without_a_library_are_no_releases_of_it() -> None:
    assert set(released._wheels(bundles.BUNDLE).values()).isdisjoint({"", "0.5.2"})
    assert released._wheel(bundles.BUNDLE, "0.5.2") is None


def test_a_library_from_an_index(render: Render, template: Path, tmp_path: Path) -> None:
    project = tmp_path / "churn"
    shutil.copytree(render(runtime="index"), project)
    carry(template, project)
    commit(project)
    report = examine(project)
    assert [f"{one.check.id} {each}" for one in report.failing for each in one.findings] == []
    assert report.score == 100
    edit(PIN, "sha256:", "sha256:" + "0" * 8)(project)
    assert found(project) == [f"IN001 {PIN}: does not pin the library by one line with its SHA-256"]


def test_what_cannot_be_read_is_nothing_to_look_at(
    render: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "churn"
    shutil.copytree(render(runtime="index"), project)
    commit(project)
    monkeypatch.setattr(released, "BUNDLE", bundles.BUNDLE)
    if released.wheels():
        pytest.skip("the wheel of this checkout is a released one")
    report = examine(project)
    assert failed(report) == {"IN002"}
    for name in ("SV002", "OB008", "OB009", "OB011", "EV012", "EV013"):
        assert outcome(report, name).status == "nothing to look at"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("src/mlproduct/__init__.py", ""),
        ("mlproduct/evaluation/gates.py", ""),
        ("src/mlproduct.py", "PASS = 'PASS'\n"),
        ("tools/mlproduct.cpython-312-x86_64-linux-gnu.so", "x"),
        ("runtime/src/mlproduct/__init__.py", ""),
        ("src/sitecustomize.py", "import mlproduct\n"),
        ("usercustomize.py", ""),
        ("src/churn.pth", "import patches\n"),
        (".env.ci", "PYTHONPATH=/opt/patches\n"),
        ("ci.sh", "export PYTHONPATH=patches:src\n"),
        ("deploy/extra.yaml", "env:\n  - name: PYTHONPATH\n    value: /opt\n"),
        (".github/workflows/more.yml", "env:\n  PYTHONPATH: patches\n"),
        ("ci.sh", ".venv/bin/pip install --no-deps git+https://example.org/mlproduct\n"),
        ("more.mk", "more:\n\tuv pip install mlproduct==0.6.0\n"),
        ("more.mk", "more:\n\tpip install tools/mlproduct-0.6.0-py3-none-any.whl\n"),
        ("requirements-more.txt", "mlproduct @ file:///opt/mlproduct\n"),
    ],
)  # fmt: skip
def test_what_stands_in_the_place_of_the_library(project: Path, file: str, text: str) -> None:
    (project / file).parent.mkdir(parents=True, exist_ok=True)
    write(file, text)(project)
    if file == ".env.ci":
        (project / file).rename(project / "ci.env")
    (finding,) = found(project)
    assert finding.startswith("IN003 ")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("ci.sh", "# PYTHONPATH=/opt is not needed\nexport PYTHONPATH=src\nunset PYTHONPATH\nenv -u PYTHONPATH true\n"),
        (".github/workflows/more.yml", "env:\n  PYTHONPATH: src\n"),
        ("docs/mlproduct.md", "# The library\n"),
        ("ci.sh", "pip install -r vendor/requirements.txt && mlproduct ce # not: pip install mlproduct\n"),
        ("src/churn/mlproduct_metrics.py", "FALSE_ALARMS = 1\n"),
        ("tests/test_more.py", "def test(monkeypatch):\n    monkeypatch.setattr('mlproduct.team.package', str)\n"),
        ("src/churn/extensions.py", "from mlproduct.config import Params\n\n\ndef own(params: Params) -> None: ...\n"),
    ],
)  # fmt: skip
def test_what_only_looks_so(project: Path, file: str, text: str) -> None:
    write(file, text)(project)
    assert found(project) == []


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("src/churn/model.py", "from mlproduct.evaluation import gates\n\ngates.Bounds.verdict = print\n", 3),
        ("src/churn/model.py", "from mlproduct.evaluation.gates import Bounds\n\nsetattr(Bounds, 'verdict', 1)\n", 3),
        ("src/churn/service.py", "import sys\n\nsys.modules['mlproduct.evaluation.gates'] = sys\n", 3),
        ("ce/conftest.py", "from unittest import mock\n\nmock.patch('mlproduct.team.package').start()\n", 3),
        ("tests/conftest.py", "from mlproduct.evaluation import verdict\n\nverdict.judge = print\n", 3),
        ("src/churn/hooks.py", "import sys\n\nsys.meta_path.insert(0, object())\n", 3),
    ],
)  # fmt: skip
def test_code_that_changes_the_library_while_it_runs(project: Path, file: str, text: str, line: int) -> None:
    before = (project / file).read_text().count("\n") if (project / file).exists() else 0
    (append if before else write)(file, text)(project)
    (finding,) = found(project, "IN004")
    assert finding.startswith(f"IN004 {file}:{before + line}: ")


def test_a_source_of_the_library_in_the_projects_settings(project: Path) -> None:
    append("pyproject.toml", '\n[tool.uv.sources]\nmlproduct = { git = "https://example.org/x" }\n')(project)
    assert [each.split()[0] for each in found(project)] == ["IN003"]


def test_the_stages_are_those_of_the_template(project: Path) -> None:
    stages = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]
    assert tuple(stages) == STAGES
    assert {name: stage["cmd"] for name, stage in stages.items()} == {
        name: f"mlproduct stage {name}" for name in STAGES
    }


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("removed", "is missing"),
        ("replaced", "runs 'true', not"),
        ("frozen", "is frozen"),
        ("elsewhere", "runs in /opt"),
        ("blind", "so a change of its code does not run it"),
    ],
)
def test_a_stage_that_does_not_judge(project: Path, name: str, way: str, message: str) -> None:
    body = yaml.safe_load((project / "dvc.yaml").read_text())
    if way == "removed":
        del body["stages"][name]
    else:
        stage = {"replaced": {"cmd": "true"}, "frozen": {"frozen": True}, "elsewhere": {"wdir": "/opt"}}
        body["stages"][name] |= stage.get(way, {"params": []})
    write("dvc.yaml", yaml.safe_dump(body, sort_keys=False))(project)
    findings = found(project, "IN005")
    assert bool(findings) == ((name, way) != ("imports", "blind"))
    assert all(f"stage {name} " in each for each in findings)
    assert not findings or message in findings[0]


def test_a_gate_that_does_not_see_its_thresholds(project: Path) -> None:
    edit("dvc.yaml", "reports/params.yaml: [bias, slices,", "reports/params.yaml: [slices,")(project)
    (finding,) = found(project)
    assert "stage bias has no params: reports/params.yaml: [bias]" in finding


def test_a_verdict_that_leaves_a_gate_out(project: Path) -> None:
    body = yaml.safe_load((project / "dvc.yaml").read_text())
    body["stages"]["verdict"]["deps"].remove("reports/ce/bias.json")
    write("dvc.yaml", yaml.safe_dump(body, sort_keys=False))(project)
    (finding,) = found(project)
    assert finding.endswith("stage verdict does not depend on reports/ce/bias.json")


CI = ".github/workflows/ci.yml"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("Makefile", '--force "$$FORCE"', '--force "always"'),
        ("Makefile", "\tmlproduct train ", "\t-mlproduct train "),
        ("Makefile", "\tmlproduct ce $(ARGS)", "\tmlproduct ce $(ARGS) || true"),
        (CI, "run: make ce", "run: make ce || true"),
        (CI, "run: make train", "run: make train\n        continue-on-error: true"),
        (CI, "    timeout-minutes: 60", "    timeout-minutes: 60\n    continue-on-error: true"),
        (CI, "run: make package", "run: make package FORCE=urgent"),
    ],
)
def test_a_gate_whose_failure_is_passed_over(project: Path, file: str, old: str, new: str) -> None:
    edit(file, old, new, 1)(project)
    (finding,) = found(project)
    assert finding.startswith(f"IN008 {file}:")


def test_the_limits_are_those_of_the_template(project: Path) -> None:
    params = yaml.safe_load((project / "params.yaml").read_text())
    standard = {f"{section}.{key}": value for section, each in params.items() for key, value in (each or {}).items()}
    assert {name: standard[name] for name in LIMITS} == {name: limit.value for name, limit in LIMITS.items()}


def change(project: Path, name: str, value: float, comment: str = "") -> int:
    """Set a threshold and return its line."""
    section, key = name.split(".")
    lines, inside = (project / "params.yaml").read_text().splitlines(), False
    for number, line in enumerate(lines):
        inside = line.startswith(f"{section}:") if line[:1].strip() else inside
        if inside and line.startswith(f"  {key}:"):
            lines[number] = f"  {key}: {value!r}{comment}"
            write("params.yaml", "\n".join([*lines, ""]))(project)
            return number + 1
    raise AssertionError(name)


@pytest.mark.parametrize("name", LIMITS)
def test_a_loosened_threshold(project: Path, name: str) -> None:
    limit = LIMITS[name]
    loose, tight = (limit.value / 2, limit.value * 2) if limit.least else (limit.value * 2, limit.value / 2)
    change(project, name, tight)
    assert found(project, "IN006") == []
    line = change(project, name, loose)
    (finding,) = found(project, "IN006")
    assert finding.startswith(f"IN006 params.yaml:{line}: {name} is {loose:g}, the standard's is at ")


def test_a_loosened_threshold_with_a_reason_is_shown_and_fails_nothing(project: Path, run: Run) -> None:
    line = change(project, "slices.gap", 0.9, " # more; loosened: two small shops, see decision 7")
    note = f"params.yaml:{line}: slices.gap is 0.9, the standard's is at most 0.6; two small shops, see decision 7"
    assert (found(project, "IN006"), notes(project, "IN006")) == ([], [note])
    assert f"Accepted: IN006 {note}" in run("check", project).out
    for kind in ("json", "markdown", "html", "sarif", "junit"):
        assert "two small shops" in run("check", project, "--format", kind).out, kind
    change(project, "slices.gap", 0.9, " # loosened:")
    assert len(found(project, "IN006")) == 1, "a reason says something"


def test_a_reason_may_stand_above(project: Path) -> None:
    edit("params.yaml", "  gap: 0.6", "  # loosened: small shops\n  gap: 0.9")(project)
    assert (found(project, "IN006"), len(notes(project, "IN006"))) == ([], 1)


def test_a_waiver_is_a_reason_while_it_lasts(project: Path) -> None:
    change(project, "slices.gap", 0.9)
    write("waivers.yaml", "- {gate: slices.gap, reason: few rows, owner: Ada, expires: 2099-01-01}\n")(project)
    assert len(found(project, "IN006")) == 1, "a waiver without an end is none"
    for expires, expected in ((FAR, []), ("2020-01-01", ["IN006"])):
        write("waivers.yaml", f"- {{gate: slices.gap, reason: few rows, owner: Ada, expires: {expires}}}\n")(project)
        assert [each.split()[0] for each in found(project, "IN006")] == expected
    write("waivers.yaml", f"- {{gate: slices.gap, reason: few rows, owner: Ada, expires: {FAR}}}\n")(project)
    assert notes(project, "IN006")[0].endswith(f"waived until {FAR} by Ada: few rows")


@pytest.mark.parametrize(
    ("expires", "message"),
    [
        ("", "has no expires"),
        (", expires: never", "expires 'never', which is not a date"),
        (", expires: 2999-01-01", "more than 2 years are no end"),
        (", expires: 2020-01-01", "has expired on 2020-01-01"),
        (f", expires: {FAR}", ""),
    ],
)
def test_a_waiver_has_an_end(project: Path, expires: str, message: str) -> None:
    write("waivers.yaml", f"- {{gate: slices.gap, reason: few rows, owner: Ada{expires}}}\n")(project)
    findings = found(project, "EV010")
    assert (len(findings), message in "".join(findings)) == (bool(message), True)


@pytest.mark.parametrize(
    "file", ["ce/test_bias.py", "tests/test_model.py", "tests/test_operations.py", "docs/runbooks/ServiceDown.md",
             "conftest.py", "deploy/prometheus/tests/model.yaml"],
)  # fmt: skip
def test_a_deleted_test_or_runbook(project: Path, file: str) -> None:
    delete(file)(project)
    assert found(project) == [f"IN007 {file}: was deleted"]
    append("pyproject.toml", f'\n[tool.mlscaffold.diff]\nyours = {{"/{file}" = "we have another"}}\n')(project)
    assert (found(project), notes(project, "IN007")) == ([], [f"{file}: was deleted; we have another"])


def test_a_changed_gate(project: Path) -> None:
    edit("ce/test_bias.py", "def test_", "def look_")(project)
    assert found(project) == ["IN007 ce/test_bias.py: was changed, and decides about models"]


def test_tests_of_code_and_what_belongs_to_the_team_may_change(project: Path) -> None:
    append("tests/test_model.py", "\n\ndef test_more():\n    assert 1\n")(project)
    append("docs/runbooks/ServiceDown.md", "\nAsk Ada.\n")(project)
    write("ce/test_own.py", "def test_own():\n    assert 1\n")(project)
    assert found(project) == []


def test_an_ejected_repository(project: Path) -> None:
    ejected(project)
    report = examine(project)
    assert [str(each) for one in report.failing for each in one.findings] == []
    assert (report.score, notes(project, "IN")) == (100, [])


def test_an_ejected_library_that_was_changed_is_noted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ejected(project)
    append("runtime/src/mlproduct/evaluation/gates.py", "\nTAIL = 0.4\n")(project)
    delete("runtime/src/mlproduct/errors.py")(project)
    write("runtime/src/mlproduct/more.py", "MORE = 1\n")(project)
    assert found(project) == []
    (note,) = notes(project, "IN")
    assert "ejected: 3 files differ from mlproduct 0." in note
    assert note.endswith("errors.py, mlproduct/evaluation/gates.py, mlproduct/more.py")
    monkeypatch.setattr(released, "BUNDLE", project / "none.bundle")
    (note,) = notes(project, "IN")
    assert note.endswith("is not a release that this mlscaffold knows: nothing to compare")


def test_a_pin_beside_an_ejected_library(project: Path) -> None:
    pin = (project / PIN).read_text()
    ejected(project)
    (project / "vendor").mkdir()
    write(PIN, pin)(project)
    assert found(project) == [f"IN001 {PIN}: pins a wheel beside the ejected library"]


@pytest.fixture
def old(tmp_path: Path, run: Run) -> Path:
    """Give a repository of 0.5.2, with a copy of the platform."""
    folder = tmp_path / "old" / "churn"
    folder.parent.mkdir()
    result = run("new", folder, "--defaults", "--ref", "v0.5.2")
    assert result.code == 0, result.err
    return folder


def test_an_old_repository_is_advised_to_update_and_nothing_else(
    old: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = template.parent / "newest.bundle"
    subprocess.run(["git", "bundle", "create", "--quiet", newest, "--tags"], cwd=template, check=True)
    monkeypatch.setattr(bundles, "BUNDLE", newest)
    report = examine(old)
    assert failed(report) == {"TM002"}
    (advice,) = outcome(report, "TM002").findings
    assert "since v0.6.0 the platform is a library: `mlscaffold update`" in advice.text
    statuses = {each.check.id: each.status for each in report.outcomes if each.check.id in ALL}
    assert {name for name, status in statuses.items() if status == "passed"} == {"IN006", "IN007"}


def test_the_judges_of_an_old_repository_are_looked_at_too(old: Path) -> None:
    change(old, "slices.gap", 0.9)
    delete("ce/test_bias.py")(old)
    assert [each.split()[0] for each in found(old)] == ["IN006", "IN007"]


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04broken", packed({"mlproduct/a.py": b"0" * (library.EXPANDED + 1)}), packed({"../x.py": b"1"})],
    ids=["empty", "broken", "bomb", "path"],
)  # fmt: skip
def test_a_wheel_that_is_none_stops_nothing(project: Path, content: bytes) -> None:
    (wheel,) = (project / "vendor").glob("*.whl")
    before = hashlib.sha256(wheel.read_bytes()).hexdigest()
    wheel.write_bytes(content)
    edit(PIN, before, hashlib.sha256(content).hexdigest())(project)
    assert "IN002" in failed(examine(project))
