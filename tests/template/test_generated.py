"""Generated repositories as their owners use them: shipped, trained again, changed, served, attacked."""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from template.conftest import ROOT, commit

Make = Callable[..., subprocess.CompletedProcess[str]]
DATA = ROOT.parent / "shared" / "data"

pytestmark = [pytest.mark.slow]


def penguins(_: Path) -> list[str]:
    """Three classes, missing values, a protected column; split by year."""
    return []


def flights(folder: Path) -> list[str]:
    """Two classes; a category that may be missing and one of many values, an entity, a date to split by."""
    rng = random.Random(1)
    rows = ["flight,date,carrier,dest,distance,late"]
    for i in range(1500):
        carrier, day = rng.choice(["AA", "B6", "UA"]), i // 5
        date = f"2013-{1 + day // 28:02}-{1 + day % 28:02}"
        late = int(rng.random() < (0.7 if carrier == "B6" else 0.1))
        carrier = carrier if i % 20 else ""
        rows.append(f"F{i},{date},{carrier},D{rng.randrange(150)},{rng.randrange(100, 3000)},{late}")
    (folder / "flights.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return ["--data", str(folder / "flights.csv"), "--target", "late", "--time", "date", "--id", "flight"]


def rents(folder: Path) -> list[str]:
    """A regression on an awkward table: semicolons, Latin-1, decimal commas, Ja/Nein, free text, an empty column."""
    rng = random.Random(2)
    rows = ["Nr;Größe (m²);Balkon?;Stadt;Bezug;Beschreibung;leer;Miete"]
    for i in range(400):
        size, balcony = rng.uniform(20, 150), rng.random() < 0.5
        text = rng.choice(["schön und ruhig gelegen", "laut, aber nah am Bahnhof", "renoviert; mit Blick"])
        rent = 10 * size + 80 * balcony + rng.gauss(0, 20)
        cells = [str(i + 1), f"{size:.1f}", "Ja" if balcony else "Nein", rng.choice(["Köln", "Münster"])]
        cells += [f"{rng.randrange(1, 29):02}.{rng.randrange(1, 13):02}.2021", f'"{text}, {i % 97}"', "", f"{rent:.2f}"]
        rows.append(";".join(c.replace(".", ",") if n in (1, 7) else c for n, c in enumerate(cells)))
    (folder / "mieten.csv").write_text("\n".join(rows) + "\n", encoding="latin-1")
    return ["--data", str(folder / "mieten.csv"), "--target", "Miete"]


@pytest.fixture(scope="module", params=[penguins, flights, rents], ids=lambda table: table.__name__)
def shipped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, template: Path, make: Make
) -> tuple[Path, str]:
    """Make a repository from a table and ship it, without a network."""
    folder = tmp_path_factory.mktemp(request.param.__name__)
    project = folder / request.param.__name__
    words = [sys.executable, "-m", "mlscaffold", "new", str(project), "--template", str(template), "--defaults"]
    words += request.param(folder)
    created = subprocess.run(words, capture_output=True, text=True, check=False)
    assert created.returncode == 0, created.stderr
    nowhere = "http://127.0.0.1:9"
    done = make(project, "ship", HTTP_PROXY=nowhere, HTTPS_PROXY=nowhere, http_proxy=nowhere, https_proxy=nowhere,
                NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")  # fmt: skip
    return project, done.stdout


def git(project: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=project, capture_output=True, text=True, check=True).stdout


def test_it_ships(shipped: tuple[Path, str]) -> None:
    project, output = shipped
    assert f"== {project.name} ships" in output
    assert "checked     test rows over HTTP match the model" in output
    assert all(len(line) <= 80 for line in output[output.index("ships") : output.index("\ntook")].splitlines())
    tag = re.search(rf"bento +({project.name}:\w+)", output)
    assert tag
    assert (project / ".bentoml" / "bentos" / tag[1].replace(":", "/") / "bento.yaml").exists()


def test_it_is_served_without_a_data_frame(shipped: tuple[Path, str]) -> None:
    about = json.loads((shipped[0] / "models" / "serving" / "serving.json").read_text(encoding="utf-8"))
    assert (about["path"], about["why"]) == ("onnx", "")


def test_the_pointer_of_the_data_is_the_one_that_dvc_writes(shipped: tuple[Path, str]) -> None:
    project, _ = shipped
    changed = git(project, "status", "--porcelain").splitlines()
    generated = ("docs/model-card.md", "dvc.lock", "experiments/", "imports.yaml", "reports/")
    assert [line for line in changed if not line[3:].startswith(generated)] == []


def test_shipping_again_does_nothing_twice(shipped: tuple[Path, str], make: Make) -> None:
    project, _ = shipped
    again = make(project, "ship").stdout
    for step in ("data", "test", "package"):
        assert f"== {step}: nothing has changed" in again
    assert "Running stage" not in again
    assert "== serve" not in again
    (raw,) = (path for path in (project / "data").glob("raw.*") if path.suffix != ".dvc")
    raw.touch()
    assert "== data\n" in make(project, "ship").stdout


def test_a_second_training_has_nothing_to_do(shipped: tuple[Path, str], make: Make) -> None:
    project, _ = shipped
    again = make(project, "train")
    assert "Data and pipelines are up to date" in again.stdout
    assert "Running stage" not in again.stdout


def test_the_same_data_parameters_and_lock_give_the_same_model(
    shipped: tuple[Path, str], environment: Path, make: Make
) -> None:
    project, _ = shipped
    before = (project / "models" / "model.skops").read_bytes()
    env = {**os.environ, "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": "src"}
    subprocess.run(["dvc", "repro", "-q", "--force", "train"], cwd=project, env=env, check=True)
    assert (project / "models" / "model.skops").read_bytes() == before


def test_the_artifact_holds_no_pickle_and_says_what_it_is_made_of(shipped: tuple[Path, str]) -> None:
    project, _ = shipped
    store = project / ".bentoml"
    files = [path for path in store.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in {".pkl", ".pickle", ".joblib"}]
    (model,) = [path for path in files if path.name == "model.skops"]
    assert {Path(name).suffix for name in zipfile.ZipFile(model).namelist()} <= {".npy", ".json"}
    (bento,) = [path for path in files if path.name == "bento.yaml"]
    labels = yaml.safe_load(bento.read_text(encoding="utf-8"))["labels"]
    meta = json.loads((project / "models" / "meta.json").read_text(encoding="utf-8"))
    assert labels["commit"].startswith(git(project, "rev-parse", "HEAD").strip())
    assert (labels["data"], labels["model"]) == (meta["data"], meta["version"])
    pointer = yaml.safe_load((project / "data" / "raw.csv.dvc").read_text(encoding="utf-8"))
    assert labels["data"] == pointer["outs"][0]["md5"]
    source = bento.parent / "src"
    for name in ("contract.yaml", "metrics.json", "requirements-service.lock"):
        assert (source / name).exists()
    lock = (bento.parent / "env" / "python" / "requirements.txt").read_text(encoding="utf-8")
    assert lock.count("--hash=sha256:") > 500
    assert "dvc==" not in lock


def _shown(value: float) -> str:
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"


def test_metrics_and_model_card_hold_the_same_numbers(shipped: tuple[Path, str]) -> None:
    project, _ = shipped
    card = (project / "docs" / "model-card.md").read_text(encoding="utf-8")
    metrics = json.loads((project / "reports" / "metrics.json").read_text(encoding="utf-8"))
    assert len(metrics) >= 3
    for name, found in metrics.items():
        value, low, high = (_shown(found[key]) for key in ("value", "low", "high"))
        assert f"| {name} | {value} | {low} to {high} |" in card
    assert "better than the dummy baseline" in card
    pictures = re.findall(r"\]\(\.\./(reports/\w+\.png)\)", card)
    assert pictures
    assert all((project / name).read_bytes().startswith(b"\x89PNG") for name in pictures)


def test_lint_is_clean(shipped: tuple[Path, str], make: Make, tmp_path_factory: pytest.TempPathFactory) -> None:
    project, _ = shipped
    git(project, "add", "-A")
    # What mypy has read of the libraries holds for all three tables.
    make(project, "lint", MYPY_CACHE_DIR=str(tmp_path_factory.getbasetemp() / "mypy"))


@pytest.fixture(scope="module")
def url(shipped: tuple[Path, str], environment: Path) -> Iterator[str]:
    """Serve the Bento as its owner does, and see that it ends cleanly."""
    project, _ = shipped
    port = free_port()
    env = {**os.environ, "PYTHONPATH": "src"}
    (environment / ".ready").touch()
    (environment / ".library").touch()
    words = ["make", "serve", f"PORT={port}", f"VENV={environment}"]
    with (project / ".bentoml" / "test.log").open("w") as log:
        service = subprocess.Popen(words, cwd=project, env=env, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{address}/readyz") == 200, 90)
    yield address
    children = descendants(service.pid)
    assert len(children) >= 1
    service.send_signal(signal.SIGTERM)
    service.wait(timeout=30)
    wait_until(lambda: not [pid for pid in children if alive(pid)], 20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], bool], seconds: float) -> None:
    late = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < late, "it took too long"
        time.sleep(0.1)


