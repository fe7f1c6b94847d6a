"""The functions of extensions.py: each acts where it is called, and a wrong one is named with what it returned."""

import doctest
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlproduct import imports, team
from mlproduct.config import Params
from mlproduct.data import prepare
from mlproduct.errors import DataError
from mlproduct.evaluation import evaluate, own, predictions
from mlproduct.evaluation.gates import FAMILIES, Gate
from mlproduct.evaluation.metrics import Score
from mlproduct.extension_source import ExtensionSource
from mlproduct.extensions import Section, Table
from mlproduct.reports import report, sections
from mlproduct.stages import STAGES
from mlproduct.training import train

POINTS = """
from .helper import price
LIMIT = 3
def _limit():
    return LIMIT
def metrics(truth, prediction, probabilities):
    return {"cost": price(_limit())}
def respond(answer, record):
    return {}
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Give a function that writes modules of a team's package, and works in its repository."""
    folder = tmp_path / "src" / f"shop_{tmp_path.name}".replace("-", "_")[:60]
    folder.mkdir(parents=True)
    for name in ("__init__", "model"):
        (folder / f"{name}.py").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "src"))

    def written(**modules: str) -> Path:
        for name, text in modules.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        for name in [name for name in sys.modules if name.startswith(f"{folder.name}.")]:
            del sys.modules[name]
        return tmp_path

    return written


# Loading


def test_a_function_is_found_and_receives_own_where_it_asks_for_it(write):
    write(extensions="def metrics(truth, prediction, probabilities, own): return own['depth']\ndef gates(found): ...")
    assert team.extension("metrics", {"depth": 3})(1, 2, 3) == 3
    assert team.extension("gates", {"depth": 3})(1) is None
    assert team.extension("split", {}) is None


def test_a_repository_without_the_module_has_no_extension(write):
    write()
    assert team.extension("metrics", {}) is None


def test_the_module_is_not_run_for_a_function_that_it_does_not_define(write):
    write(extensions="raise RuntimeError\ndef respond(answer, record): ...")
    assert team.extension("split", {}) is None
    with pytest.raises(RuntimeError):
        team.extension("respond", {})


def test_a_name_that_is_nearly_a_point_is_an_error(write):
    write(extensions="def metric(truth, prediction, probabilities): ...")
    with pytest.raises(DataError, match=r"line 1: nothing calls metric\(\); did you mean metrics\(\)\?"):
        team.extension("gates", {})


def test_something_else_by_the_name_of_a_point_is_an_error(write):
    write(extensions="metrics = 3")
    with pytest.raises(DataError, match=r"metrics is 3 \(int\); expected a function"):
        team.extension("metrics", {})


@pytest.mark.parametrize(
    ("text", "message"), [("def x(:", "line 1: not valid Python"), ("from os import *", "by name")]
)
def test_what_cannot_be_read_is_an_error(write, text, message):
    write(extensions=text)
    with pytest.raises(DataError, match=message):
        team.extension("metrics", {})


def test_build_model_receives_own_where_it_asks_for_it(write, small, frame, tuned):
    given = "from mlproduct_tests.repository import PACKAGE\nfrom importlib import import_module\n"
    given += "old = import_module(f'{PACKAGE}.model').build_model\n"
    write(model=given + "def build_model(params, contract, own): return old(params.replace(**own), contract)")
    tuned = tuned.replace(own={"max_iter": 3})
    assert train.train(frame, small, tuned)[-1].n_iter_ == 3
    write(model=given + "def build_model(params, contract): return old(params.replace(max_iter=12), contract)")
    assert train.train(frame, small, tuned)[-1].n_iter_ == 12


# What runs again


def part(source: str, point: str = "metrics") -> str:
    return ExtensionSource(source).text(point)


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("LIMIT = 3", "LIMIT = 4", True),  # a constant that a helper of the function names
        ("from .helper import price", "from .other import price", True),
        ('"cost"', '"price"', True),
        ("return {}", "return {1: 2}", False),  # of `respond`
        ("LIMIT = 3", "LIMIT = 3\nOTHER = 4", False),
        ("LIMIT = 3", "LIMIT = 3\nimport math\nmath.tau = 3", True),  # it acts
        ("LIMIT = 3", "LIMIT = 3\nprint('hello')", True),
        ("def respond", "def other(x): ...\ndef respond", False),
    ],
)
def test_what_a_function_names_counts_for_it_and_nothing_else(old, new, counts):
    assert (part(POINTS) != part(POINTS.replace(old, new))) is counts


