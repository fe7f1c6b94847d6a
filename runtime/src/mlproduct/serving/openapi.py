"""The API in OpenAPI 3.1, derived from contract.yaml; /docs shows it, `make client` writes it."""

from collections.abc import Callable
from functools import partial
from inspect import getdoc
from typing import Any

from mlproduct.config import Params
from mlproduct.contract.columns import Contract
from mlproduct.inference.request import record_model
from mlproduct.serving.extend import Extended

REFUSALS = {
    400: "no JSON, no UTF-8, nested too deep", 401: "no bearer token, or a wrong one",
    413: "too many bytes, or too many records", 422: "breaks the contract; `errors` names record and field",
    503: "too many requests at work; `Retry-After` says when to come back", 504: "took too long",
}  # fmt: skip
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title><link rel="stylesheet" href="static_content/swagger-ui.css"></head>
<body><div id="ui"></div><script src="static_content/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "openapi.json", dom_id: "#ui", deepLinking: true})</script></body></html>
"""


def openapi(
    contract: Contract,
    params: Params,
    name: str,
    version: str,
    example: dict[str, Any],
    secured: bool,
    extended: Extended = Extended(),  # noqa: B008 (it cannot change)
    authenticate: Callable[..., Any] | None = None,
) -> dict[str, Any]:
    """Describe every route.

    Parameters
    ----------
    example : dict
        A record that keeps to the contract.
    secured : bool
        Whether a bearer token is asked for.
    extended : Extended
        The team's own response fields and headers.
    authenticate : function, optional
        The team's own authentication; its docstring tells callers what to send.
    """
    record = record_model(contract).model_json_schema() | {"examples": [example]}
    posts = {
        "/predict": ("Predict one record, or many", _either("Record", "Records"), _either("Answer", "Answers"), 200),
        "/explain": ("Say what each feature adds to the answer", _ref("Record"), _ref("Explanation"), 200),
        "/feedback": ("Report what came true", _either("Outcome", "Outcomes"), _ref("Accepted"), 202),
    }
    paths: dict[str, Any] = {path: {"post": _post(*operation)} for path, operation in posts.items()}
    paths["/version"] = {"get": _get("What runs: model, data, code, lock, verdict", {"type": "object"})}
    schemas = _schemas(contract, params)
    if fields := extended.fields:
        schemas |= fields.get("$defs", {})
        schemas["Answer"] = _both(schemas["Answer"], fields)
        many = schemas["Answers"]["properties"]["predictions"]
        many["items"] = _both(many["items"], fields)
    if extended.headers is not None:
        named = {name: {"schema": {"type": "string"}} for name in extended.header_names}
        paths["/predict"]["post"]["responses"]["200"]["headers"] = named
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": name, "version": version, "description": f"Predicts `{contract.target}`."},
        "paths": paths,
        "components": {"schemas": schemas | {"Record": record}},
    }
    if authenticate is not None:
        problem = _json(_ref("Problem"), "application/problem+json")
        for path in posts:
            paths[path]["post"]["responses"]["403"] = {"description": "the caller may not ask"} | problem
        description = getdoc(authenticate.func if isinstance(authenticate, partial) else authenticate)
        document["info"]["description"] += f"\n\nAuthentication: {description or 'by the rules of this service.'}"
    elif secured:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    return document


def _schemas(contract: Contract, params: Params) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    number: dict[str, Any] = {"type": "number"}
    target = {"enum": list(contract.labels)} if contract.labels else number
    flag = _object({"field": text, "message": text})
    answer = {"prediction": target, "prediction_id": text, "variant": {"enum": ["control", "challenger"]}}
    extra = {
        "flags": {"type": "array", "items": flag, "description": "values outside of the contract that were let pass"}
    }
    if contract.labels:
        extra["probabilities"] = {"type": "object", "additionalProperties": number}
    value = number | {"description": "what it was worth to the business; may be negative"}
    fault = _object({"record": {"type": ["integer", "null"]}, "field": text, "message": text})
    many = {"minItems": 1, "maxItems": params.service.max_records}
    return {
        "Records": _closed({"records": {"type": "array", "items": _ref("Record")} | many}),
        "Answer": _object(answer | {"model_version": text}, extra),
        "Answers": _object({"predictions": {"type": "array", "items": _object(answer, extra)}, "model_version": text}),
        "Explanation": _object({
            "prediction": target, "score": number, "base": number, "error": number, "model_version": text,
            "contributions": {"type": "object", "additionalProperties": number},
        }),
        "Outcome": _closed({"prediction_id": text, "outcome": target}, {"value": value}),
        "Outcomes": _closed({"feedback": {"type": "array", "items": _ref("Outcome")} | many}),
        "Accepted": _object({"accepted": {"type": "integer"}}, {"of_another_model": {"type": "integer", "description": (
            "outcomes of a model that runs here no more: in the log, not in the metrics"
        )}}),
        "Problem": _object({"type": text, "title": text, "status": {"type": "integer"}, "detail": text},
                           {"errors": {"type": "array", "items": fault}}),
    }  # fmt: skip


def _both(schema: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Add the team's fields to a schema of an object."""
    found = schema | {"properties": schema["properties"] | fields.get("properties", {})}
    return found | {"required": [*schema["required"], *fields.get("required", [])]}


def _object(properties: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties | (optional or {}), "required": list(properties)}


def _closed(properties: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return _object(properties, optional) | {"additionalProperties": False}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _either(*names: str) -> dict[str, Any]:
    return {"oneOf": [_ref(name) for name in names]}


def _json(schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    return {"content": {kind: {"schema": schema}}}


def _post(summary: str, body: dict[str, Any], answer: dict[str, Any], status: int) -> dict[str, Any]:
    problem = _json(_ref("Problem"), "application/problem+json")
    refusals = {str(code): {"description": description} | problem for code, description in REFUSALS.items()}
    return {
        "summary": summary,
        "requestBody": {"required": True} | _json(body),
        "responses": {str(status): {"description": "answered"} | _json(answer)} | refusals,
    }


def _get(summary: str, answer: dict[str, Any]) -> dict[str, Any]:
    problem = {"description": REFUSALS[401]} | _json(_ref("Problem"), "application/problem+json")
    return {"summary": summary, "responses": {"200": {"description": "told"} | _json(answer), "401": problem}}
