"""The service's extension points: fields, headers and authentication act, and their faults cost one request alone."""

import asyncio
import logging
from typing import Any

import pytest
from mlproduct.errors import DataError
from mlproduct.inference.request import examples
from mlproduct.serving.auth import ForbiddenError, OwnAuthentication, UnauthorizedError
from mlproduct.serving.extend import Declared, Extended
from mlproduct.serving.openapi import openapi
from mlproduct.serving.problems import ProblemError
from typing_extensions import TypedDict

ANSWER = {"prediction": "Yes", "prediction_id": "x", "variant": "control"}


class Advice(TypedDict):
    """What a caller does with the answer."""

    sure: bool


Sent = TypedDict("Sent", {"X-Model": str})


def advise(answer: dict[str, Any], record: dict[str, Any]) -> Advice:
    return {"sure": record["visits"] > 9}


def name_model(body: dict[str, Any]) -> Sent:
    return {"X-Model": body["model_version"]}


@pytest.fixture
def failed() -> list[str]:
    return []


def extend(failed: list[str], **functions: Any) -> tuple[Any, Any]:
    return Extended(**functions, failed=failed.append).extend(ANSWER | {"model_version": "1"}, [{"visits": 10.0}])


def test_fields_stand_in_each_answer_and_headers_are_of_the_whole(failed):
    body = {"predictions": [ANSWER, ANSWER], "model_version": "7"}
    found, headers = Extended(advise, name_model).extend(body, [{"visits": 10.0}, {"visits": 1.0}])
    assert [answer["sure"] for answer in found["predictions"]] == [True, False]
    assert headers == [(b"x-model", b"7")]
    assert "sure" not in ANSWER
    assert extend(failed, respond=advise)[0] == ANSWER | {"model_version": "1", "sure": True}


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        ({"respond": lambda answer, record: 1 / 0}, "ZeroDivisionError"),
        ({"respond": lambda answer, record: 3}, r"respond() returned 3 (int); expected a dict"),
        ({"respond": lambda answer, record: {"prediction": 3}}, "'prediction' is one of the standard"),
        ({"respond": lambda answer, record: {"x": float("nan")}}, "what JSON can hold"),
        ({"respond": lambda answer, record: {"x": object()}}, "what JSON can hold"),
        ({"headers": lambda body: {"content-length": "3"}}, "none that may be set"),
        ({"headers": lambda body: {"X-A": "1\r\nSet-Cookie: a"}}, "texts of ASCII in one line"),
        ({"headers": lambda body: {"X-A": 3}}, "X-A is 3 (int)"),
    ],
)
def test_a_fault_is_a_counted_and_logged_500_without_details(failed, caplog, functions, message):
    with caplog.at_level(logging.ERROR), pytest.raises(ProblemError) as refused:
        extend(failed, **functions)
    assert (refused.value.status, failed) == (500, list(functions))
    assert message in caplog.text
    assert message not in str(refused.value)


@pytest.mark.parametrize(
    ("returned", "message"), [({"sure": "yes"}, "sure: "), ({}, "sure: "), ({"other": 1}, "'other'")]
)
def test_what_a_function_declares_is_checked(returned, message):
    with pytest.raises(DataError, match=message):
        Declared("respond", advise).check(returned)


def test_a_function_cannot_change_the_answer_itself(failed):
    def change(answer, record):
        answer["prediction"] = record["visits"] = None
        return {}

    assert extend(failed, respond=change)[0]["prediction"] == "Yes"


def test_openapi_shows_fields_headers_and_how_to_authenticate(small, frame, tuned):
    def authenticate(headers):
        """Send your key as `X-Api-Key`."""

    example = examples(small, frame.head(1))[0]
    document = openapi(small, tuned, "small", "1", example, False, Extended(advise, name_model), authenticate)
    schemas = document["components"]["schemas"]
    assert schemas["Answer"]["properties"]["sure"]["type"] == "boolean"
    assert "sure" in schemas["Answers"]["properties"]["predictions"]["items"]["required"]
    responses = document["paths"]["/predict"]["post"]["responses"]
    assert responses["200"]["headers"] == {"X-Model": {"schema": {"type": "string"}}}
    assert "403" in responses
    assert "Send your key as `X-Api-Key`." in document["info"]["description"]
    plain = openapi(small, tuned, "small", "1", example, False)
    assert "403" not in plain["paths"]["/predict"]["post"]["responses"]
    assert "sure" not in plain["components"]["schemas"]["Answer"]["properties"]


# Authentication


def admit(authenticate: Any, failed: list[str], seconds: float = 5.0) -> int:
    """Return the status that a request meets."""
    scope = {"headers": [(b"X-Api-Key", b"secret")]}
    try:
        asyncio.run(OwnAuthentication(authenticate, seconds, failed.append).check(scope))
    except ProblemError as problem:
        return problem.status
    return 200


def refuse(error: Exception) -> Any:
    def authenticate(headers: Any) -> str:
        raise error

    return authenticate


def test_a_caller_who_is_known_passes(failed):
    assert admit(lambda headers: "shop" if headers["x-api-key"] == "secret" else None, failed) == 200
    assert admit(lambda headers: "shop" if headers["x-api-key"] == "other" else None, failed) == 401
    assert admit(refuse(UnauthorizedError("no key")), failed) == 401
    assert admit(refuse(ForbiddenError()), failed) == 403
    assert failed == []


@pytest.mark.parametrize("authenticate", [refuse(KeyError("x")), lambda headers: True, lambda headers: ""])
def test_nobody_passes_by_a_fault(failed, authenticate):
    assert admit(authenticate, failed) == 500
    assert failed == ["authenticate"]


def test_an_authentication_that_takes_too_long_is_refused(failed):
    import time

    assert admit(lambda headers: time.sleep(0.3), failed, 0.05) == 504
    assert failed == ["authenticate"]