def test_a_name_that_is_looked_up_at_run_time_makes_the_whole_module_count():
    source = POINTS.replace("return LIMIT", "return globals()['LIM' + 'IT']")
    assert part(source) != part(source.replace("return {}", "return {1: 2}"))


def test_a_decorated_helper_and_a_conditional_definition_count():
    source = "import functools\n@functools.cache\ndef _two(): return 2\ndef metrics(*_): return _two()\n"
    assert part(source) != part(source.replace("cache", "lru_cache"))
    either = "if 1:\n    def metrics(*_): return 1\nelse:\n    def metrics(*_): return 2\n"
    assert ExtensionSource(either).points == ["metrics"]
    assert part(either) != part(either.replace("if 1", "if 0"))


def test_an_edit_changes_the_hashes_of_the_stages_that_call_the_function(write):
    root = write(extensions=POINTS, helper="def price(x): return x")
    before = imports.digests(root)

    def changed(**modules: str) -> set[str]:
        now = imports.digests(write(**modules))
        return {name for name in STAGES if before[name] != now[name]}

    assert changed(extensions=POINTS.replace("return {}", "return {1: 2}")) == set()
    assert changed(extensions=POINTS.replace("LIMIT = 3", "LIMIT = 4")) == {"evaluate"}
    assert changed(extensions=POINTS + "def report(found): ...") == {"report"}
    split = changed(extensions=POINTS + "def split(frame, contract, params): ...", helper="def price(x): return 3 * x")
    assert {"prepare", "train", "evaluate", "report"} <= split


@pytest.mark.parametrize("name", ["extensions", "team", "loaded_by_name", "serving.auth"])
def test_the_examples_of_the_docstrings_hold(name):
    found = doctest.testmod(import_module(f"mlproduct.{name}"))
    assert found.attempted
    assert not found.failed


# Split


@pytest.fixture
def params(tuned) -> Params:
    return tuned


def divided(frame, contract, params, split) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    return prepare.prepare(frame, contract, params.prepare, split)


def test_the_teams_split_chooses_the_test_rows(small, frame, params):
    _, test, notes = divided(frame, small, params, lambda rows, *_: rows["plan"] == "pro")
    assert set(test["plan"]) == {"pro"}
    assert "the split is that of extensions.py" in notes


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (lambda rows, *_: [True] * len(rows), r"split\(\) returned \[True, .*\(list\); expected a Series of bool"),
        (lambda rows, *_: rows["visits"], "a Series of float64"),
        (lambda rows, *_: (rows["visits"] > 40).reset_index(drop=True), "whose index is another one"),
        (lambda rows, *_: (rows["visits"] > 40).iloc[1:], "a Series of 199 rows"),
        (lambda rows, *_: rows["visits"] > 1000, "returned 'False for all rows'"),
    ],
)
def test_a_wrong_split_is_refused(small, frame, params, split, message):
    with pytest.raises(DataError, match=message):
        divided(frame, small, params, split)


def test_a_split_that_divides_an_entity_is_refused(small, frame, params):
    contract = replace(small, columns=small.columns | {"city": replace(small.columns["city"], role="id")})
    with pytest.raises(DataError, match=r"split\(\) puts \d+ values of 'city' on both sides, 'city "):
        divided(frame, contract, params, lambda rows, *_: rows["visits"] > 50)


# Metrics and gates


@pytest.fixture(scope="module")
def fitted(small, parsed, tuned):
    return train.train(parsed, small, tuned.replace(model=tuned.model.replace(max_iter=5)))


def scored(fitted, small, frame, tuned, metrics) -> dict[str, Score]:
    few = tuned.evaluate.replace(bootstrap=50)
    return evaluate.evaluate(fitted, frame, frame, small, few, metrics).scores


