"""The report of the evaluation says it first, says it all, and holds whatever a column or a class is named."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from jinja2 import UndefinedError
from mlproduct.contract import validation as contract
from mlproduct.evaluation import gates as gate
from mlproduct.experiments import journal, publish
from mlproduct_tests.repository import ROOT

ce_report = import_module("mlproduct.reports.ce_report")
drawing = import_module("mlproduct.reports.drawing")
journal_page = import_module("mlproduct.reports.journal_page").journal_page
rendering = import_module("mlproduct.reports.rendering")
HOSTILE = """</title></style><script>alert(1)</script><img src=x onerror="alert(2)"> & 'it' {{7 * 7}} | `x`"""
ODD = 'pay=<$50K | `"x"`\n@all'
METRICS = {
    "roc_auc": {"value": 0.81, "low": 0.78, "high": 0.84, "baseline": 0.5},
    "accuracy": {"value": None, "low": None, "high": None, "baseline": None},
}
AXES = {
    "data": False,
    "split": False,
    "contract": True,
    "params": {"model.max_iter": [100, 10]},
    "seed": {},
    "code": [" src/model.py | 2 +-", " 1 file changed, 1 insertion(+), 1 deletion(-)"],
    "environment": {"lock": False, "packages": {}},
}
OTHERS = gate.Family(
    "alternatives",
    [
        gate.Gate("alternatives.simpler", gate.INCONCLUSIVE, "loses +0.03 more than `linear` does", "`make try`"),
        gate.Gate("alternatives.older", gate.PASS, "older by 90 days it loses +0.1 more", "params.yaml"),
    ],
    {"settings": [{"set": "model.max_iter=50", "value": 0.01, "low": -0.01, "high": 0.03}]},
)


@pytest.fixture
def verdict() -> dict:
    waived = {"gate": "bias.parity (sex)", "reason": "known <b>", "owner": "Ada", "expires": "2027-03-31"}
    message = "This model should not ship: 1 of 3 checks failed (slices.gap)."
    return {"model": "abc123", "verdict": "rejected", "said": message, "waived": [waived]}


@pytest.fixture
def families() -> dict:
    """Give what the stages find: one gate fails, one cannot decide, and there is a champion."""
    fails = gate.Gate("slices.gap", gate.FAIL, "loses more", "look at its rows", ODD, 0.9, 0.8, 1.0, 0.6, 300)
    unsure = gate.Gate("bias.odds", gate.INCONCLUSIVE, "0.2 [0.1, 0.3]", "more rows", "group")
    base = gate.Gate("bias.base_rate", gate.PASS, "0.1 apart", slice="group")
    part = {"column": "pay", "group": ODD, "n": 300, "loss": 0.9, "loss_low": 0.8, "loss_high": 1.0, "gated": True}
    tiny = part | {"group": "rare", "n": 3, "loss_low": None, "loss_high": None, "gated": False}
    moved = {"column": ODD, "distance": 0.3, "threshold": 0.1}
    window = {"split": "train", "span": "2024-01-01 to 2024-02-01", "n": 90, "loss": 0.7, "low": 0.6, "high": 0.8}
    flip = {"row": 7, "truth": ODD, "before": "No", "now": "Yes", "worse": 0.4}
    compared = {
        "said": "Worse than the champion.",
        "why": "both are judged on the same 300 rows",
        "champion": {"release": "v1.0.0", "commit": "c"},
        "headline": {"name": "roc_auc", "candidate": 0.81, "champion": 0.87},
        "axes": AXES,
        "flips": [flip],
        "flipped": 1,
        "slices": [{"column": "pay", "group": ODD, "n": 300, "worse": 0.1}],
    }
    out = {"columns": ["group"], "rows": 900, "change": -0.01, "low": -0.02, "high": 0.0}
    groups = [{"column": "group", "group": ODD, "n": 120, "selection_rate": 0.4, "base_rate": 0.5, "gated": True}]
    return {
        "slices": gate.Family("slices", [fails], {"table": [part, tiny], "loss": 0.5}),
        "bias": gate.Family("bias", [unsure, base], {"table": groups, "without_protected": out}),
        "drift": gate.Family("drift", [], {"effects": [moved], "over_time": [window]}),
        "fragility": gate.Family("fragility", [], {}),
        "compare": gate.Family("compare", [], compared),
    }


@pytest.fixture
def predictions() -> pd.DataFrame:
    p = [i / 40 for i in range(40)]
    truth = ["Yes" if i % 3 else "No" for i in range(40)]
    return pd.DataFrame({"truth": truth, "prediction": "Yes", "p No": [1 - x for x in p], "p Yes": p})


@pytest.fixture
def page(verdict, families, predictions, small) -> str:
    return ce_report.page(verdict, METRICS, families, predictions, small, OTHERS)


class Structure(HTMLParser):
    """What a browser makes of a page: its elements with the names of their attributes, and its texts."""

    def __init__(self, page: str):
        super().__init__()
        self.elements: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(" ".join([tag, *(name for name, _ in attrs)]))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def tried(day: int, status: str, **values: object):
    """Give a run of the journal."""
    when = f"2026-01-{day:02}T10:00:00+00:00"
    return journal.Run(
        f"{day:016d}", status, "Ada", when, f"why {ODD}", {"model": {"max_iter": day}}, {}, "c", **values
    )


def test_the_comment_begins_with_the_verdict_and_is_short(verdict, families):
    lines = ce_report.comment(verdict, METRICS, families).splitlines()
    assert lines[0].startswith("## ✘ rejected")
    assert any("1 of 3 checks failed" in line for line in lines[:3])
    assert len(lines) < 60


def test_the_comment_shows_what_needs_a_look_and_counts_the_rest(verdict, families):
    text = ce_report.comment(verdict, METRICS, families)
    assert "✘ FAIL | slices.gap" in text
    assert "? INCONCLUSIVE | bias.odds (group) | 0.2 [0.1, 0.3] | more rows |" in text
    assert "| bias | 1 | 0 | 1 | 0 | 0 |" in text
    assert "bias.base_rate" not in text


def test_the_comment_says_what_changed_and_who_accepted_what(verdict, families):
    text = ce_report.comment(verdict, METRICS, families)
    assert "| params | model.max_iter: 100 → 10 |" in text
    assert "| contract | changed |" in text
    assert "| seed | the same |" in text
    assert "| roc_auc | 0.81 | 0.78 to 0.84 | 0.87 | 0.5 |" in text
    assert re.search(r"2027-03-31.*bias\.parity \(sex\).*known &lt;b&gt;.*Ada", text)


def test_odd_names_stay_in_their_cell_of_the_comment(verdict, families):
    (line,) = [x for x in ce_report.comment(verdict, METRICS, families).splitlines() if "✘ FAIL" in x]
    assert len(re.findall(r"(?<!\\)\|", line)) == 5
    assert "&lt;$50K \\|" in line
    assert "`" not in line


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.81234, "0.8123"),
        (21923.4, "21,923"),
        (-3_510_000.0, "-3,510,000"),
        (2.5e9, "2.5e+09"),
        (26115, "26,115"),
        (None, ""),
        (True, "True"),
    ],
)
def test_figures_are_short_and_those_of_money_are_whole(value, text: str):
    assert rendering.number(value) == text


def test_figures_beside_a_curve_have_room():
    plot = drawing.Curve("c", {"y": [(-123456.7, -9_000_000.0), (5.0, 9.0)]}, "across", "up")
    drawn = rendering.environment().get_template("drawing.html").module.curve(plot)
    places = re.findall(r'<text x="(\d+)" y="\d+" text-anchor="end">([^<]*)<', drawn)
    assert all(float(x) > 8 * len(figure) for x, figure in places), places


def test_slices_with_rows_enough_come_before_weaker_ones_that_are_too_small(verdict, families, predictions, small):
    rows = families["slices"].details["table"]
    rows.append(rows[0] | {"group": "tiny", "n": 2, "loss": 12.0, "gated": False})
    text = ce_report.page(verdict, METRICS, families, predictions, small, OTHERS)
    assert text.index("(300)</text>") < text.index("tiny (2)</text>")


def test_odd_names_are_text_on_the_page(page: str):
    assert "<$50K" not in page
    assert "<b>known" not in page
    assert "known &lt;b&gt;" in page


def test_the_page_says_the_verdict_first(page: str):
    text = page[page.index("<body>") :]
    assert text.index("✘ rejected") < text.index("1 of 3 checks failed") < text.index("<h2>")


def test_the_page_needs_nothing_else_and_each_drawing_has_its_numbers(page: str):
    assert not re.search(r"https?://|src=|@import|url\(|<link|<script", page)
    figures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert len(figures) == page.count("<svg") >= 5
    for figure in figures:
        assert re.search(r'<svg viewBox="[^"]+" role="img" aria-label="[^"]+"><title>[^<]+</title>', figure)
        assert "<details>" in figure
        assert "<table>" in figure
    assert page.count("nan") == page.count("NaN") == 0


def test_the_page_can_be_read_without_colour(page: str):
    """Verdicts are signs and words, what does not decide has another shape, and limits are dashed."""
    assert re.findall(r'<p class="verdict rejected"><b>(.*?)</b>', page) == ["✘ rejected."]
    verdicts = re.findall(r"<tr><td>(\S+ [A-Z ]+)</td>", page)
    assert set(verdicts) == {"✘ FAIL", "? INCONCLUSIVE", "✔ PASS"}
    assert set(re.findall(r'<(\w+) class="dot"', page)) == {"circle"}
    assert set(re.findall(r'<(\w+) class="other"', page)) == {"rect"}
    style = page[: page.index("</style>")]
    assert re.search(r"\.mark \{[^}]*stroke-dasharray", style)
    assert re.search(r"\.other \{[^}]*fill: none", style)


def test_the_page_shows_groups_with_their_rows_and_what_leaving_them_out_did(page: str):
    assert "<td>120</td>" in page
    assert re.search(r"Labels, before any model.*by group: 0\.1 apart\. No gate on the model sees this", page)
    assert "Leaving out group changed the loss by -0.01 [-0.02, 0]" in page


def test_the_page_shows_the_loss_over_time_and_what_else_was_tried(page: str):
    assert "2024-01-01 to 2024-02" in page
    assert "open squares are train rows" in page.lower()
    (beside,) = re.findall(r"<h2>Is something else better\?</h2>.*?<h2>", page, re.DOTALL)
    assert "<td>older by 90 days it loses +0.1 more</td><td></td>" in beside
    assert "<td>`make try`</td>" in beside
    assert "<td>model.max_iter=50</td><td>0.01</td>" in beside


def test_the_page_is_the_same_whenever_it_is_written(page: str, verdict, families, predictions, small):
    assert page == ce_report.page(verdict, METRICS, families, predictions, small, OTHERS)


def test_the_first_model_has_a_page_too(verdict, predictions, small):
    empty = {
        "slices": {"table": [], "loss": 0.5},
        "bias": {"table": []},
        "drift": {"effects": []},
        "compare": {"said": "There is nothing to compare with yet.", "why": "no release", "axes": {}, "champion": {}},
    }
    families = {name: gate.Family(name, [], empty.get(name, {})) for name in gate.FAMILIES}
    blessed = verdict | {"verdict": "blessed", "said": "This model may ship.", "waived": []}
    assert "nothing to compare with yet" in ce_report.page(blessed, METRICS, families, predictions, small, OTHERS)
    assert ce_report.comment(blessed, METRICS, families).startswith("## ✔ blessed")


def named(name: str, folder: Path):
    """Give a contract whose target, protected column and class are all called by one name."""
    path = folder / "contract.yaml"
    quoted = "'" + name.replace("'", "''") + "'"
    path.write_text(
        f"{{version: 1, task: classification, positive: {quoted}, source: {{path: data/raw.csv}}, columns: {{"
        f"group: {{role: protected, type: category, categories: [a, b], description: {quoted}}}, "
        f"x: {{role: feature, type: number}}, "
        f"{quoted}: {{role: target, type: category, categories: [{quoted}, 'No']}}}}}}",
        encoding="utf-8",
    )
    return contract.Contract.load(path)


@pytest.fixture
def pages(verdict, families, predictions, tmp_path: Path):
    """Return the function that renders both pages with one name wherever a name or a text of somebody's can stand."""

    def rendered(name: str) -> tuple[str, str]:
        renamed = predictions.rename(columns={"p Yes": f"p {name}"}).replace({"Yes": name})
        waived = {"gate": name, "reason": name, "owner": name, "expires": name}
        renamed_verdict = verdict | {"said": name, "model": name, "waived": [waived]}
        parts = families | {
            "slices": gate.Family("slices", [gate.Gate(name, gate.FAIL, name, name, name)], {
                "table": [families["slices"].details["table"][0] | {"column": name, "group": name}], "loss": 0.5}),
            "compare": gate.Family("compare", [], families["compare"].details | {
                "said": name, "why": name, "axes": AXES | {"code": [name], "params": {name: [name, name]}},
                "champion": {"release": name}}),
        }  # fmt: skip
        run = journal.Run(name, name, name, name, name, {"model": {name: name}}, {}, name, {"roc_auc": 0.8}, name,
                          [name], name, name, forced=name)  # fmt: skip
        report = ce_report.page(renamed_verdict, METRICS, parts, renamed, named(name, tmp_path), OTHERS)
        return report, journal_page([publish.entry(run, ""), publish.entry(run, name)])

    return rendered


