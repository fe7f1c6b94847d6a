"""The served Bento under strain: fuzzed, at saturation, with a killed worker, told to stop, with two variants."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from template.serving import Service, load, served, until
from template.test_generated import Make

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def service(project: Path, environment: Path) -> Iterator[Service]:
    with served(project, environment) as found:
        yield found


@pytest.fixture(scope="module")
def record(project: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((project / "models/serving/background.json").read_text(encoding="utf-8"))[0]
    return found


def test_the_version_says_what_runs(service: Service, project: Path) -> None:
    status, version = service.ask("/version")
    meta = json.loads((project / "models/meta.json").read_text(encoding="utf-8"))
    assert status == 200
    assert (version["model"], version["data"], version["path"], version["verdict"]) == (
        meta["version"],
        meta["data"],
        "onnx",
        "blessed",
    )
    assert {"commit", "lock", "contract", "bento", "trained"} <= set(version)


@pytest.mark.parametrize(("each", "least"), [(60, 500), pytest.param(700, 2000, marks=pytest.mark.heavy)])
def test_fuzzed_requests_meet_no_fault_of_the_service(service: Service, tmp_path: Path, each: int, least: int) -> None:
    """Over the whole OpenAPI document; answers have to be as it says, too."""
    checks = (
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
        "unsupported_method,allow_header_conformance"
    )
    words = [str(Path(sys.executable).parent / "st"), "run", f"{service.url}/openapi.json", "--checks", checks,
             "--phases", "examples,coverage,fuzzing", "-n", str(each), "--seed", "1", "--no-color"]  # fmt: skip
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated, done.stdout
    assert int(generated[1]) >= least
    assert done.returncode == 0, done.stdout[-5000:]
    assert service.metric("ml_requests_total") >= least
    series = len(service.ask("/metrics")[1].splitlines())
    assert series < 1000, "labels are not bounded"


def test_a_body_that_does_not_come_is_given_up_and_nobody_waits_for_it(
    service: Service, project: Path, record: dict[str, object]
) -> None:
    found = re.search(r"timeout_seconds: (\d+)", (project / "params.yaml").read_text(encoding="utf-8"))
    assert found
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", service.port), timeout=int(found[1]) + 10) as caller:
        begun = time.monotonic()
        caller.sendall(head)
        assert service.ask("/predict", record)[0] == 200
        assert time.monotonic() - begun < int(found[1]) / 2
        answer = caller.recv(65536)
        assert time.monotonic() - begun > int(found[1]) - 0.001  # uvloop counts whole milliseconds
    assert answer.startswith(b"HTTP/1.1 504"), answer
    assert b"application/problem+json" in answer


def test_outcomes_come_back_and_the_rows_are_ready_to_learn_from(
    service: Service, project: Path, record: dict[str, object], make: Make
) -> None:
    background = json.loads((project / "models/serving/background.json").read_text(encoding="utf-8"))
    status, answer = service.ask("/predict", {"records": background})
    assert status == 200
    outcomes = [
        {"prediction_id": p["prediction_id"], "outcome": p["prediction"], "value": 1.5} for p in answer["predictions"]
    ]
    before = service.metric("ml_feedback_total")
    assert service.ask("/feedback", {"feedback": outcomes}) == (202, {"accepted": len(outcomes)})
    assert service.metric("ml_feedback_total") == before + len(outcomes)
    output = make(project, "labels", PREDICTION_LOG=str(service.log)).stdout
    assert re.search(r"control: \d+ predictions, \d+ outcomes; loss", output), output
    assert (project / "data" / "live.csv").exists()
    compared = make(project, "drift", "DATA=data/live.csv", check=False)
    assert "live.csv against the rows that the model was made from" in compared.stdout, compared.stderr


def test_a_client_is_made_that_talks_to_it(
    service: Service, project: Path, record: dict[str, object], make: Make, environment: Path
) -> None:
    make(project, "client")
    script = (
        "import sys, json; from penguins_client import Client, ProblemError\n"
        "client, record = Client(sys.argv[1]), json.loads(sys.argv[2])\n"
        "answer = client.predict([record])[0]\n"
        "client.feedback(answer['prediction_id'], answer['prediction'], 1.0)\n"
        "told = client.explain(record)\n"
        "assert abs(told['base'] + sum(told['contributions'].values()) - told['score']) < 1e-9\n"
        "try: client.predict([{}])\n"
        "except ProblemError as problem: print(problem.problem['status'], client.version()['service'])\n"
    )
    words = [str(environment / "bin" / "python"), "-c", script, service.url, json.dumps(record)]
    done = subprocess.run(words, cwd=project / "clients", capture_output=True, text=True, check=False)
    assert done.stdout == "422 penguins\n", done.stderr
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "penguins_client.py"]
    checked = subprocess.run(mypy, cwd=project / "clients", capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("seconds", [12, pytest.param(60, marks=pytest.mark.heavy)])
def test_time_at_saturation_takes_no_more_memory(service: Service, record: dict[str, object], seconds: int) -> None:
    with load(service, record) as found:
        time.sleep(seconds / 3)
        early = service.memory()
        time.sleep(2 * seconds / 3)
        late = service.memory()
    assert len(found.answered) > 1000
    assert (found.refused, found.cut) == ([], [])
    assert late < 1.1 * early + 20 * 2**20, f"{early / 2**20:.0f} MB became {late / 2**20:.0f} MB"


def test_a_worker_that_is_killed_is_replaced_and_the_log_has_every_answer(
    service: Service, record: dict[str, object]
) -> None:
    (before,) = service.workers()
    with load(service, record) as found:
        time.sleep(2)
        os.kill(before, signal.SIGKILL)
        until(lambda: service.workers() not in ([], [before]), 30)
        answered = len(found.answered)
        until(lambda: len(found.answered) > answered + 100, 60)
    assert len(found.cut) <= 8  # at most the request in flight of each caller
    logged = {line["prediction_id"] for line in service.lines("predictions")}
    assert set(found.answered) <= logged
    assert service.metric("ml_worker_starts_total") == 2


def test_a_request_in_flight_is_answered_when_the_service_is_told_to_stop(
    project: Path, environment: Path, record: dict[str, object]
) -> None:
    body = json.dumps(record).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with (
        served(project, environment) as found,
        socket.create_connection(("127.0.0.1", found.port), timeout=20) as caller,
    ):
        caller.sendall(head.encode() + body[:10])
        time.sleep(0.5)
        found.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        caller.sendall(body[10:])
        answer = caller.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        assert found.process.wait(timeout=30) == 0
        assert len(found.lines("predictions")) == 1


@pytest.mark.parametrize("mode", ["split", "shadow"])
def test_champion_and_challenger_answer_behind_one_endpoint(
    project: Path, environment: Path, make: Make, mode: str, released: Path
) -> None:
    params = released / "params.yaml"
    text = re.sub(r"mode: \w+", f"mode: {mode}", params.read_text(encoding="utf-8"))
    params.write_text(text.replace("share: 0.1", "share: 0.5"), encoding="utf-8")
    make(released, "package")
    rows = json.loads((released / "models/serving/background.json").read_text(encoding="utf-8"))
    with served(released, environment) as service:
        version = service.ask("/version")[1]
        assert version["variants"]["control"]["model"] != version["variants"]["challenger"]["model"]
        answers = service.ask("/predict", {"records": rows})[1]["predictions"]
        met = {answer["variant"] for answer in answers}
        assert met == ({"control", "challenger"} if mode == "split" else {"control"})
        until(lambda: service.metric("ml_records_total") == len(rows) * (1 + (mode == "shadow")), 30)
        outcomes = [{"prediction_id": a["prediction_id"], "outcome": a["prediction"]} for a in answers]
        assert service.ask("/feedback", {"feedback": outcomes})[0] == 202
        found = make(released, "ab", PREDICTION_LOG=str(service.log), check=False)
        assert "ab.loss" in found.stdout, found.stderr


@pytest.fixture(scope="module")
def released(project: Path, make: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Release the model of the project, and train another in a copy."""
    import shutil

    copy = tmp_path_factory.mktemp("released") / project.name
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns(".bentoml", "log-*"))
    subprocess.run(["git", "tag", "v1.0.0"], cwd=copy, check=True)
    params = copy / "params.yaml"
    params.write_text(params.read_text(encoding="utf-8").replace("max_iter: 100", "max_iter: 90"), encoding="utf-8")
    make(copy, "train")
    return copy


def test_traces_are_sent_where_an_endpoint_is_set(project: Path, environment: Path, record: dict[str, object]) -> None:
    got: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    collector = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{collector.server_port}"
    with served(project, environment, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_SCHEDULE_DELAY="200") as service:
        assert service.ask("/predict", record)[0] == 200
        until(lambda: any(path == "/v1/traces" and b"/predict" in body for path, body in got), 20)
    collector.shutdown()
