"""The fleet as one page of HTML that needs nothing else: where each repository stands, and how the standard spreads."""

from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

from ..checks import CHECKS, FAMILIES
from .adoption import chart
from .record import Record, worst_first
from .store import Run, Store

_BESIDE = Path(__file__).parent
_STATES = {
    "": "all",
    "unread": "could not be read",
    "severe": "a check of high severity fails",
    "behind": "behind the standard",
    "current": "at the newest version",
    "other": "follows another standard, or none",
    "differs": "files of the standard differ",
    "rejected": "last verdict: not blessed",
    "open": "a gate is off or a waiver has run out",
}
_COMMON = 15  # checks that fail most often


def render(store: Store) -> str:
    """Return the page.

    Parameters
    ----------
    store : Store
        What was found; the last run is shown, and the adoption over all of them.

    Returns
    -------
    str
        HTML.
    """
    runs = store.runs()
    if not runs:
        return _page("Fleet", "<h1>Fleet</h1><p>No survey yet: <code>mlscaffold fleet status</code>.</p>")
    last, records = runs[-1], store.records(runs[-1])
    parts = [*_summary(last, records), *chart([(run, store.records(run)) for run in runs[-60:]])]
    parts += [*_standards(records), *_table(records, store.updates(last.newest))]
    return _page(f"Fleet of {len(records)} repositories", "\n".join(parts))


def _page(title: str, body: str) -> str:
    style, script = (_BESIDE.joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    script = f"<script>{script}</script>" if 'id="repositories"' in body else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>\n{style}</style></head><body>\n'
        f"<main>\n{body}\n</main>\n{script}</body></html>\n"
    )


