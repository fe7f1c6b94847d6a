"""Prediction ids: opaque to callers, but any replica reads from one what was predicted, when and by whom.

So /feedback needs no store: the outcome is joined to the prediction wherever it arrives.
"""

import base64
import binascii
import heapq
import random
import struct
import time
import zlib
from dataclasses import dataclass

HEAD = struct.Struct(">Q4sB5s")  # milliseconds since 1970, start of the model's version, variant, random
CHECK = struct.Struct(">H")
VALUE = struct.Struct(">d")
MOST_CLASSES = 20  # a longer id would hold more; of more classes it holds the best ones, and the others share the rest
BEST = 10
FULL = 65535


@dataclass(frozen=True)
class Told:
    """What an id says.

    Attributes
    ----------
    seconds : float
        Since 1970, when it was predicted.
    model : str
        The first 8 characters of the model's version.
    scores : list of float
        Probabilities of all classes, or the one value of a regression. Of more than MOST_CLASSES those that are not
        among the best BEST are told as equal.
    """

    seconds: float
    model: str
    variant: int
    scores: list[float]


class Ids:
    """Writes and reads the ids of one model's predictions.

    Parameters
    ----------
    version : str
        Of the model, hexadecimal.
    classes : int
        How many there are; 0 for a regression.
    """

    def __init__(self, version: str, classes: int) -> None:
        self._model = bytes.fromhex(version[:8].ljust(8, "0"))
        self.classes = classes
        few = classes <= MOST_CLASSES
        self._packed = struct.Struct(f">{classes - 1 if few else 2 * BEST}H") if classes else VALUE

    def write(self, variant: int, scores: list[float]) -> str:
        """Return the id of a prediction that is made now."""
        chance = random.getrandbits(40).to_bytes(5)
        head = HEAD.pack(time.time_ns() // 1_000_000, self._model, variant, chance)
        body = head + self._packed.pack(*self._numbers(scores))
        return base64.urlsafe_b64encode(body + CHECK.pack(zlib.crc32(body) & FULL)).rstrip(b"=").decode()

    def _numbers(self, scores: list[float]) -> list[float]:
        if not self.classes:
            return scores
        if self.classes <= MOST_CLASSES:
            return [round(p * FULL) for p in scores[:-1]]
        best = heapq.nlargest(BEST, range(self.classes), key=scores.__getitem__)
        return [*best, *(round(scores[at] * FULL) for at in best)]

    def read(self, written: str) -> Told:
        """Read an id.

        Raises
        ------
        ValueError
            If it is none that such a service has written.
        """
        try:
            body = base64.b64decode(written.encode("ascii") + b"=" * (-len(written) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise ValueError("is not a prediction_id") from None
        if len(body) != HEAD.size + self._packed.size + CHECK.size:
            raise ValueError("is not a prediction_id of this service")
        if zlib.crc32(body[: -CHECK.size]) & FULL != CHECK.unpack(body[-CHECK.size :])[0]:
            raise ValueError("is a prediction_id with a fault in it")
        milliseconds, model, variant, _ = HEAD.unpack_from(body)
        numbers = list(self._packed.unpack_from(body, HEAD.size))
        return Told(milliseconds / 1000, model.hex(), variant, self._scores(numbers))

    def _scores(self, numbers: list[float]) -> list[float]:
        if not self.classes:
            return numbers
        if self.classes <= MOST_CLASSES:
            found = [number / FULL for number in numbers]
            return [*found, max(0.0, 1 - sum(found))]
        best = {int(at): number / FULL for at, number in zip(numbers[:BEST], numbers[BEST:], strict=True)}
        rest = max(0.0, 1 - sum(best.values())) / (self.classes - BEST)
        return [best.get(at, rest) for at in range(self.classes)]
