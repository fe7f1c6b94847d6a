"""Refusals: a status, a reason to count, and a problem document for the caller."""

import json
from http import HTTPStatus
from typing import Any

Headers = dict[str, str]


class ProblemError(Exception):
    """A request that is refused; the answer is a document `application/problem+json` (RFC 9457).

    Attributes
    ----------
    status : int
        Of the HTTP answer.
    reason : str
        For the metric `ml_requests_refused_total`.
    detail : str
        For the caller; never a stack trace.
    headers : dict
        Of the answer: `Retry-After` and the like.
    errors : list of dict
        `record`, `field` and `message` of each fault.
    """

    def __init__(
        self, status: int, reason: str, detail: str, headers: Headers | None = None, errors: list[Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.reason, self.detail = status, reason, detail
        self.headers, self.errors = headers or {}, errors or []

    def body(self) -> bytes:
        """Write the problem document."""
        title = HTTPStatus(self.status).phrase
        document = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        return json.dumps(document | ({"errors": self.errors} if self.errors else {})).encode()
