"""The API over ASGI, with a model of the table: answers, guards, counters, log. `make ship` asks it over HTTP."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlproduct.export import bins
from mlproduct.inference import predict, request
from mlproduct.serving import (
    answers,
    api,
    attributions,
    batch,
    limits,
    metrics,
    openapi,
    prediction_ids,
    prediction_log,
    variants,
)
from mlproduct.training import train

VERSION = "0123456789ab"


class Asked:
    """An app with a model behind it, and a way to ask it."""

    def __init__(self, app: Any, folder: Path) -> None:
        self.app, self.folder = app, folder

    def __call__(self, path: str, body: Any = None, *, method: str = "", chunks: list[bytes] | None = None,
                 headers: dict[str, str] | None = None) -> tuple[int, Any, dict[str, str]]:  # fmt: skip
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        waiting = list(chunks) if chunks is not None else [content]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if not waiting:
                await asyncio.sleep(60)
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or chunks is not None}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        named = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
        method = method or ("GET" if body is None and chunks is None else "POST")
        asyncio.run(self.app({"type": "http", "path": path, "method": method, "headers": named}, receive, send))
        received = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        found = sent[1]["body"]
        return sent[0]["status"], json.loads(found) if "json" in received["content-type"] and found else found, received

    def lines(self, kind: str) -> list[Any]:
        return [
            json.loads(line) for file in self.folder.glob(f"{kind}-*") for line in file.read_text("utf-8").splitlines()
        ]


@pytest.fixture(scope="module")
def fitted(small, parsed: pd.DataFrame, tuned):
    return train.train(parsed, small, tuned.replace(model=tuned.model.replace(max_iter=5)))


@pytest.fixture
def make(small, frame: pd.DataFrame, fitted, tuned, tmp_path: Path):
    """Give a function that makes an API from parameters, and perhaps with a challenger."""

    def made(challenger: bool = False, outside: str = "reject", **service: Any) -> Asked:
        contract = replace(small, outside=outside)
        params = tuned.replace(service=tuned.service.replace(**service))
        if challenger:
            params = params.replace(rollout=params.rollout.replace(mode="split", entity="row", share=0.5))
        score = fitted.predict_proba(frame[contract.features])[:, 1]
        about = {"guess": 0.5, "loss": 0.1, "path": "onnx"}
        predictor = predict.Predictor(
            lambda records: fitted.predict_proba(predict.frame_of(records, small)),
            contract,
            ["No", "Yes"],
            VERSION,
            about,
        )
        models = {"control": predictor} | (
            {"challenger": replace(predictor, version="ba9876543210")} if challenger else {}
        )
        reference = bins.reference(frame, score, contract, params.drift)
        counters = metrics.ServiceMetrics(contract, params, reference, predictor.labels)
        for name in models:
            counters.variant(
                name, contract, dict.fromkeys(("model", "data", "commit", "verdict", "path"), "x"), 1.0, 0.1
            )
        folder = tmp_path / "log"
        kinds = [prediction_log.Lines(folder, kind, 2**20, 3, lambda: None) for kind in ("predictions", "outcomes")]
        examples = request.values(contract, frame.head(50))
        responder = answers.Answers(models, params, counters, answers.Journal(*kinds, lambda: "now"), examples)
        document = openapi.openapi(
            contract, params, "small", "1", request.examples(contract, frame.head(1))[0], secured=False
        )
        return Asked(
            api.Api(
                responder, counters, params, {"/version": api.page({}), "/openapi.json": api.page(document)}, quick=True
            ),
            folder,
        )

    return made


@pytest.fixture
def sent(small, frame: pd.DataFrame) -> list[dict[str, Any]]:
    return request.examples(small, frame.head(5))


def counted(name: str, **labels: str) -> float:
    return metrics.prometheus.REGISTRY.get_sample_value(name, labels) or 0.0


def test_one_and_many_records_are_answered(make, sent):
    ask = make()
    status, answer, _ = ask("/predict", sent[0])
    assert status == 200
    assert set(answer) == {"prediction", "probabilities", "prediction_id", "variant", "model_version"}
    status, many, _ = ask("/predict", {"records": sent})
    assert many["predictions"][0]["prediction"] == answer["prediction"]
    assert len({a["prediction_id"] for a in many["predictions"]}) == 5


def test_a_value_outside_is_flagged_in_the_answer_and_the_log_where_the_contract_lets_it_pass(make, sent):
    ask = make(outside="flag")
    strange = sent[0] | {"visits": 1000, "plan": "gold"}
    status, many, _ = ask("/predict", {"records": [strange, sent[1]]})
    assert status == 200
    assert [flag["field"] for flag in many["predictions"][0]["flags"]] == ["visits", "plan"]
    assert "flags" not in many["predictions"][1]
    assert ["flags" in line for line in ask.lines("predictions")] == [True, False]
    assert make()("/predict", strange)[0] == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 10_000, 400),
        (b'{"visits": NaN}', 422),
        (b"7" * 5000, 400),
        (b'{"a": "\\ud800"}', 400),
    ],
)
def test_what_is_no_record_is_refused_as_a_problem(make, body: bytes, status: int):
    found, problem, headers = make()("/predict", body)
    assert (found, problem["status"], headers["content-type"]) == (status, status, "application/problem+json")
    assert "Traceback" not in json.dumps(problem)


def test_a_body_over_the_limit_is_refused_also_where_no_length_is_declared(make):
    ask = make(max_body_bytes=100)
    assert ask("/predict", b"x" * 200)[0] == 413
    assert ask("/predict", chunks=[b"x" * 60, b"x" * 60, b"x" * 4000])[0] == 413
    assert ask("/predict", b"x", headers={"content-length": "99999999999"})[0] == 413


def test_a_slow_body_is_given_up(make):
    status, problem, headers = make(timeout_seconds=0.1)("/predict", chunks=[b"{"])
    assert (status, headers["connection"]) == (504, "close")
    assert "0.1 seconds" in problem["detail"]


def test_a_cancellation_by_somebody_else_is_no_timeout():
    async def run(seconds: float, cancelled: bool) -> str:
        async def work() -> None:
            with limits.Deadline(seconds):
                await asyncio.sleep(5)

        task = asyncio.create_task(work())
        await asyncio.sleep(0.05)
        if cancelled:
            task.cancel()
        (found,) = await asyncio.gather(task, return_exceptions=True)
        return type(found).__name__

    assert asyncio.run(run(0.01, cancelled=False)) == "TimeoutError"
    assert asyncio.run(run(5, cancelled=True)) == "CancelledError"


def test_the_clock_of_the_log_tells_the_time():
    clock = prediction_log.Clock()
    for _ in range(3):
        moment = datetime.fromisoformat(clock())
        assert abs((datetime.now(UTC) - moment).total_seconds()) < 5
        assert moment.tzinfo is not None


def test_too_many_requests_at_work_are_sent_away(make, sent):
    ask = make(max_concurrency=1)
    ask.app._metrics.in_flight = 1
    status, _, headers = ask("/predict", sent[0])
    assert (status, headers["retry-after"]) == (503, "1")
    ask.app._metrics.in_flight = 0
    assert ask("/predict", sent[0])[0] == 200


def test_a_token_is_asked_for_where_one_is_set(make, sent, monkeypatch):
    monkeypatch.setenv("SERVICE_TOKEN", "old, new")
    ask = make()
    assert ask("/predict", sent[0])[0] == 401
    for token, status in (("old", 200), ("new", 200), ("other", 401), ("", 401)):
        assert ask("/predict", sent[0], headers={"Authorization": f"Bearer {token}"})[0] == status
    assert ask("/version")[0] == 401
    assert ask("/metrics")[0] == 200


def test_unknown_paths_and_methods_become_no_metric_labels(make):
    ask = make()
    before = counted("ml_requests_total", route="other", method="GET", status="404")
    for i in range(20):
        assert ask(f"/random/{i}")[0] == 404
        assert ask("/version", method=f"BREW{i}")[0] == 405
    ask.app._metrics.flush()
    assert counted("ml_requests_total", route="other", method="GET", status="404") == before + 20
    assert "BREW" not in metrics.exposition().decode()
    assert ask("/predict", method="GET")[2]["allow"] == "POST"


def test_latencies_are_told_with_the_next_scrape(make):
    serviced = make().app._metrics
    name, took = "ml_request_seconds", (0.001, 0.0011, 0.3, 99)
    places = [("count", {}), ("bucket", {"le": "0.001"}), ("bucket", {"le": "0.0025"}), ("bucket", {"le": "10.0"})]
    expected = [len(took), 1, 2, 3, sum(took), 1]

    def told() -> list[float]:
        found = [counted(f"{name}_{part}", route="/explain", **more) for part, more in places]
        return [*found, counted(f"{name}_sum", route="/explain"), counted("ml_requests_slow_total", route="/explain")]

    serviced.flush()
    before = told()
    serviced._slow = 0.5
    for seconds in took:
        serviced.answered("/explain", "POST", 200, seconds)
    assert told() == before
    serviced.flush()
    assert [b - a for a, b in zip(before, told(), strict=True)] == pytest.approx(expected)


def test_a_fault_of_ours_shows_no_trace(make, sent, monkeypatch):
    ask = make()
    monkeypatch.setattr(ask.app._answers, "predict", lambda _: 1 / 0)
    status, problem, _ = ask("/predict", sent[0])
    assert status == 500
    assert "division" not in json.dumps(problem)


def test_every_value_and_prediction_is_counted_in_its_bin(make, small, sent):
    ask = make()
    rows = [record | {"plan": None} for record in sent]
    names = [("ml_feature_bin_total", {"feature": "plan", "bin": "null"}), ("ml_records_total", {"variant": "control"})]
    before = [counted(name, **labels) for name, labels in names]
    ask("/predict", {"records": rows})
    ask("/predict", sent[0] | {"plan": "gold"})
    ask("/predict", sent[0] | {"visits": 1000})
    ask.app._metrics.flush()
    assert [counted(name, **labels) for name, labels in names] == [before[0] + 5, before[1] + 5]
    assert counted("ml_feature_bin_total", feature="plan", bin="unseen") >= 1
    assert counted("ml_feature_bin_total", feature="visits", bin="out_of_range") >= 1
    cities = [counted("ml_feature_bin_total", feature="city", bin=name) for name in ("other", "null")]
    ask("/predict", {"records": [record | {"city": name} for record in sent for name in ("other", "null", "nowhere")]})
    ask.app._metrics.flush()
    now = [counted("ml_feature_bin_total", feature="city", bin=name) for name in ("other", "null")]
    assert [b - a for a, b in zip(cities, now, strict=True)] == [15, 0]
    assert counted("ml_requests_refused_total", reason="contract") >= 2


def test_the_number_of_series_is_bounded_whatever_is_sent(make, sent):
    ask = make()
    ask("/predict", {"records": sent})
    ask.app._metrics.flush()
    before = len(metrics.exposition().splitlines())
    for i in range(50):
        ask("/predict", sent[0] | {"plan": f"plan {i}", "comment": f"text {i}", "visits": i})
        ask("/predict", {f"column {i}": 1})
        ask("/feedback", {"prediction_id": f"{i}", "outcome": f"{i}"})
    ask.app._metrics.flush()
    assert len(metrics.exposition().splitlines()) <= before + 40  # statuses and reasons seen for the first time


def test_the_log_holds_features_and_nothing_that_is_protected(make, small, sent):
    ask = make()
    answer = ask("/predict", sent[0] | {"group": "a", "row": 3, "left": "Yes"})[1]
    (line,) = ask.lines("predictions")
    assert set(line) == {"time", "model", "score", "prediction", "prediction_id", "variant", "features"}
    assert list(line["features"]) == small.features
    assert line["prediction_id"] == answer["prediction_id"]
    allowed = replace(small, allowed=("group",))
    assert "group" in allowed.features
    assert "group" not in prediction_log.allowed(allowed)


def test_the_log_is_rotated_and_a_full_disk_fails_no_request(tmp_path: Path):
    failed: list[int] = []
    lines = prediction_log.Lines(tmp_path / "log", "predictions", 100, 3, lambda: failed.append(1))
    for i in range(50):
        lines.write([{"i": i, "text": "x" * 40}])
    files = sorted((tmp_path / "log").iterdir())
    assert len(files) == 3
    assert all(file.stat().st_size <= 100 for file in files)
    assert json.loads(files[-1].read_text().splitlines()[-1])["i"] == 49
    (tmp_path / "file").write_text("")
    broken = prediction_log.Lines(tmp_path / "file", "predictions", 100, 3, lambda: failed.append(1))
    broken.write([{"i": 1}])
    assert failed == [1]


def test_an_outcome_is_joined_to_its_prediction(make, sent):
    ask = make()
    answer = ask("/predict", sent[0])[1]
    p = answer["probabilities"]
    before = counted("ml_feedback_loss_total", variant="control")
    outcome = {"prediction_id": answer["prediction_id"], "outcome": "Yes", "value": -3.5}
    assert ask("/feedback", outcome)[:2] == (202, {"accepted": 1})
    loss = (p["No"] ** 2 + (p["Yes"] - 1) ** 2) / 0.5
    assert counted("ml_feedback_loss_total", variant="control") - before == pytest.approx(loss, abs=1e-3)
    assert counted("ml_feedback_value_lost_total", variant="control") >= 3.5
    assert ask.lines("outcomes") == [{"time": "now"} | outcome]


def test_an_outcome_of_a_model_that_was_replaced_is_kept_and_told_apart(make, sent):
    ask = make()
    ours = {"prediction_id": ask("/predict", sent[0])[1]["prediction_id"], "outcome": "Yes"}
    theirs = {"prediction_id": prediction_ids.Ids("fedcba987654", 2).write(0, [0.3, 0.7]), "outcome": "Yes"}
    names = ("ml_feedback_total", "ml_feedback_loss_total"), ("ml_feedback_other_model_total",)
    before = [counted(name, variant="control") for name in names[0]] + [counted(name) for name in names[1]]
    assert ask("/feedback", theirs)[:2] == (202, {"accepted": 1, "of_another_model": 1})
    now = [counted(name, variant="control") for name in names[0]] + [counted(name) for name in names[1]]
    assert [b - a for a, b in zip(before, now, strict=True)] == [0, 0, 1]
    assert ask("/feedback", ours)[1] == {"accepted": 1}
    assert [line["prediction_id"] for line in ask.lines("outcomes")] == [one["prediction_id"] for one in (theirs, ours)]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"prediction_id": "x"}, "prediction_id"), ({"outcome": "maybe"}, "outcome"), ({"value": "3"}, "value"),
     ({"value": float("inf")}, "value"), ({"more": 1}, "record"), ({"prediction_id": 7}, "prediction_id")],
)  # fmt: skip
def test_feedback_with_a_fault_is_refused_and_nothing_of_it_kept(make, sent, change: dict[str, Any], field: str):
    ask = make()
    good = {"prediction_id": ask("/predict", sent[0])[1]["prediction_id"], "outcome": "Yes"}
    status, problem, _ = ask("/feedback", {"feedback": [good, good | change]})
    assert (status, problem["errors"][0]["field"], problem["errors"][0]["record"]) == (422, field, 1)
    assert ask.lines("outcomes") == []


@pytest.mark.parametrize("classes", [0, 2, 3, 20, 50])
def test_an_id_says_what_was_predicted(classes: int):
    rng = np.random.default_rng(classes)
    scores = rng.dirichlet(np.ones(classes)).tolist() if classes else [1234.5678]
    writer = prediction_ids.Ids(VERSION, classes)
    written = [writer.write(1, scores) for _ in range(100)]
    assert len(set(written)) == 100
    prediction = writer.read(written[0])
    assert (prediction.model, prediction.variant) == (VERSION[:8], 1)
    if classes > prediction_ids.MOST_CLASSES:
        best = np.argsort(scores)[-prediction_ids.BEST :]
        assert np.array(prediction.scores)[best] == pytest.approx(np.array(scores)[best], abs=1e-4)
        assert sum(prediction.scores) == pytest.approx(1, abs=1e-3)
        assert max(np.delete(prediction.scores, best)) <= min(np.array(prediction.scores)[best])
    else:
        assert prediction.scores == pytest.approx(scores, abs=1e-4)


def test_an_id_with_a_fault_is_no_id():
    written = prediction_ids.Ids(VERSION, 2).write(0, [0.3, 0.7])
    for wrong in ("", "?", "é", written[:-1], written + "A", ("B" if written[0] != "B" else "C") + written[1:]):
        with pytest.raises(ValueError, match="prediction_id"):
            prediction_ids.Ids(VERSION, 2).read(wrong)


def test_contributions_add_up_and_those_of_a_linear_score_are_exact():
    rng = np.random.default_rng(1)
    weights = dict(zip("abc", [2.0, -1.0, 0.0], strict=True))
    background = [dict(zip("abc", row, strict=True)) for row in rng.normal(size=(200, 3))]
    record = {"a": 1.0, "b": 2.0, "c": 3.0}

    def score(records: list[dict[str, float]]) -> Any:
        return np.array([sum(weights[name] * value for name, value in row.items()) for row in records])

    shares, base, error = attributions.attributions(record, background, score, draws=400)
    assert base + sum(shares.values()) == pytest.approx(float(score([record])[0]))
    assert shares["c"] == 0
    assert shares["a"] == pytest.approx(2.0, abs=4 * error)


def test_an_explanation_adds_up_to_the_score(make, sent):
    status, explanation, _ = make()("/explain", sent[0])
    assert status == 200
    assert explanation["base"] + sum(explanation["contributions"].values()) == pytest.approx(explanation["score"])
    assert make()("/explain", {"records": sent})[0] == 422


def test_an_entity_always_meets_the_same_variant(make, sent):
    ask = make(challenger=True)
    found: dict[int, set[str]] = {}
    for i in range(12):
        for _ in range(2):
            found.setdefault(i, set()).add(ask("/predict", sent[0] | {"row": i})[1]["variant"])
    assert all(len(names) == 1 for names in found.values())
    assert {name for names in found.values() for name in names} == {"control", "challenger"}
    many = ask("/predict", {"records": [sent[0] | {"row": i} for i in range(5)]})[1]["predictions"]
    assert [a["variant"] for a in many] == [next(iter(found[i])) for i in range(5)]


def test_a_share_is_kept(tuned):
    rollout = tuned.rollout.replace(mode="split", entity="row", share=0.2)
    met = [variants.variant({"row": i}, rollout) for i in range(5000)]
    assert 0.17 < met.count("challenger") / 5000 < 0.23
    assert variants.variant({"row": 1}, rollout.replace(mode="shadow")) == "control"


def test_a_shadow_that_fails_or_is_late_is_only_counted():
    failed: list[int] = []

    async def run() -> None:
        shadow = variants.Shadow(lambda body, shown: 1 / 0, failed.append)
        task = asyncio.create_task(shadow.run())
        shadow.put(request.Asked([{}, {}], False, []), ["a", "b"])
        await asyncio.sleep(0.2)
        task.cancel()
        for _ in range(variants.WAITING + 1):
            shadow.put(request.Asked([{}], True, []), ["a"])

    asyncio.run(run())
    assert failed == [2, 1]


def test_what_the_shadow_answers_counts_no_value_twice(make, sent):
    app = make(challenger=True).app
    seen, predicted = [], []
    app._metrics.seen = seen.append
    app._metrics.predicted = lambda name, scores: predicted.append(name)
    app._answers.shadow(app._answers.reader.read(sent[0]), ["shown"])
    assert (seen, predicted) == ([], ["challenger"])


def test_every_route_is_in_the_document_with_its_refusals(small, tuned, frame):
    document = openapi.openapi(small, tuned, "x", "1", request.examples(small, frame.head(1))[0], secured=True)
    assert set(document["paths"]) == {"/predict", "/explain", "/feedback", "/version"}
    assert {"200", "400", "413", "422", "503", "504"} <= set(document["paths"]["/predict"]["post"]["responses"])
    record = document["components"]["schemas"]["Record"]["properties"]
    assert record["visits"]["maximum"] == 100
    assert record["plan"]["enum"][:2] == ["basic", "pro"]
    assert document["security"] == [{"token": []}]


def test_requests_that_come_while_the_model_works_are_answered_together(sent):
    batches: list[int] = []

    def answer(questions: list[Any]) -> list[dict[str, Any]]:
        batches.append(len(questions))
        time.sleep(0.05)
        return [{"body": body} for body, _ in questions]

    async def run() -> list[dict[str, Any]]:
        batcher = batch.Batcher(answer, 4)
        return await asyncio.gather(*(batcher.ask((i, request.Asked([{}], True, []))) for i in range(7)))

    assert [found["body"] for found in asyncio.run(run())] == list(range(7))
    assert batches == [4, 3]


def test_a_batch_is_answered_as_its_requests_would_be(make, sent):
    app = make().app
    ask = app._answers
    questions = [(body, ask.reader.read(body)) for body in (sent[0], {"records": sent[1:4]}, sent[4])]
    together = ask.predict(questions)
    alone = [ask.predict([question])[0] for question in questions]
    for one, other in zip(together, alone, strict=True):
        assert _without_ids(one) == _without_ids(other)


def _without_ids(answer: dict[str, Any]) -> Any:
    if "predictions" in answer:
        return [_without_ids(one) for one in answer["predictions"]]
    return {key: value for key, value in answer.items() if key not in ("prediction_id", "model_version")}


def test_a_caller_who_leaves_is_not_answered(make):
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    sent: list[Any] = []
    scope = {"type": "http", "path": "/predict", "method": "POST", "headers": []}
    asyncio.run(make().app(scope, receive, sent.append))
    assert sent == []
    assert limits.DRAIN > 1
