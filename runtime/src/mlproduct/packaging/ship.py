"""The whole path in one go: data, train, test, package; then the packaged service has to answer as the model does."""

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlproduct import team
from mlproduct.artifacts import META, METRICS, MODEL, MODEL_CARD, SERVING, VERDICT
from mlproduct.contract.columns import CONTRACT
from mlproduct.data.track import FOLDER, raw_files
from mlproduct.errors import DataError
from mlproduct.experiments.commits import commit, next_command, uncommitted
from mlproduct.experiments.publish import write_page
from mlproduct.experiments.shipped import mark_shipped
from mlproduct.packaging import done
from mlproduct.packaging import package as package_verb
from mlproduct.packaging.store import STORE

CHECK_HEADERS = "CHECK_HEADERS"  # in the environment: headers as JSON, where the service asks who calls
EXAMPLE, ANSWER = STORE / "example.json", STORE / "answer.json"
PACKAGED = (META, METRICS, MODEL, MODEL_CARD, VERDICT, Path("champion.yaml"))
ROWS = 20  # of the test set that the service is asked for
PATIENCE = 120  # seconds until a service that does not answer has failed


def step(name: str, *words: str) -> float:
    """Run a verb and return its seconds.

    Raises
    ------
    DataError
        If it fails; its own output has said why.
    """
    print(f"\n== {name}", flush=True)
    begun = time.perf_counter()
    if subprocess.run([sys.executable, "-m", "mlproduct", name, *words], check=False).returncode:
        raise DataError(f"`make {name}` failed; its output above says why")
    return time.perf_counter() - begun


