"""Who may ask: the bearer tokens of SERVICE_TOKEN, or whom `authenticate` of extensions.py knows."""

import asyncio
import hmac
import logging
import os
from collections.abc import Callable, Mapping

from starlette.types import Scope

from mlproduct.serving.limits import Deadline
from mlproduct.serving.problems import ProblemError
from mlproduct.team import returned_wrong

Authenticate = Callable[[Mapping[str, str]], str | None]
UNKNOWN, CHALLENGE = "the caller is not known", {"WWW-Authenticate": "Own"}  # a 401 has a challenge (RFC 9110, 11.6.1)
logger = logging.getLogger(__name__)


class Tokens:
    """The bearer tokens of SERVICE_TOKEN, separated by commas: two during a rotation; with none the service is open."""

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
        matches = [hmac.compare_digest(token.strip(), valid) for valid in self._known]  # all of them, whatever fits
        if kind.lower() != b"bearer" or not any(matches):
            headers = {"WWW-Authenticate": "Bearer"}
            raise ProblemError(401, "unauthorized", "a bearer token is needed: `Authorization: Bearer ...`", headers)


class UnauthorizedError(Exception):
    """Raised by `authenticate` of extensions.py: the caller is not known (401); the text is the answer's detail."""


class ForbiddenError(Exception):
    """Raised by `authenticate` of extensions.py: the caller is known, and may not ask (403)."""


class OwnAuthentication:
    """The team's own authentication, in place of bearer tokens: nobody passes when it fails.

    Parameters
    ----------
    authenticate : function
        `authenticate` of extensions.py: from the headers of a request to the caller's name, or None.
    seconds : float
        After which a request gets 504.
    failed : function
        Counts a failure.
    """

    def __init__(self, authenticate: Authenticate, seconds: float, failed: Callable[[str], None]) -> None:
        self._authenticate, self._seconds, self._failed = authenticate, seconds, failed

    async def check(self, scope: Scope) -> None:
        """Ask the team's function, in a thread: it may ask others in turn.

        Raises
        ------
        ProblemError
            401 or 403 if the caller is refused; 500 or 504 if the function fails.
        """
        try:
            with Deadline(self._seconds):
                caller = _named(await asyncio.to_thread(self._authenticate, headers_of(scope)))
        except UnauthorizedError as error:
            raise ProblemError(401, "unauthorized", str(error) or UNKNOWN, CHALLENGE) from None
        except ForbiddenError as error:
            raise ProblemError(403, "forbidden", str(error) or "the caller may not ask this service") from None
        except TimeoutError:
            self._failed("authenticate")
            raise ProblemError(504, "timeout", "the caller could not be authenticated in time") from None
        except Exception:
            logger.exception("extensions.py: authenticate() failed")
            self._failed("authenticate")
            raise ProblemError(500, "error", "authentication failed; the service's log says why") from None
        if caller is None:
            raise ProblemError(401, "unauthorized", UNKNOWN, CHALLENGE)


def _named(caller: object) -> str | None:
    """Return what `authenticate` returned, if it is the name of a caller or None."""
    if caller is None or (isinstance(caller, str) and caller):
        return caller
    raise returned_wrong("authenticate", caller, "the caller's name, or None")


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers of a request by their names in small letters; those sent twice are joined by commas.

    Examples
    --------
    >>> headers_of({"headers": [(b"X-Key", b"1"), (b"accept", b"a"), (b"Accept", b"b")]})
    {'x-key': '1', 'accept': 'a, b'}
    """
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found
