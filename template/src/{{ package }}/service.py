"""The HTTP service: takes records, answers with predictions. HTTP only; what a prediction is stands in predict.py."""

from pathlib import Path
from typing import Any

import bentoml
from pydantic import RootModel
from threadpoolctl import threadpool_limits

from .guard import BodyLimit
from .params import load
from .predict import Predictor
from .request import RefusedError, read_body, record_model

HERE = Path(__file__).parent
ROOT = HERE.parent if (HERE.parent / "contract.yaml").exists() else HERE.parents[1]  # in a Bento, in the repository
CONTRACT, PARAMS = load(ROOT)
LIMITS = PARAMS.service
Record = record_model(CONTRACT)


class Request(RootModel[Any]):
    """One record, or many; checked by `request.read_body`, which names record and field of each fault."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:
        """Show the contract on the page of the API."""
        record = Record.model_json_schema()
        many = {"type": "array", "items": record, "minItems": 1, "maxItems": LIMITS.max_records}
        records = {"type": "object", "title": "Records", "properties": {"records": many}, "required": ["records"]}
        return {"oneOf": [record, records]}  # of an `anyOf`, BentoML shows the first alone


@bentoml.service(name=__package__, traffic={"timeout": 30})
class PredictService:
    """Predict from records that keep to contract.yaml."""

    model = bentoml.models.BentoModel(f"{__package__}:latest")

    def __init__(self) -> None:
        """Load the model that is packaged with the service; threads cost more than one record is worth."""
        threadpool_limits(1)
        self.predictor = Predictor.load(CONTRACT, Path(self.model.path), ROOT / "trusted-types.yaml")

    @bentoml.api
    def predict(self, body: Request, /, ctx: bentoml.Context) -> dict[str, Any]:
        """Predict one record, or `{"records": [...]}`.

        One record is answered with `prediction`, `probabilities`, `prediction_id` and `model_version`; records with
        `predictions`, a list in their order, and `model_version`. What breaks the contract is refused with 422, and
        `errors` names record and field.
        """
        try:
            features, one = read_body(body.root, CONTRACT, Record, LIMITS.max_records)
        except RefusedError as refusal:
            ctx.response.status_code = refusal.status
            return {"error": str(refusal), "errors": refusal.errors}
        predictions = self.predictor.predict(features)
        found = [{key: value for key, value in vars(p).items() if value is not None} for p in predictions]
        version = {"model_version": self.predictor.version}
        return found[0] | version if one else {"predictions": found} | version


PredictService.add_asgi_middleware(BodyLimit, most=LIMITS.max_body_bytes)  # type: ignore[attr-defined]