def test_a_metric_has_an_interval_and_a_baseline_and_equals_the_standards(fitted, small, frame, tuned):
    def metrics(truth, prediction, probabilities):
        sure = np.mean(np.where(truth == "Yes", probabilities["Yes"], probabilities["No"]))
        return {"same": float(np.mean(truth == prediction)), "sure": float(sure)}

    found = scored(fitted, small, frame, tuned, metrics)
    assert found["same"] == found["accuracy"]
    assert found["sure"].low < found["sure"].value < found["sure"].high
    assert found["sure"].baseline < found["sure"].value


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (3, r"metrics\(\) returned 3 \(int\); expected a dict of metric names to numbers"),
        ({"cost": "high"}, r"returned \{'cost': 'high'\}"),
        ({"cost": True}, "expected a dict"),
        ({"Cost €": 1.0}, "is not a name of a-z, 0-9 and _"),
        ({"roc_auc": 1.0}, "'roc_auc', which is a metric of the standard: rename it"),
    ],
)
def test_a_wrong_metric_is_named(fitted, small, frame, tuned, returned, message):
    with pytest.raises(DataError, match=message):
        scored(fitted, small, frame, tuned, lambda *_: returned)


def test_a_metric_that_is_there_for_some_rows_alone_is_an_error(fitted, small, frame, tuned):
    with pytest.raises(DataError, match="missing for some: odd"):
        scored(fitted, small, frame, tuned, lambda truth, *_: {"odd": 1.0} if (truth[:9] == "Yes").sum() % 2 else {})


@pytest.fixture
def evaluated(fitted, small, frame) -> own.Evaluated:
    shown = predictions.predicted(fitted, frame, small)
    return own.Evaluated(frame, shown, {"cost": Score(1, 0, 2, 3)}, np.arange(len(frame)), small)


def test_gates_are_a_family_of_their_own(evaluated):
    def gates(found: own.Evaluated) -> list[Gate]:
        return [Gate("cost", "FAIL", f"{found.metrics['cost'].value} is too much"), Gate("own.even", "PASS", "fair")]

    family = own.own_family(gates, evaluated)
    assert [(gate.name, gate.verdict) for gate in family.gates] == [("own.cost", "FAIL"), ("own.even", "PASS")]
    assert family.name in FAMILIES
    assert own.own_family(None, evaluated).gates == []


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, r"gates\(\) returned None \(NoneType\); expected a list of Gate"),
        ([{"name": "cost"}], "expected a list of Gate"),
        ([Gate("cost", "GOOD", "")], "expected a verdict for 'cost': PASS"),
        ([Gate("own.Cost", "PASS", "")], "names of a-z"),
        ([Gate("cost", "PASS", 3)], "a text as `said` of 'cost'"),
        ([Gate("cost", "PASS", "", measured="3")], "a number or None as `measured`"),
        ([Gate("cost", "PASS", ""), Gate("own.cost", "FAIL", "")], r"own.cost twice"),
    ],
)
def test_wrong_gates_are_named(evaluated, returned, message):
    with pytest.raises(DataError, match=message):
        own.own_family(lambda _: returned, evaluated)


# Sections


def test_a_section_is_escaped_in_the_page_and_in_the_card(small, tuned):
    section = Section("A <b>", "It is **so**. <script>alert(1)</script>", Table(["<i>", "n"], [("x|y<z", 1234567)]))
    assert "<strong>so</strong>" in section.html
    assert "<script" not in section.html
    meta = {"version": "1", "libraries": {}} | dict.fromkeys(("data", "contract", "params", "lock", "python"), "x")
    metrics = {"roc_auc": {"value": 0.8, "low": 0.7, "high": 0.9, "baseline": 0.5}}
    verdict: dict[str, Any] = {"said": "", "waived": []}
    card = report.model_card(metrics, small, meta, tuned, (9, 9), verdict, [section], own_split=True)
    assert "## A &lt;b&gt;\n\nIt is **so**. &lt;script>" in card
    assert "| x\\|y&lt;z | 1,234,567 |" in card
    assert "chosen by `split` in `extensions.py`" in card


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("text", r"report\(\) returned 'text' \(str\); expected a list of Section"),
        ([Section("", "text")], "a title for each section"),
        ([Section("A")], "a text or a table in 'A'"),
        ([Section("A", 3)], "Markdown as the text of 'A'"),
        ([Section("A", table=[[1]])], "a Table, from mlproduct.extensions, in 'A'"),
        ([Section("A", table=Table(["x"], [(1, 2)]))], "rows of 1 cells in 'A'"),
    ],
)
def test_wrong_sections_are_named(evaluated, returned, message):
    with pytest.raises(DataError, match=message):
        sections.own_sections(lambda _: returned, evaluated)
