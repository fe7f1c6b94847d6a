"""Who may ask: the bearer tokens of SERVICE_TOKEN."""

import hmac
import os

from starlette.types import Scope

from mlproduct.serving.problems import ProblemError


class Tokens:
    """The bearer tokens of SERVICE_TOKEN, separated by commas: two while one is being rotated; none, and it is open."""

    def __init__(self, listed: str | None = None) -> None:
        listed = os.environ.get("SERVICE_TOKEN", "") if listed is None else listed
        self._known = [token.strip().encode() for token in listed.split(",") if token.strip()]

    def check(self, scope: Scope) -> None:
        """Compare in constant time.

        Raises
        ------
        ProblemError
            If no token, or a wrong one, is sent.
        """
        if not self._known:
            return
        sent = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        kind, _, token = sent.partition(b" ")
        known = [hmac.compare_digest(token.strip(), wanted) for wanted in self._known]  # all of them, whatever fits
        if kind.lower() != b"bearer" or not any(known):
            wanted = {"WWW-Authenticate": "Bearer"}
            raise ProblemError(401, "unauthorized", "a bearer token is needed: `Authorization: Bearer ...`", wanted)