@pytest.mark.parametrize("which", [0, 1], ids=["report", "journal"])
def test_a_hostile_name_is_text_wherever_it_stands(pages, which: int):
    tame, hostile = (Structure(pages(name)[which]) for name in ("tame", HOSTILE))
    assert hostile.elements == tame.elements
    assert not [element for element in hostile.elements if re.search(r" on|^img", element)]
    assert hostile.elements.count("script") == which  # the journal's own, which sorts its table
    assert sum(HOSTILE in text for text in hostile.texts) > 10


def test_a_page_that_trusted_its_values_would_be_found(pages, monkeypatch):
    trusting = rendering.environment()
    trusting.autoescape = False
    monkeypatch.setattr(rendering, "environment", lambda markdown: trusting)
    tame, hostile = (Structure(page) for page in (pages("tame")[0], pages(HOSTILE)[0]))
    assert hostile.elements != tame.elements


def test_a_value_that_a_template_names_and_nobody_gives_is_an_error():
    with pytest.raises(UndefinedError, match="'drawn' is undefined"):
        rendering.render("journal.html", unfinished=0)


def test_what_is_infinite_stands_at_the_end_of_a_drawing():
    x = drawing.Scale.over([0.0, 10.0, float("inf"), None], 0, 110)
    assert (x(-0.5), x(10.5), x(float("inf")), x(float("-inf"))) == (0, 110, 110, 0)