def answers(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


def descendants(parent: int) -> list[int]:
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.split()
    pairs = list(zip(map(int, table[::2]), map(int, table[1::2]), strict=True))
    found = [pid for pid, above in pairs if above == parent]
    return found + [below for pid in found for below in descendants(pid)]


def alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def post(address: str, body: bytes) -> tuple[int, Any]:
    """Send a body as `curl -d` does, which says that it is a form."""
    sent = urllib.request.Request(f"{address}/predict", body, {"Content-Type": "application/x-www-form-urlencoded"})
    try:
        with urllib.request.urlopen(sent, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        text = refused.read().decode()
        return refused.code, json.loads(text) if text.startswith("{") else text


def test_one_record_and_many_are_answered(shipped: tuple[Path, str], url: str) -> None:
    record = json.loads((shipped[0] / ".bentoml" / "example.json").read_text(encoding="utf-8"))
    status, single = post(url, json.dumps(record).encode())
    assert status == 200
    assert set(single) >= {"prediction", "prediction_id", "model_version"}
    status, many = post(url, json.dumps({"records": [record, record]}).encode())
    assert status == 200
    assert [p["prediction"] for p in many["predictions"]] == [single["prediction"]] * 2
    assert many["predictions"][0]["prediction_id"] != many["predictions"][1]["prediction_id"]


def test_no_body_brings_it_down(shipped: tuple[Path, str], url: str) -> None:
    project, _ = shipped
    record = json.loads((project / ".bentoml" / "example.json").read_text(encoding="utf-8"))
    columns = yaml.safe_load((project / "contract.yaml").read_text(encoding="utf-8"))["columns"]
    for name in record:
        odd = [{}, [1], "\x00", True, float("nan"), float("inf"), 10**400, -1e308, "🐧", ""]
        for value in odd:
            status, answer = post(url, json.dumps(record | {name: value}).encode())
            assert status in (200, 422), (name, value, answer)
            assert status == 200 or answer["errors"][0]["field"] == name
            closed = columns[name]["type"] in ("number", "integer") or "categories" in columns[name]
            if closed and not isinstance(value, bool):
                assert status == 422, (name, value, answer)
        status, answer = post(url, json.dumps({k: v for k, v in record.items() if k != name}).encode())
        assert (status, answer["errors"][0]["field"]) == (422, name)
    bodies = {
        b"": 400, b"{": 400, b"null": 422, b"[]": 422, b"\xff\xfe": 400, b'{"records": []}': 422, b"{}": 422,
        b"[" * 100_000: 400, b'{"a":' * 50_000 + b"1" + b"}" * 50_000: 400, b" " * 10_000_000: 413,
        b'{"a": 1' + b"0" * 5000 + b"}": 400, json.dumps({"records": [record] * 1001}).encode(): 413,
        json.dumps(record | {"no such column": 1}).encode(): 422,
        json.dumps({"records": [record, 5, None]}).encode(): 422,
    }  # fmt: skip
    for body, expected in bodies.items():
        status, answer = post(url, body)
        assert status == expected, (body[:60], answer)
    assert post(url, json.dumps(record).encode())[0] == 200


def test_the_documentation_shows_the_contract(shipped: tuple[Path, str], url: str) -> None:
    with urllib.request.urlopen(f"{url}/docs.json", timeout=10) as answer:
        record = json.load(answer)["components"]["schemas"]["Record"]["properties"]
    columns = yaml.safe_load((shipped[0] / "contract.yaml").read_text(encoding="utf-8"))["columns"]
    for name, column in columns.items():
        if column["role"] == "feature" and "range" in column:
            assert [record[name]["minimum"], record[name]["maximum"]] == column["range"]
    pages = ("", "docs", "openapi.json", "metrics", "livez", "version", "static_content/swagger-ui-bundle.js")
    assert {answers(f"{url}/{page}") for page in pages} == {200}


def test_the_bento_needs_its_own_lock_alone(shipped: tuple[Path, str], service_environment: Path) -> None:
    """Serve it as its image does: from the files of the Bento, with requirements-service.lock and nothing else."""
    project, _ = shipped
    store = project / ".bentoml"
    home = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    env = {**home, "BENTOML_HOME": str(store), "BENTOML_DO_NOT_TRACK": "True"}
    (bento,) = (store / "bentos" / project.name).glob("*/bento.yaml")
    port = free_port()
    words = [str(service_environment / "bin" / "bentoml"), "serve", str(bento.parent), "--port", str(port)]
    with (store / "alone.log").open("w") as log:
        service = subprocess.Popen(words, cwd=store, env=env, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{address}/readyz") == 200 or service.poll() is not None, 90)
        assert service.poll() is None, (store / "alone.log").read_text()
        assert post(address, (store / "example.json").read_bytes())[0] == 200
    finally:
        service.terminate()
        service.wait(timeout=30)


def test_a_change_of_parameters_gives_another_model(shipped: tuple[Path, str], make: Make, tmp_path: Path) -> None:
    project = tmp_path / shipped[0].name
    shutil.copytree(shipped[0], project, ignore=shutil.ignore_patterns(".bentoml"))
    before = (project / "models" / "meta.json").read_text(encoding="utf-8")
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("kind: gradient_boosting", "kind: linear"), encoding="utf-8")
    done = make(project, "train")
    assert "Stage 'prepare' didn't change, skipping" in done.stdout
    assert (project / "models" / "meta.json").read_text(encoding="utf-8") != before


def test_data_that_breaks_the_contract_is_refused(shipped: tuple[Path, str], make: Make, tmp_path: Path) -> None:
    project = tmp_path / shipped[0].name
    shutil.copytree(shipped[0], project, ignore=shutil.ignore_patterns(".bentoml", "cache"))
    commit(project, "all of it")
    contract = yaml.safe_load((project / "contract.yaml").read_text(encoding="utf-8"))
    name = next(n for n, c in contract["columns"].items() if c["role"] == "feature" and c["type"] == "category")
    category = str(contract["columns"][name]["categories"][0]) if "categories" in contract["columns"][name] else None
    if category is None:
        pytest.skip("every text is allowed in that column")
    raw, encoding = project / "data" / "raw.csv", contract["source"]["encoding"]
    lines = raw.read_text(encoding=encoding).splitlines()
    row = next(i for i, line in enumerate(lines) if category in line)
    lines[row] = lines[row].replace(category, "Atlantis", 1)
    raw.write_text("\n".join(lines) + "\n", encoding=encoding)
    refused = make(project, "data", check=False)
    assert refused.returncode
    output = refused.stdout + refused.stderr
    assert f"column {name!r}: holds an unknown category in 1 row: {row}" in output
    assert "Atlantis" in output.split("to admit it, in contract.yaml:")[1]
    assert "Traceback" not in output


def test_nothing_phones_home(shipped: tuple[Path, str]) -> None:
    project, _ = shipped
    assert "analytics = false" in (project / ".dvc" / "config").read_text(encoding="utf-8")
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "runtime" / "src").rglob("*.py")]
    assert any('BENTOML_DO_NOT_TRACK="True"' in source for source in sources)