@contextmanager
def tested() -> Iterator[Callable[[], float]]:
    """Run the tests of the code beside the next steps; yields a function that waits, shows what they said, and counts.

    They are left out where nothing that they may read has changed since they passed.

    Raises
    ------
    DataError
        From that function, if the verb fails.
    """
    begun, code = time.perf_counter(), done.of_code()
    if done.is_done("test", code):
        print("\n== test: nothing has changed since they passed", flush=True)
        yield lambda: 0.0
        return
    words = [sys.executable, "-m", "pytest", "-m", "not slow"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def wait() -> float:
        output = process.communicate()[0]
        print(f"\n== test (meanwhile)\n{output}", end="", flush=True)
        if process.returncode:
            raise DataError("`make test` failed; its output above says why")
        done.mark_done("test", code)
        return time.perf_counter() - begun

    try:
        yield wait
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(port: int) -> Iterator[Callable[[], str]]:
    """Serve the newest Bento for a while; returns a function that waits until it is ready, and gives its URL.

    Raises
    ------
    DataError
        From that function, if it is not ready in time; with the end of its log.
    """
    url, log = f"http://127.0.0.1:{port}", STORE / "serve.log"
    command = [sys.executable, "-m", "mlproduct", "serve", "--port", str(port)]
    with log.open("w+", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        late = time.monotonic() + PATIENCE

        def ready() -> str:
            while not _ready(url):
                if process.poll() is not None or time.monotonic() > late:
                    tail = "\n".join(log.read_text(encoding="utf-8").splitlines()[-20:])
                    raise DataError(f"the service did not become ready; the end of {log}:\n{tail}")
                time.sleep(0.1)
            return url

        try:
            yield ready
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def ask(url: str, body: Any) -> Any:
    """Send a JSON body to /predict and give the answer.

    Raises
    ------
    DataError
        If it is refused; with what the service says.
    """
    headers = {"Content-Type": "application/json"} | json.loads(os.environ.get(CHECK_HEADERS, "{}"))
    request = urllib.request.Request(f"{url}/predict", json.dumps(body).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        hint = f'; {CHECK_HEADERS}=\'{{"name": "value"}}\' is sent with it' if refused.code in (401, 403) else ""
        raise DataError(f"the service answers {refused.code}: {refused.read().decode()[:2000]}{hint}") from None


def differences(answers: list[dict[str, Any]], expected: list[Any], tolerance: float) -> list[str]:
    """Say where the service and the model in process disagree."""
    return [
        f"test row {i}: the service says {answer['prediction']!r}, the model {prediction.prediction!r}"
        for i, (answer, prediction) in enumerate(zip(answers, expected, strict=True))
        if not _same(answer["prediction"], prediction.prediction, tolerance)
        or any(not _same(answer["probabilities"][x], p, tolerance) for x, p in (prediction.probabilities or {}).items())
    ]


def _same(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
    return bool(one == other)


def check() -> tuple[dict[str, Any], dict[str, Any]]:
    """Serve the Bento, ask it for rows of the test set, and compare with the model in process.

    Returns
    -------
    record, answer : dict
        The first row as it was sent alone, and what came back.
    """
    with served(free_port()) as ready:  # it starts while this process loads the model too
        import pandas as pd

        from mlproduct.config import load
        from mlproduct.data.prepare import TEST
        from mlproduct.inference.predict import Predictor
        from mlproduct.inference.request import examples, values

        contract, params = load()
        rows = pd.read_parquet(TEST).head(min(ROWS, params.service.max_records))
        records = examples(contract, rows)
        expected = Predictor.load(contract, path="frame").predict(values(contract, rows))
        url = ready()
        answers = ask(url, {"records": records})["predictions"]
        answer: dict[str, Any] = ask(url, records[0])
    wrong = differences([*answers, answer], [*expected, expected[0]], params.service.tolerance)
    if wrong:
        raise DataError("the packaged service does not answer as the model does:\n" + "\n".join(wrong))
    return records[0], answer


def data() -> float:
    """Put the data under DVC and check it, unless that was done for these files; returns the seconds."""
    if done.is_done("data", _state_of_data()):
        print("\n== data: nothing has changed", flush=True)
        return 0.0
    seconds = step("data")
    done.mark_done("data", _state_of_data())
    return seconds


def _state_of_data() -> str:
    """Hash the contract and DVC's pointers with size and time of the raw files, which may be large."""
    raw = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in raw_files()]
    return done.digest([CONTRACT, *FOLDER.glob("*.dvc")], *raw)


def newest() -> str:
    """Return the tag of the newest Bento; empty if there is none."""
    path = STORE / "bentos" / team.package() / "latest"
    return f"{team.package()}:{path.read_text(encoding='utf-8').strip()}" if path.exists() else ""


def package(forced: str) -> float:
    """Build the Bento, unless the newest one was built from all that is here; returns the seconds."""
    code = done.of_code()
    state = done.digest([*PACKAGED, *sorted(SERVING.rglob("*"))], code, package_verb.commit(), forced)
    if code and (tag := newest()) and done.is_done("package", f"{state} {tag}"):
        print(f"\n== package: nothing has changed since {tag}", flush=True)
        return 0.0
    seconds = step("package", *(["--force", forced] if forced else []))
    done.mark_done("package", f"{state} {newest()}")
    return seconds


def proven() -> dict[str, Any]:
    """Return an answer of the newest Bento over HTTP, compared with the model; that Bento is asked once."""
    tag = newest()
    if ANSWER.exists() and EXAMPLE.exists() and done.is_done("serve", tag):
        found: dict[str, Any] = json.loads(ANSWER.read_text(encoding="utf-8"))
        return found
    print("\n== serve, and ask for real rows", flush=True)
    record, answer = check()
    for path, content in ((EXAMPLE, record), (ANSWER, answer)):
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    done.mark_done("serve", tag)
    return answer


def summary(answer: dict[str, Any], seconds: dict[str, float]) -> str:
    """Say what came out: a prediction, how to ask for more, and what took how long."""
    p = (answer.get("probabilities") or {}).get(str(answer["prediction"]))
    sure = "" if p is None else f" (probability {p:.2f})"
    lines = [
        f"\n== {team.package()} ships",
        f"prediction  {answer['prediction']}{sure}, from model {answer['model_version']}",
        "checked     test rows over HTTP match the model",
        f"bento       {newest()}",
        f"verdict     {json.loads(VERDICT.read_text(encoding='utf-8'))['verdict']}: reports/ce.html says why",
        "try it      make serve PORT=3000   (http://127.0.0.1:3000), then",
        f"            curl http://127.0.0.1:3000/predict -d @{EXAMPLE.relative_to(Path.cwd())}",
        "took        " + " ".join(f"{step} {spent:.0f}s" for step, spent in seconds.items()),
    ]
    if line := next_command("the model that was shipped"):
        lines += ["note        the Bento holds uncommitted changes; /version says so", line]
    return "\n".join(lines)


def main(setup: float = 0.0, forced: str = "", message: str = "") -> None:
    """Run the steps, then check the packaged service.

    Parameters
    ----------
    setup : float
        Seconds that `make setup` took, for the summary.
    forced : str
        Why a model that was not accepted is packaged all the same.
    message : str
        Of the commit that is made after training and before packaging; without one, nothing is committed.
    """
    begun = time.perf_counter()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of two processes at once spend their time on waiting
    seconds = {"setup": setup}
    with tested() as ended:  # the tests of the code need no model, and there is a second core
        seconds["data"] = data()
        seconds["train"] = step("train")
        seconds["test"] = ended()
    if message and uncommitted():
        print(f"\n== commit {commit(message)}", flush=True)
    seconds["package"] = package(forced)
    serving = time.perf_counter()
    answer = proven()
    mark_shipped(json.loads(META.read_text(encoding="utf-8"))["version"])
    write_page()
    now = time.perf_counter()
    seconds |= {"serve": now - serving, "all": seconds["setup"] + now - begun}
    print(summary(answer, seconds))
    sys.stdout.flush()