def _summary(last: Run, records: Mapping[str, Record]) -> Iterator[str]:
    read = [record for record in records.values() if not record.error]
    scores = sorted(record.score for record in read if record.score is not None)
    yield f"<h1>Fleet of {len(records)} repositories</h1>"
    yield f'<p class="dim">As of {escape(last.begun)}; the newest standard is {escape(last.newest or "unknown")}.</p>'
    figures = {
        "at the newest version": _share(sum(record.behind == 0 for record in read), len(records)),
        "behind it": str(sum(bool(record.behind) for record in read)),
        "median score of 100": str(scores[len(scores) // 2]) if scores else "-",
        "with a failing check of high severity": str(sum(not record.good for record in read)),
        "files of the standard that differ": str(sum(record.different or 0 for record in read)),
        "gates off": str(sum(len(record.gates_off) for record in read)),
        "waivers that have run out": str(sum(len(record.expired) for record in read)),
        "could not be read": str(len(records) - len(read)),
    }
    items = "".join(f"<li><b>{value}</b>{escape(name)}</li>" for name, value in figures.items())
    yield f'<ul class="figures">{items}</ul>'


def _share(count: int, whole: int) -> str:
    return f"{count} ({100 * count // whole} %)" if whole else "0"


def _standards(records: Mapping[str, Record]) -> Iterator[str]:
    read = [record for record in records.values() if not record.error]
    yield '<h2>Where each standard stands</h2><div class="scroll"><table><caption>Families of checks, worst first</caption>'
    yield '<thead><tr><th scope="col">family<th scope="col" class="n">mean score<th scope="col" class="n">below 100</tr></thead><tbody>'
    found = []
    for family in FAMILIES:
        scores = [score for record in read if (score := record.families.get(family.letters)) is not None]
        if scores:
            found.append((sum(scores) / len(scores), family, sum(score < 100 for score in scores)))
    for mean, family, below in sorted(found, key=lambda each: each[0]):
        name = f'{escape(family.name)} <span class="dim">{family.letters}</span>'
        yield f'<tr><th scope="row">{name}<td class="n">{mean:.0f}<td class="n">{below} of {len(read)}</tr>'
    yield "</tbody></table></div>"
    yield from _failing(Counter(name for record in read for name in record.failing), len(read))


def _failing(counts: Counter[str], whole: int) -> Iterator[str]:
    common = [(name, count) for name, count in counts.most_common() if name in CHECKS][:_COMMON]
    if not common:
        return
    yield '<h2>What fails most often</h2><div class="scroll"><table><thead><tr><th scope="col">check<th scope="col" class="n">repositories'
    yield '<th scope="col">fix</tr></thead><tbody>'
    for name, count in common:
        check = CHECKS[name]
        about = f'{name} {escape(check.title)} <span class="dim">{check.severity}</span>'
        yield f'<tr><th scope="row">{about}<td class="n">{count} of {whole}<td class="why">{escape(check.fix)}</tr>'
    yield "</tbody></table></div>"


def _table(records: Mapping[str, Record], updates: Mapping[str, str]) -> Iterator[str]:
    options = "".join(f'<option value="{value}">{escape(label)}</option>' for value, label in _STATES.items())
    yield '<h2>Repositories, worst first</h2><div class="controls" hidden>'
    yield '<label>Filter by words <input id="words" type="search" autocomplete="off"></label>'
    yield f'<label>Show <select id="state">{options}</select></label><output id="count" aria-live="polite"></output></div>'
    heads = "".join(f'<th scope="col"{kind}><button type="button">{escape(name)}</button>' for name, kind in _heads())
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="Repositories"><table id="repositories"><thead><tr>{heads}</tr></thead><tbody>'
    yield from (_row(name, record, updates.get(name, "")) for name, record in worst_first(records))
    yield "</tbody></table></div>"
    yield '<p class="dim">Differ: files that the standard copies unchanged and that are changed or gone here. At risk: files that both the '
    yield "team and the standard have changed; at most as many of the copied files conflict in the next update.</p>"


def _heads() -> Iterator[tuple[str, str]]:
    numbers = ' class="n"'
    yield from (("repository", ""), ("version", ""), ("behind", numbers), ("score", numbers), ("differ", numbers))
    yield from (("at risk", numbers), ("conflicts", numbers), ("verdict", ""), ("gates off", numbers))
    yield from (("waivers out", numbers), ("update", ""))
    yield from ((family.letters, f' class="n" title="{escape(family.name)}"') for family in FAMILIES)


def _row(name: str, record: Record, update: str) -> str:
    kinds = " ".join(kind for kind, holds in _kinds(record).items() if holds)
    if record.error:
        spanned = f'<td class="bad why" data-v="" colspan="{10 + len(FAMILIES)}">{escape(record.error)}'
        return f'<tr data-is="{kinds}"><th scope="row">{escape(name)}{spanned}</tr>'
    bad = "" if record.good else " bad"
    cells = [
        f"<td>{escape(record.version) or '-'}",
        _number(record.behind, " bad" if record.behind else ""),
        _number(record.score, bad),
        _number(record.different),
        _number(record.at_risk),
        _number(None if record.conflicts is None else len(record.conflicts), title=", ".join(record.conflicts or [])),
        f'<td title="{escape(record.judged)}">{escape(record.verdict) or "-"}',
        _number(len(record.gates_off), " bad" if record.gates_off else "", "; ".join(record.gates_off)),
        _number(len(record.expired), " bad" if record.expired else "", "; ".join(record.expired)),
        f"<td>{escape(update) or '-'}",
        *(_number(record.families.get(family.letters)) for family in FAMILIES),
    ]
    return f'<tr data-is="{kinds}"><th scope="row">{escape(name)}{"".join(cells)}</tr>'


def _kinds(record: Record) -> dict[str, bool]:
    return {
        "unread": bool(record.error),
        "severe": not record.error and not record.good,
        "behind": bool(record.behind),
        "current": record.behind == 0,
        "other": not record.error and record.behind is None,
        "differs": bool(record.different),
        "rejected": record.verdict not in ("", "blessed", "shipped"),
        "open": bool(record.gates_off or record.expired),
    }


def _number(value: int | None, kind: str = "", title: str = "") -> str:
    title_attribute = f' title="{escape(title)}"' if title else ""
    shown = "-" if value is None else str(value)
    return f'<td class="n{kind}" data-v="{"" if value is None else value}"{title_attribute}>{shown}'
