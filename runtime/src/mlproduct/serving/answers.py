"""Bodies -> answers: what each route says. No HTTP here, no file, no clock but that of the ids."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlproduct.config import CHALLENGER, CONTROL, Params
from mlproduct.inference.predict import Predictor
from mlproduct.inference.request import Asked, Reader, Record, RefusedError
from mlproduct.serving.attributions import attributions
from mlproduct.serving.batch import Question
from mlproduct.serving.metrics import ServiceMetrics
from mlproduct.serving.prediction_ids import Ids
from mlproduct.serving.prediction_log import Lines, allowed
from mlproduct.serving.variants import hashed, variant

ORDER = (CONTROL, CHALLENGER)  # an id holds the place


@dataclass(frozen=True)
class Journal:
    """Where predictions and outcomes are written."""

    predictions: Lines
    outcomes: Lines
    now: Callable[[], str]


def _joined(requests: list[Asked]) -> Asked:
    if len(requests) == 1:
        return requests[0]
    records = [record for request in requests for record in request.records]
    return Asked(records, False, [flags for request in requests for flags in request.flags])


class Answers:
    """What the models at hand answer.

    Parameters
    ----------
    predictors : dict of str to Predictor
        By variant; `control` is always there.
    background : list of dict
        Rows of the reference, for /explain.
    """

    def __init__(
        self,
        predictors: dict[str, Predictor],
        params: Params,
        metrics: ServiceMetrics,
        journal: Journal,
        background: list[Record],
    ) -> None:
        self.control = predictors[CONTROL]
        self._predictors, self._params, self._metrics, self._journal = predictors, params, metrics, journal
        self._background = background
        contract = self.control.contract
        self.reader = Reader(contract, params.service.max_records)
        self._logged = allowed(contract)
        self._labels = {str(label): i for i, label in enumerate(self.control.labels)}
        self._original = contract.columns[contract.target].labels
        self._ids = {name: Ids(p.version, len(p.labels)) for name, p in predictors.items()}
        self._guess = float(self.control.about["guess"])

    def predict(self, questions: list[Question]) -> list[dict[str, Any]]:
        """Answer requests in one go, each record by its variant."""
        whole = _joined([request for _, request in questions])
        self._metrics.seen(whole.records)
        found = self._records(questions, whole)
        version, answers, begun = {"model_version": self.control.version}, [], 0
        for _, request in questions:
            own = found[begun : begun + len(request.records)]
            begun += len(own)
            answers.append(own[0] | version if request.one else {"predictions": own} | version)
        return answers

    def _records(self, questions: list[Question], request: Asked) -> list[dict[str, Any]]:
        rollout, everyone = self._params.rollout, range(len(request.records))
        if len(self._predictors) == 1 and not rollout.entity:
            return self.answered(CONTROL, request, everyone)
        sent = [record for body, parsed in questions for record in ([body] if parsed.one else body["records"])]
        chosen = [variant(record, rollout) if len(self._predictors) > 1 else CONTROL for record in sent]
        found: list[dict[str, Any]] = [{}] * len(sent)
        for name in {*chosen}:
            places = [i for i in everyone if chosen[i] == name]
            units = [{"unit": hashed(sent[i], rollout)} for i in places] if rollout.entity else []
            for i, answer in zip(places, self.answered(name, request, places, units), strict=True):
                found[i] = answer
        return found

    def answered(
        self, name: str, request: Asked, places: Sequence[int], more: Sequence[Record] = ()
    ) -> list[dict[str, Any]]:
        """Let one variant score, count and log records; `more` is added to their lines of the log."""
        predictor, records = self._predictors[name], [request.records[i] for i in places]
        rows = predictor.score(records).tolist()
        self._metrics.predicted(name, rows)
        write, place, classes = self._ids[name].write, ORDER.index(name), bool(predictor.labels)
        answers = []
        for i, row, (prediction, probabilities) in zip(places, rows, predictor.to_predictions(rows), strict=True):
            answer: dict[str, Any] = {"prediction": prediction}
            if classes:
                answer["probabilities"] = probabilities
            answer["prediction_id"] = write(place, row)
            answer["variant"] = name
            if request.flags and request.flags[i]:
                answer["flags"] = request.flags[i]
            answers.append(answer)
        self._log(predictor, records, rows, answers, more)
        return answers

    def _log(
        self,
        predictor: Predictor,
        records: list[Record],
        rows: list[list[float]],
        answers: list[dict[str, Any]],
        more: Sequence[Record],
    ) -> None:
        lines, score = [], self._metrics.score_of
        common = {"time": self._journal.now(), "model": predictor.version}
        for i, (record, row, answer) in enumerate(zip(records, rows, answers, strict=True)):
            line = common | answer
            line.pop("probabilities", None)
            line["score"] = score(row)
            line["features"] = {name: record[name] for name in self._logged}
            lines.append(line | more[i] if more else line)
        self._journal.predictions.write(lines)

    def shadow(self, request: Asked, shown: list[str]) -> None:
        """Let the challenger answer, for the log and the counters alone, beside the ids that callers were shown."""
        more = [{"shadow_of": prediction_id} for prediction_id in shown]
        self.answered(CHALLENGER, request, list(range(len(request.records))), more)

    def explain(self, request: Asked) -> dict[str, Any]:
        """Say what each feature adds to the score of the class that is predicted, or to the value.

        Raises
        ------
        RefusedError
            If more than one record is asked for.
        """
        if not request.one:
            raise RefusedError("one record is explained at a time")
        record, predictor = request.records[0], self.control
        scores = predictor.score([record])
        best = int(scores[0].argmax())
        shares, base, error = attributions(
            record, self._background, lambda rows: predictor.score(rows)[:, best], self._params.service.explain_draws
        )
        (found,) = predictor.to_predictions(scores.tolist())
        explanation = {"prediction": found.prediction, "score": float(scores[0, best]), "base": base}
        return explanation | {"contributions": shares, "error": error, "model_version": predictor.version}

    def feedback(self, body: Any) -> dict[str, Any]:
        """Take outcomes: all of them, or none where one has a fault.

        Raises
        ------
        RefusedError
            If an id, an outcome or a value is none.
        """
        outcomes = body["feedback"] if isinstance(body, dict) and set(body) == {"feedback"} else [body]
        if not isinstance(outcomes, list) or not 0 < len(outcomes) <= self._params.service.max_records:
            raise RefusedError(f'"feedback" is a list of 1 to {self._params.service.max_records} outcomes')
        joined = [self._matched(outcome, place) for place, outcome in enumerate(outcomes)]
        now = self._journal.now()
        self._journal.outcomes.write({"time": now} | outcome for outcome in outcomes)
        versions = [p.version[:8] for p in self._predictors.values()]
        ours = [self._metrics.labelled(prediction, loss, value, versions, ORDER) for prediction, loss, value in joined]
        others = ours.count(False)
        return {"accepted": len(joined)} | ({"of_another_model": others} if others else {})

    def _matched(self, outcome: Any, place: int) -> tuple[Any, float, float | None]:
        def refuse(field: str, message: str) -> RefusedError:
            return RefusedError(f"{field} {message}", [{"record": place, "field": field, "message": message}])

        if not isinstance(outcome, dict) or not {"prediction_id", "outcome"} <= set(outcome) <= {
            "prediction_id",
            "outcome",
            "value",
        }:
            raise refuse("record", "holds `prediction_id` and `outcome`, and perhaps `value`")
        value = outcome.get("value")
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15
        ):
            raise refuse("value", "is not a finite number")
        if not isinstance(outcome["prediction_id"], str):
            raise refuse("prediction_id", "is not a text")
        try:
            prediction = self._ids[CONTROL].read(outcome["prediction_id"])
        except ValueError as error:
            raise refuse("prediction_id", str(error)) from None
        loss = self._loss(prediction.scores, outcome["outcome"], refuse)
        return prediction, loss, None if value is None else float(value)

    def _loss(self, scores: list[float], outcome: Any, refuse: Callable[[str, str], RefusedError]) -> float:
        """Return the loss in units of guessing, as `metrics.losses` does."""
        if not self._labels:
            if (
                isinstance(outcome, bool)
                or not isinstance(outcome, int | float)
                or not np.isfinite(float(min(max(outcome, -1e300), 1e300)))
            ):
                raise refuse("outcome", "is not a number")
            return float(abs(outcome - scores[0]) / self._guess)
        if isinstance(outcome, dict | list) or str(outcome) not in self._original:
            raise refuse("outcome", f"is none of {', '.join(self._original)}")
        hit = self._labels.get(str(outcome))  # None: a class that the model has never seen
        return sum((p - (i == hit)) ** 2 for i, p in enumerate(scores)) / self._guess + (hit is None) / self._guess
