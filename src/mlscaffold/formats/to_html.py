"""A report as one page of HTML that needs nothing else: no script, no font, no address."""

from collections.abc import Iterator
from html import escape

from ..check.ml_test_score import lowest
from ..check.run import Outcome, Report, score_of

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #b42318; --dim: #6b7280 }
@media (prefers-color-scheme: dark) { :root { --good: #4ac26b; --bad: #ff7b72; --dim: #9ca3af } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line) }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums } .failed { color: var(--bad) } .passed { color: var(--good) }
.dim { color: var(--dim) } article { border-left: 3px solid var(--bad); padding: 0 1rem; margin: 1.5rem 0 }
h1 b { font-size: 1.6em } h3 { margin: 0 } code { overflow-wrap: anywhere } summary { cursor: pointer } ul { margin: .3rem 0 }
"""


def render(report: Report) -> str:
    """Return the report as HTML."""
    return "\n".join(_page(report)) + "\n"


def _page(report: Report) -> Iterator[str]:
    score = "nothing to look at" if report.score is None else f"<b>{report.score}</b> of 100"
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(report.name)}</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><h1>{escape(report.name)}: {score}</h1>'
    yield from _families(report)
    yield "<h2>What would raise the score, most first</h2>" if report.failing else "<h2>Nothing fails</h2>"
    for outcome in report.failing:
        yield from _failed(outcome)
    yield from _test_score(report)
    yield "<details><summary>All checks</summary><table><tr><th>check<th>severity<th>outcome<th></tr>"
    yield from (_row(outcome) for outcome in report.outcomes)
    yield "</table></details></html>"


def _families(report: Report) -> Iterator[str]:
    yield '<table><tr><th>family<th class="n">score<th class="n">passed<th class="n">failed<th class="n">nothing to look at</tr>'
    for family, found in report.families:
        score = score_of(found)
        counts = [sum(each.status == status for each in found) for status in ("passed", "failed", "nothing to look at")]
        cells = "".join(f'<td class="n">{count}' for count in counts)
        yield f'<tr><td>{escape(family.name)}<td class="n">{"-" if score is None else score}{cells}</tr>'
    yield "</table>"


def _failed(outcome: Outcome) -> Iterator[str]:
    check = outcome.check
    yield f'<article id="{check.id}"><h3>{check.id} {escape(check.title)} <span class="dim">{check.severity}</span></h3><ul>'
    yield from (f"<li><code>{escape(str(finding))}</code>" for finding in outcome.findings)
    link = f'<a href="{escape(check.url)}">{escape(check.source.title)}</a>'
    yield f"</ul><p>{escape(check.fix)}<p class=dim>{escape(check.why)} {link}</article>"


def _test_score(report: Report) -> Iterator[str]:
    if report.ml_test_score:
        yield f"<h2>ML Test Score, as claimed: {lowest(report.ml_test_score):g}</h2><table>"
        for each in report.ml_test_score:
            missing = escape("; ".join(each.missing))
            yield f'<tr><td>{escape(each.name)}<td class="n">{each.points:g} of {each.items}<td class="dim">{missing}</tr>'
        yield "</table>"


def _row(outcome: Outcome) -> str:
    check = outcome.check
    kind = outcome.status if outcome.status in ("passed", "failed") else "dim"
    name = f"{check.id} {escape(check.title)}"
    reason = escape("; ".join([outcome.reason, *map(str, outcome.notes)]).removeprefix("; "))
    return f'<tr><td>{name}<td>{check.severity}<td class="{kind}">{outcome.status}<td class="dim">{reason}</tr>'
