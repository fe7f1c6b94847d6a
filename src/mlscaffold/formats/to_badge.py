"""A report as a badge: an SVG that needs no service."""

from ..check.run import Report

_COLOURS = ((90, "#2da44e"), (75, "#7d9c1f"), (50, "#bf8700"), (0, "#cf222e"))
_LETTER = 7  # pixels, of Verdana at 11


def render(report: Report) -> str:
    """Return the badge."""
    label, value = "ml standard", "nothing" if report.score is None else f"{report.score}/100"
    left, right = _LETTER * len(label) + 10, _LETTER * len(value) + 10
    colour = next(colour for floor, colour in _COLOURS if (report.score or 0) >= floor)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{label}: {value}">'
        f"<title>{label}: {value}</title>"
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath><g clip-path="url(#r)">'
        f'<rect width="{left}" height="20" fill="#555"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2}" y="14">{label}</text><text x="{left + right / 2}" y="14">{value}</text></g></svg>\n'
    )
