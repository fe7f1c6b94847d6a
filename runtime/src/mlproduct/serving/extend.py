"""The team's own response fields and headers, checked: `respond` and `headers` of extensions.py.

A function that fails, or returns what it may not, costs its own request alone: that is counted, logged and answered by
a 500. The service goes on.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, get_type_hints

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from typing_extensions import is_typeddict

from mlproduct import team
from mlproduct.errors import DataError
from mlproduct.inference.request import Record
from mlproduct.serving.problems import ProblemError
from mlproduct.team import brief, returned_wrong

Fields = dict[str, Any]
Respond = Callable[[Fields, Record], Mapping[str, Any]]
Headers = Callable[[Fields], Mapping[str, str]]
TAKEN = ("prediction", "probabilities", "prediction_id", "variant", "flags", "model_version", "predictions")
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
VALUE = re.compile(r"[\x20-\x7e]*")
OF_THE_SERVER = ("content-type", "content-length", "transfer-encoding", "connection", "date", "server")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Declared:
    """What a function says that it returns: a TypedDict names its keys, any other mapping leaves them open.

    Parameters
    ----------
    point : str
        The function's name, for errors.
    """

    point: str
    function: Callable[..., Any]

    @cached_property
    def adapter(self) -> TypeAdapter[Any] | None:
        """Checks what is returned; None where the keys are open.

        Raises
        ------
        DataError
            If the declared type cannot be read.
        """
        function = self.function.func if isinstance(self.function, partial) else self.function
        try:
            kind = get_type_hints(function).get("return")
            return TypeAdapter(kind) if kind is not None and is_typeddict(kind) else None
        except (NameError, PydanticUserError) as error:
            raise DataError(
                f"extensions.py: what {self.point}() returns cannot be read: {str(error).splitlines()[0]}; "
                "declare it as `from typing_extensions import TypedDict`"
            ) from None

    @property
    def schema(self) -> Fields:
        """JSON Schema of what is declared, with its parts under `$defs`."""
        if self.adapter is None:
            return {}
        return self.adapter.json_schema(ref_template="#/components/schemas/{model}")

    @property
    def names(self) -> list[str]:
        """The declared keys."""
        return list(self.schema.get("properties", {}))

    def check(self, found: Any) -> Fields:
        """Return what a function returned as a dict.

        Raises
        ------
        DataError
            If it is not what is declared.
        """
        if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
            raise returned_wrong(self.point, found, "a dict with texts as its keys")
        if self.adapter is not None:
            if more := [key for key in found if key not in self.names]:
                raise returned_wrong(self.point, found, f"the declared keys {', '.join(self.names)}; not {more[0]!r}")
            try:
                self.adapter.validate_python(dict(found), strict=True)
            except ValidationError as error:
                fault = error.errors(include_url=False)[0]
                place = ".".join(map(str, fault["loc"]))
                raise returned_wrong(self.point, found, f"what it declares: {place}: {fault['msg']}") from None
        return dict(found)


@dataclass(frozen=True)
class Extended:
    """What a team adds to the answers of /predict.

    Attributes
    ----------
    respond, headers : function or None
        As extensions.py defines them.
    failed : function
        Counts a failure, by the name of the function.
    """

    respond: Respond | None = None
    headers: Headers | None = None
    failed: Callable[[str], None] = field(default=lambda _: None)

    @classmethod
    def load(cls, package: str, own: Mapping[str, Any], failed: Callable[[str], None] = lambda _: None) -> "Extended":
        """Load the functions of a package; types that cannot be read are an error at once.

        Raises
        ------
        DataError
            If extensions.py cannot be read.
        """
        found = cls(team.extension("respond", own, package), team.extension("headers", own, package), failed)
        if wrong := [name for name in found.fields.get("properties", {}) if name in TAKEN]:
            raise DataError(f"extensions.py: respond() declares {wrong[0]!r}, a field of the standard: rename it")
        return found

    def __bool__(self) -> bool:
        """Return whether anything is added."""
        return self.respond is not None or self.headers is not None

    @property
    def fields(self) -> Fields:
        """JSON Schema of the fields that are added to an answer."""
        if self.respond is None:
            return {}
        return Declared("respond", self.respond).schema or {"additionalProperties": True}

    @property
    def header_names(self) -> list[str]:
        """The headers that are declared."""
        return [] if self.headers is None else Declared("headers", self.headers).names

    @cached_property
    def _declared(self) -> dict[str, Declared]:
        named = {"respond": self.respond, "headers": self.headers}
        return {name: Declared(name, function) for name, function in named.items() if function is not None}

    def extend(self, body: Fields, records: list[Record]) -> tuple[Fields, list[tuple[bytes, bytes]]]:
        """Add fields to each answer of a body, and return it with the headers.

        Raises
        ------
        ProblemError
            If a function fails: status 500; the log says why.
        """
        answers = body.get("predictions", [body])
        if self.respond is not None:
            added = [self._run("respond", self._fields, a, r) for a, r in zip(answers, records, strict=True)]
            answers = [answer | more for answer, more in zip(answers, added, strict=True)]
            body = body | {"predictions": answers} if "predictions" in body else answers[0]
        return body, self._run("headers", self._headers, body) if self.headers is not None else []

    def _run(self, point: str, work: Callable[..., Any], *values: Any) -> Any:
        try:
            return work(*deepcopy(values))
        except Exception:
            logger.exception("extensions.py: %s() failed", point)
            self.failed(point)
            raise ProblemError(500, "error", "an extension of the service failed; its log says why") from None

    def _fields(self, answer: Fields, record: Record) -> Fields:
        found = self._declared["respond"].check(self.respond(answer, record))  # type: ignore[misc]
        if wrong := [name for name in found if name in TAKEN]:
            raise returned_wrong("respond", found, f"fields of its own: {wrong[0]!r} is one of the standard")
        try:
            json.dumps(found, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise returned_wrong("respond", found, f"what JSON can hold ({error})") from None
        return found

    def _headers(self, body: Fields) -> list[tuple[bytes, bytes]]:
        found = self._declared["headers"].check(self.headers(body))  # type: ignore[misc]
        for name, value in found.items():
            if not TOKEN.fullmatch(name) or name.lower() in OF_THE_SERVER:
                raise returned_wrong("headers", found, f"names of headers; {brief(name)} is none that may be set")
            if not isinstance(value, str) or not VALUE.fullmatch(value):
                raise returned_wrong("headers", found, f"texts of ASCII in one line; {name} is {brief(value)}")
        return [(name.lower().encode(), value.encode()) for name, value in found.items()]
