"""BentoML with a handler that does nothing: what every answer of it costs at the least."""

from typing import Any

import bentoml


@bentoml.service(name="empty", workers=1)
class Empty:
    """Answer without a model."""

    @bentoml.api
    def predict(self, record: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Answer nothing."""
        return {}
