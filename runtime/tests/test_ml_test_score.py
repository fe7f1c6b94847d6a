"""The ML Test Score counts tests that ran and passed, and nothing that only stands in a file."""

from pathlib import Path

import pytest
from mlproduct.evaluation.ml_test_score import Item, counted, read, render
from mlproduct_tests.repository import ROOT

RAN = {"tests/test_a.py::test_one": ["passed", "passed"], "tests/test_a.py::test_two": ["skipped"]}


def points(item: Item, outcomes: dict[str, list[str]]) -> float:
    return counted([item], outcomes)[0].points


@pytest.mark.parametrize(
    ("tests", "outcomes", "expected"),
    [
        (("tests/test_a.py",), RAN, 1.0),
        (("tests/test_a.py::test_one",), RAN, 1.0),
        (("tests/test_a.py::test_two",), RAN, 0.0),  # skipped: it had nothing to look at
        (("tests/test_a.py::test_o",), RAN, 0.0),  # the beginning of a name is no name
        (("tests/test_b.py",), RAN, 0.0),
        (("tests/test_a.py",), RAN | {"tests/test_a.py::test_three": ["passed", "failed"]}, 0.0),
        (("tests/test_a.py", "tests/test_b.py"), RAN, 0.0),
    ],
)
def test_an_item_earns_what_its_tests_did(tests: tuple[str, ...], outcomes: dict[str, list[str]], expected: float):
    assert points(Item("data", "x", tests), outcomes) == expected


def test_what_a_person_has_checked_earns_half():
    assert points(Item("data", "x", checked="Ada, 2026-11-23"), {}) == 0.5
    assert points(Item("data", "x", missing="nobody looked"), {}) == 0.0


def test_the_score_is_the_lowest_section():
    items = [
        Item("data", "x", ("tests/test_a.py",)),
        Item("model", "y", missing="sweep"),
        Item("model", "z", checked="Ada"),
    ]
    text = render(counted(items, RAN))
    assert "score           0.5, the lowest section" in text
    assert "0.0  y: sweep" in text
    assert "x:" not in text


def test_the_list_of_this_repository_has_28_items_and_names_tests_that_exist():
    items = read(ROOT / "ml_test_score.yaml")
    sections = [item.section for item in items]
    assert {section: sections.count(section) for section in sections} == dict.fromkeys(sections, 7)
    assert len(items) == 28
    for folder, name in [
        *((ROOT, test) for item in items for test in item.tests),
        *((Path(__file__).parent, test) for item in items for test in item.library.split(", ") if test),
    ]:
        file, _, function = name.partition("::")
        assert f"def {function}" in (folder / file).read_text(encoding="utf-8")


def test_an_item_that_says_nothing_is_refused(tmp_path: Path):
    (tmp_path / "score.yaml").write_text("data:\n  - item: x\n", encoding="utf-8")
    with pytest.raises(ValueError, match="needs `item`, and one of tests, library, checked, missing"):
        read(tmp_path / "score.yaml")
