"""The service. `ProductService` loads the packaged model and answers; what is special to this product goes here.

A method of your own, or another base of the response, is added to the class; docs/how-to/operate.md shows how it runs.
"""

import bentoml
from mlproduct.serving.service import ProductService, mount, options


@bentoml.service(**options(str(__package__)))
class PredictService(ProductService):
    """Predict from records that match contract.yaml."""

    model = bentoml.models.BentoModel(f"{__package__}:latest")


mount(PredictService)
