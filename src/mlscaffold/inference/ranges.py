"""The numbers a column may hold, told from those it holds."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

_STEPS = 20  # the range is rounded to about this part of the span


def allowed(low: float, high: float, *, whole: bool) -> tuple[float, float]:
    """Widen what was seen by half its span on each side, not across zero, and round it outwards to readable numbers.

    Parameters
    ----------
    low, high : float
        Smallest and largest value seen.
    whole : bool
        Whether the column holds integers.

    Returns
    -------
    tuple of two numbers
        What is allowed; proportions stay within 0 and 1.
    """
    if not whole and low >= 0 and 0 < high <= 1:
        return 0.0, 1.0
    bottom, top = Decimal(low), Decimal(high)
    span = top - bottom or abs(top) or Decimal(1)
    step = _step(span, whole=whole)
    bottom, top = _down(bottom - span / 2, step), _up(top + span / 2, step)
    bottom = max(bottom, Decimal(0)) if low >= 0 else bottom
    top = min(top, Decimal(0)) if high <= 0 and low < 0 else top
    return (int(bottom), int(top)) if whole else (_float(bottom, low, down=True), _float(top, high, down=False))


def _step(span: Decimal, *, whole: bool) -> Decimal:
    """Return 1, 2 or 5 times a power of ten, at most a twentieth of the span."""
    part = span / _STEPS
    power = Decimal(10) ** part.adjusted()
    step = next(factor * power for factor in (5, 2, 1) if factor * power <= part)
    return max(step, Decimal(1)) if whole else step


def _down(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def _up(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_CEILING) * step


def _float(value: Decimal, observed: float, *, down: bool) -> float:
    """Turn a bound into a float that is finite and still lies outside of what was seen."""
    found = float(value)
    if found in {float("inf"), float("-inf")}:
        return observed
    return min(found, observed) if down else max(found, observed)