def listed(*runs, champion: str = "") -> str:
    """Render the page of some runs of the journal."""
    return journal_page([publish.entry(run, champion) for run in runs])


def test_the_journal_lists_the_newest_first_and_crashes_too():
    runs = [tried(1, "blessed", metrics={"roc_auc": 0.8}), tried(2, "crashed", said="...\nno memory"),
            tried(3, "rejected", failing=list("abcde"))]  # fmt: skip
    body = re.search(r"<tbody>.*</tbody>", listed(*runs).split("<h2>")[1], re.DOTALL)
    assert re.findall(r"<td>(blessed|crashed|rejected)</td>", body[0]) == ["rejected", "crashed", "blessed"]
    assert "<td>no memory</td>" in body[0]
    assert "<td>a, b, c, and 2 more</td>" in body[0]
    assert "model.max_iter=3" in body[0]
    assert "<$50K" not in body[0]


def test_the_journal_draws_failures_in_another_shape():
    runs = [tried(1, "blessed", metrics={"roc_auc": 0.8}), tried(2, "rejected", metrics={"roc_auc": 0.7})]
    page = listed(*runs, tried(3, "crashed"))
    assert (page.count('class="dot"'), page.count('class="other"'), page.count('class="failed"')) == (1, 1, 1)


def test_the_journal_says_which_runs_have_not_ended():
    assert "not ended" not in listed(tried(1, "blessed"))
    page = listed(tried(1, "blessed"), tried(2, "running"))
    assert "1 not ended when this page was written" in page
    assert "<td>not ended</td>" in page


def test_the_journal_marks_the_champion():
    runs = [tried(1, "blessed", metrics={"roc_auc": 0.8}, model="m"), tried(2, "blessed", metrics={"roc_auc": 0.7})]
    marked, plain = (listed(*runs, champion=champion).count('class="mark"') for champion in ("m", "other"))
    assert (marked, plain) == (1, 0)
    shipped = tried(3, "shipped", metrics={"roc_auc": 0.9})
    assert listed(*runs, shipped, champion="other").count('class="mark"') == 1


def test_an_empty_journal_is_a_page():
    page = journal_page([])
    assert page.startswith("<!doctype html>")
    assert "No run yet." in page


@pytest.mark.slow
def test_it_starts_without_what_it_does_not_need():
    code = f"import sys, {ce_report.__name__}; print([m for m in ('sklearn', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
