"""How a standard spreads: a bar for each look at the fleet, divided by version, newest at the bottom."""

from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape

from packaging.version import InvalidVersion, Version

from .record import Record
from .store import Run

_WIDE, _HIGH, _LEFT, _BELOW = 900, 240, 46, 26
_OTHER, _UNREAD = "another standard, or none", "could not be read"
# Steps of one blue from dark to light, so that they are told apart without colours; then two greys.
_SHADES = ("#0b4f8a", "#2f78b7", "#6aa5d8", "#a3c8ea", "#cfe3f5")
_FIXED = {_OTHER: "#8b949e", _UNREAD: "#d94f45"}


def chart(history: list[tuple[Run, Mapping[str, Record]]]) -> Iterator[str]:
    """Yield the HTML of the chart and of its figures as a table.

    Parameters
    ----------
    history : list
        Looks at the fleet, oldest first, each with its records.

    Yields
    ------
    str
        HTML.
    """
    counts = [(run, _counted(records)) for run, records in history]
    groups = _groups({name for _, found in counts for name in found})
    colours = _colours(groups)
    keys = "".join(f'<li><i style="background:{colours[name]}"></i>{escape(name)}</li>' for name in groups)
    yield f'<h2>Adoption</h2><ul class="key">{keys}</ul>'
    yield f'<svg role="img" viewBox="0 0 {_WIDE} {_HIGH}"><title>Repositories by version, one bar for each look</title>'
    yield from _bars(counts, groups, colours)
    yield '</svg><details><summary>The same as a table</summary><div class="scroll"><table><thead><tr><th scope="col">look'
    yield "".join(f'<th scope="col" class="n">{escape(name)}' for name in groups) + "</tr></thead><tbody>"
    for run, found in reversed(counts):
        cells = "".join(f'<td class="n">{found[name]}' for name in groups)
        yield f'<tr><th scope="row">{escape(run.id)}{cells}</tr>'
    yield "</tbody></table></div></details>"


def _counted(records: Mapping[str, Record]) -> Counter[str]:
    return Counter(
        _UNREAD if record.error else record.version if record.behind is not None else _OTHER
        for record in records.values()
    )


def _groups(names: set[str]) -> list[str]:
    versions = sorted(names - _FIXED.keys(), key=_order, reverse=True)
    return [*versions, *(name for name in _FIXED if name in names)]


def _order(name: str) -> tuple[bool, Version | str]:
    try:
        return True, Version(name)
    except InvalidVersion:
        return False, name


def _colours(groups: list[str]) -> dict[str, str]:
    versions = [name for name in groups if name not in _FIXED]
    last = len(_SHADES) - 1
    return {**{name: _SHADES[min(number, last)] for number, name in enumerate(versions)}, **_FIXED}


def _bars(counts: list[tuple[Run, Counter[str]]], groups: list[str], colours: Mapping[str, str]) -> Iterator[str]:
    most = max((sum(found.values()) for _, found in counts), default=0) or 1
    space, high = (_WIDE - _LEFT) / len(counts), _HIGH - _BELOW - 10
    wide = min(space * 0.8, 60)
    yield f'<text x="{_LEFT - 8}" y="18" text-anchor="end">{most}</text><text x="{_LEFT - 8}" y="{_HIGH - _BELOW}" text-anchor="end">0</text>'
    yield f'<line class="axis" x1="{_LEFT}" x2="{_WIDE}" y1="{_HIGH - _BELOW}" y2="{_HIGH - _BELOW}"/>'
    for number, (run, found) in enumerate(counts):
        left, top = _LEFT + space * number + (space - wide) / 2, float(_HIGH - _BELOW)
        for name in groups:
            tall = high * found[name] / most
            top -= tall
            about = f"{run.id}: {found[name]} {name}"
            if found[name]:
                yield (
                    f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{colours[name]}">'
                    f"<title>{escape(about)}</title></rect>"
                )
    for number in {0, len(counts) - 1}:
        anchor = "start" if number == 0 else "end"
        place = _LEFT if number == 0 else _WIDE
        if number == 0 or len(counts) > 2:
            yield f'<text x="{place}" y="{_HIGH - 8}" text-anchor="{anchor}">{escape(counts[number][0].begun[:10])}</text>'
