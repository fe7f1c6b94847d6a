"""Plain BentoML, as its tutorial has it: load in the constructor, answer in an API method."""

from typing import Any

import bentoml
import frame


@bentoml.service(name="frame", workers=1)
class Frame:
    """Predict on a data frame."""

    def __init__(self) -> None:
        """Load the model."""
        self.model = frame.load()

    @bentoml.api
    def predict(self, record: dict[str, Any]) -> dict[str, Any]:
        """Answer one record."""
        return frame.predict(self.model, record)
