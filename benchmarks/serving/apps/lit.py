"""LitServe as its documentation has it, with one worker and one API server: `python lit.py PORT`."""

import sys
from typing import Any

import frame
import litserve


class Api(litserve.LitAPI):
    """Predict on a data frame."""

    def setup(self, device: str) -> None:  # noqa: ARG002
        """Load the model in the worker."""
        self.model = frame.load()

    def decode_request(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take the record as it is."""
        return request

    def predict(self, record: dict[str, Any]) -> dict[str, Any]:
        """Answer one record."""
        return frame.predict(self.model, record)

    def encode_response(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Give the answer as it is."""
        return answer


if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu", workers_per_device=1)
    port = int(sys.argv[1])
    server.run(host="127.0.0.1", port=port, num_api_servers=1, generate_client_file=False, access_log=False)
