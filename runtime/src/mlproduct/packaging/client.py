"""`make client`: the OpenAPI document, and a typed Python client in one file that needs nothing but Python."""

import json
from pathlib import Path
from typing import Any

from mlproduct import team
from mlproduct.config import load
from mlproduct.contract.columns import NUMERIC, Column, Contract
from mlproduct.serving.extend import Extended
from mlproduct.serving.openapi import openapi

FOLDER = Path("clients")
HEAD = '''"""Client of the service `{name}`; made by `make client` from contract.yaml, so change that instead."""

import json
import urllib.error
import urllib.request
from typing import Any, Literal, NotRequired, TypedDict

Record = TypedDict("Record", {record})
Label = {label}


class Flag(TypedDict):
    """A value outside of the contract that was let pass."""

    field: str
    message: str


class Answer(TypedDict):
    """What the service says of one record."""

    prediction: Label
    probabilities: NotRequired[dict[str, float]]
    prediction_id: str
    variant: str
    flags: NotRequired[list[Flag]]


class Explanation(TypedDict):
    """What each feature adds to the score."""

    prediction: Label
    score: float
    base: float
    contributions: dict[str, float]
    error: float
    model_version: str


class ProblemError(Exception):
    """The service refused; `problem` is its document (RFC 9457)."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(f"{{problem.get('status')}}: {{problem.get('detail')}}")
        self.problem = problem


class Client:
    """Asks the service at a URL, with a bearer token if it wants one."""

    def __init__(self, url: str = "http://127.0.0.1:3000", token: str = "", timeout: float = 30.0) -> None:
        self._url, self._timeout = url.rstrip("/"), timeout
        self._headers = {{"Content-Type": "application/json"}}
        if token:
            self._headers["Authorization"] = f"Bearer {{token}}"

    def predict(self, records: list[Record]) -> list[Answer]:
        """Predict records, in their order."""
        answers: list[Answer] = self._ask("/predict", {{"records": records}})["predictions"]
        return answers

    def explain(self, record: Record) -> Explanation:
        """Say why a record is answered as it is."""
        explanation: Explanation = self._ask("/explain", record)
        return explanation

    def feedback(self, prediction_id: str, outcome: Label, value: float | None = None) -> None:
        """Report what came true, and what it was worth."""
        told = {{"prediction_id": prediction_id, "outcome": outcome}}
        self._ask("/feedback", told if value is None else told | {{"value": value}})

    def version(self) -> dict[str, Any]:
        """Say what runs."""
        version: dict[str, Any] = self._ask("/version")
        return version

    def _ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, self._headers)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            raise ProblemError(json.load(refused)) from None
'''


def client(contract: Contract, name: str) -> str:
    """Write the client's source."""
    fields = {column: _type(contract.columns[column]) for column in contract.features}
    record = "{" + ", ".join(f"{column!r}: {kind}" for column, kind in fields.items()) + "}"
    label = f"Literal[{', '.join(map(_literal, contract.labels))}]" if contract.labels else "float"
    return HEAD.format(name=name, record=record, label=label)


def _type(column: Column) -> str:
    if column.type in NUMERIC:
        kind = "int" if column.type == "integer" else "float"
    elif column.type == "boolean":
        kind = "bool"
    elif column.categories:
        kind = f"Literal[{', '.join(map(_literal, column.categories))}]"
    else:
        kind = "str"
    return f"{kind} | None" if column.nullable else kind


def _literal(value: Any) -> str:
    return repr(str(value) if isinstance(value, float) else value)


def main() -> None:
    """Write clients/openapi.json and clients/<package>_client.py."""
    contract, params = load()
    example = json.loads(Path("models/serving/background.json").read_text(encoding="utf-8"))[0]
    FOLDER.mkdir(exist_ok=True)
    extended = Extended.load(team.package(), params.own)
    authenticate = team.extension("authenticate", params.own)
    document = openapi(contract, params, team.package(), "0", example, False, extended, authenticate)
    (FOLDER / "openapi.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (FOLDER / f"{team.package()}_client.py").write_text(client(contract, team.package()), encoding="utf-8")
    print(f"{FOLDER}/openapi.json and {FOLDER}/{team.package()}_client.py")
