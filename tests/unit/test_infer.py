import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlscaffold.contract import Column, Contract, contract_yaml
from mlscaffold.errors import UserError
from mlscaffold.inference.infer import Inference, infer
from mlscaffold.tables import csvfile, table
from mlscaffold.tables.table import open_table

SHARED = Path(__file__).parents[3] / "shared" / "data"
RANDOM = random.Random(0)
LABELS = [RANDOM.choice(["yes", "no"]) for _ in range(100)]


Made = Callable[..., Inference]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Infer from columns of cells; the target is `y` unless another is named."""

    def _made(columns: dict[str, list[Any]], *, delimiter: str = ",", target: str = "y", **options: Any) -> Inference:
        rows = max(len(cells) for cells in columns.values())
        if "y" not in columns:
            columns = {**columns, "y": (LABELS * (rows // 100 + 1))[:rows]}
        lines = [columns, *zip(*columns.values(), strict=True)]
        path = tmp_path / "made.csv"
        text = "\n".join(delimiter.join(_cell(cell, delimiter) for cell in line) for line in lines)
        path.write_text(text + "\n", encoding="utf-8")
        return infer(open_table(path), target=target, **options)

    return _made


def _cell(value: object, delimiter: str) -> str:
    text = str(value)
    return f'"{text}"' if delimiter in text or "\n" in text else text


def column(inference: Inference, name: str) -> Column:
    return inference.contract.column(name)


def said(inference: Inference, kind: str) -> list[str]:
    return [finding.text for finding in inference.findings if finding.kind == kind]


def kinds(inference: Inference) -> set[str]:
    return {finding.kind for finding in inference.findings}


def spread(values: list[Any], rows: int = 100) -> list[Any]:
    """Repeat values to a number of rows, in a random order."""
    some = (values * (rows // len(values) + 1))[:rows]
    return random.Random(1).sample(some, rows)


NUMBERS = [round(RANDOM.gauss(10, 3), 2) for _ in range(100)]


@pytest.mark.parametrize(
    ("cells", "type_", "more"),
    [
        (NUMBERS, "number", {}),
        ([*NUMBERS[:99], ""], "number", {"nullable": True}),
        ([f"{n:.3e}" for n in NUMBERS], "number", {}),
        (spread([1, 2, 3, 10]), "integer", {"range": (0, 15)}),
        (spread(["1.0", "2.0", "3.0"]), "number", {}),
        (spread(["1.0", "2.0", "3.0", ""]), "integer", {"nullable": True}),
        (spread([-5, -1]), "integer", {"range": (-7, 0)}),
        (spread([0.1, 0.25, 0.9]), "number", {"range": (0.0, 1.0)}),
        (spread([0, 1]), "boolean", {"categories": (0, 1)}),
        (spread(["0.0", "1.0", ""]), "boolean", {"categories": (0, 1), "nullable": True}),
        (spread(["Yes", "No"]), "boolean", {"categories": ("No", "Yes")}),
        (spread(["TRUE", "FALSE"]), "boolean", {"categories": ("FALSE", "TRUE")}),
        (spread(["t", "f"]), "boolean", {"categories": ("f", "t")}),
        (spread(["Ja", "Nein"]), "boolean", {"categories": ("Nein", "Ja")}),
        (spread(["Yes", "No", "yes"]), "category", {"categories": ("No", "Yes", "yes")}),
        (spread(["red", "green", "blue"]), "category", {"categories": ("blue", "green", "red")}),
        (spread([f"city {n}" for n in range(150)], 300), "category", {"many": True, "categories": ()}),
        (spread(["00123", "04567", "90210"]), "category", {"categories": ("00123", "04567", "90210")}),
        (spread(["12345678901234567", "12345678901234568"]), "category", {}),
        (spread(["1", "2", "3+", "0"]), "category", {"categories": ("0", "1", "2", "3+")}),
        (spread(["0", "a", "b"]), "category", {"categories": ("0", "a", "b")}),
        (spread(["1,234.50", "12.00", "3,100.00"]), "category", {}),
        (spread(["$12", "$13"]), "category", {}),
        (spread(["45%", "50%"]), "category", {}),
        ([f"the {n}th review of this thing" for n in range(100)], "text", {"role": "feature"}),
        ([""] * 100, "text", {"role": "ignore", "nullable": True}),
    ],
)
def test_types_of_cells(made: Made, cells: list[Any], type_: str, more: dict[str, Any]) -> None:
    found = column(made({"x": cells}), "x")
    assert found.type == type_
    for name, value in more.items():
        assert getattr(found, name) == value


@pytest.mark.parametrize(
    ("cells", "format_"),
    [
        (["2020-01-31", "2020-02-01"], "%Y-%m-%d"),
        (["2020-1-31", "2020-2-1"], "%Y-%m-%d"),
        (["2020-01-31 10:00", "2020-02-01 23:59"], "iso"),
        (["2020-01-31T10:00:00Z", "2020-02-01T23:59:01.5+01:00"], "iso"),
        (["2020-01-31", "2020-02-01 23:59:01"], "iso"),
        (["31/01/2020", "01/02/2020"], "%d/%m/%Y"),
        (["01/31/2020", "02/01/2020"], "%m/%d/%Y"),
        (["31.1.2020", "1.2.2020"], "%d.%m.%Y"),
        (["31-01-2020", "01-02-2020"], "%d-%m-%Y"),
        (["31/01/20 10:00", "01/02/20 23:59"], "%d/%m/%y %H:%M"),
        (["1/31/2020 3:04 PM", "2/1/2020 11:59 AM"], "%m/%d/%Y %I:%M %p"),
        (["5 Jan 2020", "31 dec 2020"], "%d %b %Y"),
        (["January 5, 2020", "December 31, 2020"], "%B %d, %Y"),
        (["05-Jan-2020", "31-Dec-2020"], "%d-%b-%Y"),
        (["2020-01", "2020-12"], "%Y-%m"),
        (["01/2020", "12/2020"], "%m/%Y"),
        (["Jan 2020", "Dec 2020"], "%b %Y"),
    ],
)
def test_dates_in_many_spellings(made: Made, cells: list[Any], format_: str) -> None:
    found = column(made({"x": spread(cells)}), "x")
    assert (found.type, found.format, found.role, found.range) == ("datetime", format_, "feature", None)


@pytest.mark.parametrize(
    ("name", "cells", "format_"),
    [
        ("year", ["2007", "2008"], "%Y"),
        ("created_at", ["1600000000", "1700000000"], "epoch_s"),
        ("timestamp", ["1600000000000", "1700000000123"], "epoch_ms"),
        ("date", ["20200131", "20201231"], "%Y%m%d"),
    ],
)
def test_numbers_are_dates_only_where_the_name_or_the_user_says_so(
    made: Made, name: str, cells: list[Any], format_: str
) -> None:
    assert column(made({name: spread(cells)}), name).format == format_
    assert column(made({"x": spread(cells)}), "x").type == "integer"
    timed = column(made({"x": spread(cells), "z": NUMBERS}, time="x"), "x")
    assert (timed.role, timed.type, timed.format) == ("time", "datetime", format_)


def test_dates_that_fit_both_ways_are_said(made: Made) -> None:
    inference = made({"x": spread(["01/02/2020", "03/04/2020"])})
    assert column(inference, "x").format == "%m/%d/%Y"
    assert "fit day first and month first" in said(inference, "ambiguous dates")[0]


def test_dates_that_fit_both_ways_are_read_so_that_they_are_in_order(made: Made) -> None:
    days = [f"{day:02d}/{month:02d}/2020" for month in range(1, 12) for day in range(1, 10)]
    inference = made({"x": days, "y": LABELS[:99]})
    assert column(inference, "x").format == "%d/%m/%Y"
    assert "ambiguous dates" not in kinds(inference)


def test_impossible_dates_are_no_dates(made: Made) -> None:
    assert column(made({"x": spread(["30/02/2020", "31/13/2020"])}), "x").type == "category"


def test_decimal_commas(made: Made) -> None:
    inference = made({"x": [str(n).replace(".", ",") for n in NUMBERS], "n": spread([1, 20])}, delimiter=";")
    assert inference.contract.source.decimal == ","
    assert [each.type for each in inference.contract.columns] == ["number", "integer", "boolean"]


def test_quoted_decimal_commas_in_a_file_separated_by_commas(made: Made) -> None:
    inference = made({"x": [str(n).replace(".", ",") for n in NUMBERS]})
    assert (inference.contract.source.decimal, column(inference, "x").type) == (",", "number")


@pytest.mark.parametrize(("delimiter", "decimal", "type_"), [(",", ".", "category"), (";", ",", "number")])
def test_a_comma_before_three_digits_separates_thousands_or_decimals(
    made: Made, delimiter: str, decimal: str, type_: str
) -> None:
    inference = made({"x": spread(["1,234", "5,678", "9,012"])}, delimiter=delimiter)
    assert (inference.contract.source.decimal, column(inference, "x").type) == (decimal, type_)


def test_numbers_with_separators_are_said(made: Made) -> None:
    inference = made({"x": spread(["1,234.50", "12.00", "3,100.00"])})
    assert "holds numbers with signs or separators ('" in said(inference, "formatted numbers")[0]


def test_a_late_code_makes_codes_of_numbers(made: Made) -> None:
    inference = made({"zip": [*spread(list(range(10000, 10050)), 99), "01234"]})
    assert column(inference, "zip").type == "category"
    assert said(inference, "codes") == ["'zip' has leading zeros ('01234'): taken for codes"]


def test_codes_are_said(made: Made) -> None:
    assert "leading zeros" in said(made({"x": spread(["00123", "04567", "90210"])}), "codes")[0]
    assert "leading zeros" in said(made({"x": spread(["00123", "04567", "00001"])}), "codes")[0]


def test_missing_tokens_that_are_seen_are_listed(made: Made) -> None:
    inference = made({"x": [*NUMBERS[:97], "NA", "n/a", "-"], "c": spread(["a", "b", "NULL"])})
    assert inference.contract.source.missing == ("", "-", "NA", "NULL", "n/a")
    assert column(inference, "x").type == "number"
    assert column(inference, "c").categories == ("a", "b")


def test_an_odd_word_among_numbers_means_no_value_and_is_said(made: Made) -> None:
    inference = made({"x": [*NUMBERS[:98], "below limit", "below limit"]})
    assert column(inference, "x").type == "number"
    assert inference.contract.source.missing == ("", "below limit")
    assert "'below limit' among the values of 'x'" in said(inference, "missing")[0]


@pytest.mark.parametrize("token", ["inf", "-inf", "unknown", "Missing", "."])
def test_words_for_no_value_among_numbers(made: Made, token: str) -> None:
    assert made({"x": [*NUMBERS[:60], *[token] * 40]}).contract.source.missing == ("", token)


def test_mixed_cells_make_a_category_and_are_said(made: Made) -> None:
    inference = made({"x": [*NUMBERS[:95], "12a", "13b", "c", "d", "e"]})
    assert column(inference, "x").type == "category"
    assert "95 of 100 cells are, but not '12a'" in said(inference, "mixed")[0]


def test_north_america_and_none_stay_values_in_texts(made: Made) -> None:
    inference = made({"c": spread(["EU", "AS", "NA", "AF"]), "d": spread(["None", "Some"]), "b": spread(["+", "-"])})
    assert inference.contract.source.missing == ("",)
    assert column(inference, "c").categories == ("AF", "AS", "EU", "NA")
    assert [each.split(" is kept")[0] for each in said(inference, "kept")] == [
        "'NA' in 'c'",
        "'None' in 'd'",
        "'-' in 'b'",
    ]


def test_na_in_labels_means_no_value(made: Made) -> None:
    inference = made({"sex": spread(["male", "female", "NA"])})
    assert column(inference, "sex").categories == ("female", "male")
    assert inference.contract.source.missing == ("", "NA")


def test_a_value_that_another_column_makes_missing_is_said(made: Made) -> None:
    inference = made({"c": spread(["EU", "AS", "NA", "AF"]), "x": [*NUMBERS[:99], "NA"]})
    assert column(inference, "c").categories == ("AF", "AS", "EU")
    assert "'NA' means 'no value' in another column, so it does in 'c'" in said(inference, "missing")[0]


@pytest.mark.parametrize(
    ("name", "cells", "reason"),
    [
        ("x", list(range(100)), "running number"),
        ("x", list(range(500, 600)), "running number"),
        ("x", spread(list(range(1, 101))), "running number, shuffled"),
        ("customer_id", [n * 7 + 3 for n in range(100)], "unique numbers"),
        ("x", [f"K{n}" for n in range(100)], "unique texts"),
        ("x", [str(uuid.UUID(int=n * 10**20)) for n in range(100)], "UUIDs"),
        ("x", [f"{n:032x}" for n in range(100)], "hash values"),
        ("x", [f"0{n}" for n in range(100)], "unique texts"),
        ("x", ["", *[f"K{n}" for n in range(99)]], "unique texts"),
        ("x", ["K1", "K1", *[f"K{n}" for n in range(2, 100)]], "nearly unique texts"),
        ("x", [5] * 100, "constant"),
        ("x", ["a"] * 100, "constant"),
        ("x", ["2020-01-01"] * 100, "constant"),
        ("x", [""] * 100, "wholly empty"),
    ],
)
def test_columns_that_say_nothing_are_left_out(made: Made, name: str, cells: list[Any], reason: str) -> None:
    inference = made({name: cells, "z": NUMBERS})
    found = column(inference, name)
    assert (found.role, found.reason, found.range, found.categories) == ("ignore", reason, None, ())
    assert said(inference, "left out") == [f"{name!r} is left out of the features: {reason}"]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("x", [n + 0.5 for n in range(100)]),
        ("income", [n * 7 + 3 for n in range(100)]),
        ("x", [f"2020-{m:02d}-{d:02d}" for m in range(1, 11) for d in range(1, 11)]),
        ("review", [f"I liked number {n} a lot" for n in range(100)]),
        ("x", ["", "one"] * 50),
        ("user", spread(["a", "b", "c"])),
    ],
)
def test_columns_that_look_unique_but_are_features(made: Made, name: str, cells: list[Any]) -> None:
    assert column(made({name: cells}), name).role == "feature"


def test_small_tables_are_not_mistrusted(made: Made) -> None:
    inference = made({"name": ["a", "b", "c", "d"], "size": [3, 8, 5, 1], "y": ["u", "v", "u", "v"]})
    assert inference.contract.named("feature") == ("name", "size")


def test_a_table_of_one_row(made: Made) -> None:
    inference = made({"x": [1], "y": ["a"]})
    assert "target constant" in kinds(inference)
    assert "no features" in kinds(inference)


def test_given_roles_win_over_what_was_found(made: Made) -> None:
    inference = made(
        {"who": list(range(100)), "when": spread(["2020-01-31", "2020-02-01"]), "sex": spread(["f", "m"])},
        id="who",
        time="when",
        protected=["sex", "sex"],
    )
    assert [each.role for each in inference.contract.columns] == ["id", "time", "protected", "target"]
    assert column(inference, "who").type == "integer"
    assert column(inference, "sex").categories == ("f", "m")


def test_an_id_of_dates_is_text(made: Made) -> None:
    assert column(made({"day": spread(["2020-01-31", "2020-02-01"]), "x": NUMBERS}, id="day"), "day").type == "text"


@pytest.mark.parametrize(
    ("cells", "task", "type_"),
    [
        (spread(["a", "b", "c"]), "classification", "category"),
        (spread(["Yes", "No"]), "classification", "boolean"),
        (spread([0, 1]), "classification", "boolean"),
        (spread([1, 2]), "classification", "category"),
        (spread([0.5, 1.5]), "classification", "category"),
        (spread([1, 2, 3, 4]), "classification", "category"),
        (spread(list(range(10))), "regression", "integer"),
        (NUMBERS, "regression", "number"),
    ],
)
def test_the_task_is_told_from_the_target(made: Made, cells: list[Any], task: str, type_: str) -> None:
    inference = made({"y": cells, "x": NUMBERS})
    assert (inference.contract.task, column(inference, "y").type) == (task, type_)
    assert said(inference, "task")[0].startswith(f"task: {task}, because 'y'")


def test_labels_may_be_numbers(made: Made) -> None:
    inference = made({"y": spread(["1.5", "2", "10"]), "x": NUMBERS}, task="classification")
    assert column(inference, "y").categories == (1.5, 2, 10)
    assert inference.contract.positive is None


def test_a_regression_of_two_values(made: Made) -> None:
    inference = made({"y": spread([0, 1]), "x": NUMBERS}, task="regression")
    assert (column(inference, "y").type, column(inference, "y").range) == ("integer", (0, 2))


@pytest.mark.parametrize(
    ("cells", "positive"),
    [
        (spread(["Yes", "No"]), "Yes"),
        (spread([0, 1]), 1),
        (spread([-1, 1]), 1),
        (spread(["churned", "stayed"]), "churned"),
        (spread(["not survived", "survived"]), "survived"),
        (["good"] * 20 + ["bad"] * 80, "bad"),
        (["a"] * 20 + ["b"] * 80, "a"),
        ([1] * 80 + [2] * 20, 2),
    ],
)
def test_the_positive_label(made: Made, cells: list[Any], positive: Any) -> None:
    inference = made({"y": cells, "x": NUMBERS})
    assert inference.contract.positive == positive
    assert f"positive label: {positive!r}" in said(inference, "positive")[0]


def test_the_positive_label_can_be_given(made: Made) -> None:
    assert made({"y": spread([0, 1]), "x": NUMBERS}, positive="0").contract.positive == 0
    assert made({"y": spread([0, 1]), "x": NUMBERS}, positive="0.0").contract.positive == 0
    assert made({"y": spread(["u", "v"]), "x": NUMBERS}, positive="v").contract.positive == "v"


@pytest.mark.parametrize(
    ("columns", "options", "cause"),
    [
        ({}, {"target": "Z"}, "--target: no column 'Z' in made.csv; its columns are 'x'"),
        ({"Has churned": NUMBERS}, {"target": "has_churned"}, "did you mean 'Has churned'"),
        ({}, {"time": "xx"}, "--time: no column 'xx'"),
        ({}, {"id": "q"}, "--id: no column 'q'"),
        ({}, {"protected": ["q"]}, "--protected: no column 'q'"),
        ({}, {"time": "x"}, "are not dates that are understood"),
        ({"c": spread(["a", "b"])}, {"time": "c"}, "are not dates that are understood .'"),
        ({"c": ["2020-01-01"] * 90 + ["31.12.2020"] * 10}, {"time": "c"}, "understood .'2020-01-01', '31.12.2020'"),
        ({}, {"id": "x", "time": "x"}, "'x' is given as --time and as --id"),
        ({}, {"protected": ["y"]}, "'y' is given as --target and as --protected"),
        ({}, {"task": "clustering"}, "choose classification or regression"),
        ({}, {"task": "regression"}, "'y' holds texts .'"),
        ({"y": spread(["2020-01-31", "2020-02-01"])}, {}, "'y' holds dates"),
        ({"y": [""] * 100}, {}, "is empty in every row"),
        (
            {"y": [*NUMBERS[:95], "12a", "13b", "c", "d", "e"]},
            {"task": "regression"},
            "5 cells that cannot be read as numbers.* or take all of them for labels by --task classification",
        ),
        ({"y": [f"label {n}" for n in range(1200)], "x": NUMBERS * 12}, {}, "more than 1,000 distinct labels"),
        ({"y": spread(["a", "b", "c"])}, {"positive": "a"}, "'y' has 3"),
        ({"y": spread(["a", "b"])}, {"positive": "A"}, "did you mean 'a'"),
        ({"y": spread(["a", "b"])}, {"positive": "q"}, "its labels are 'a', 'b'"),
        ({"y": NUMBERS}, {"positive": "q"}, "--positive is for classification"),
    ],
)
def test_what_cannot_be_is_refused_with_the_fix(
    made: Made, columns: dict[str, list[Any]], options: dict[str, Any], cause: Any
) -> None:
    with pytest.raises(UserError, match=cause) as error:
        made({"x": NUMBERS, **columns}, **options)
    assert "\n" not in str(error.value)


def test_years_are_numbers_where_they_are_to_be_predicted(made: Made) -> None:
    columns = {"year": spread(list(range(1950, 2011)), 200), "loudness": NUMBERS * 2}
    of_songs = made(columns, target="year")
    assert of_songs.contract.task == "regression"
    assert column(of_songs, "year").type == "integer"
    assert column(made(columns), "year").type == "datetime"


def test_whole_numbers_as_labels_are_not_taken_for_codes(made: Made) -> None:
    columns = {"month": spread([5, 6, 7, 8, 9]), "x": NUMBERS, "code": spread(["05", "06", "07"])}
    of_months = made(columns, target="month", task="classification")
    assert column(of_months, "month").categories == (5, 6, 7, 8, 9)
    (only,) = said(of_months, "codes")
    assert "'code' holds numbers with leading zeros" in only


def test_the_target_under_another_name_is_left_out(made: Made) -> None:
    labels = spread(["yes", "no"])
    inference = made({"x": NUMBERS, "code": [len(each) for each in labels], "y": labels})
    assert (column(inference, "code").role, column(inference, "code").reason) == ("ignore", "gives the target away")
    inference = made({"x": NUMBERS, "copy": NUMBERS, "z": spread([1, 5]), "y": NUMBERS})
    assert [each.role for each in inference.contract.columns] == ["ignore", "ignore", "feature", "target"]


@pytest.mark.parametrize(
    "leak",
    [
        lambda y, n: f"{y}{n % 3}",
        lambda y, n: (10 if y == "yes" else 1) + n / 1000,
        lambda y, n: "" if y == "yes" else n * 7.5,
        lambda y, n: f"2020-01-{n % 28 + 1:02d}" if y == "yes" else "",
        lambda y, n: f"case {n} of the week, {y}, sent home",
    ],
    ids=["category", "threshold", "missing number", "missing date", "word in a text"],
)
def test_a_column_that_gives_the_target_away_is_said(made: Made, leak: Callable[[str, int], Any]) -> None:
    labels = spread(["yes", "no"])
    inference = made({"x": NUMBERS, "leak": [leak(y, n) for n, y in enumerate(labels)], "y": labels})
    assert column(inference, "leak").role == "feature"
    assert said(inference, "leak") == [
        "'leak' gives the target away in nearly every row; if it is not known beforehand, set its role to ignore"
    ]


def test_a_column_in_step_with_the_target_of_a_regression_is_said(made: Made) -> None:
    inference = made({"x": [n**3 for n in NUMBERS], "y": NUMBERS})
    assert said(inference, "leak")[0].startswith("'x' gives the target away")


def test_what_only_looks_like_a_leak_is_not_said(made: Made) -> None:
    rows = 400
    columns: dict[str, list[Any]] = {
        "rare": [f"ticket {n % 250}" for n in range(rows)],
        "good": [RANDOM.gauss(0, 1) for _ in range(rows)],
        "c": [RANDOM.choice("abc") for _ in range(rows)],
        "gaps": [RANDOM.choice(["", "1", "7"]) for _ in range(rows)],
        "said": [f"case {n} of the week, {RANDOM.choice(['yes', 'no', 'maybe'])}, sent home" for n in range(rows)],
    }
    columns["y"] = ["yes" if x + RANDOM.gauss(0, 0.5) > 1.5 else "no" for x in columns["good"]]
    assert not said(made(columns), "leak")


def test_a_target_of_one_kind_proves_no_leak(made: Made) -> None:
    columns = {"n": [2.5] * 59 + [""], "y": [1.5, 2.5] * 30, "c": [RANDOM.choice("ab") for _ in range(60)]}
    assert not said(made(columns, task="regression"), "leak")


def test_integers_beyond_those_a_float_holds_are_numbers(made: Made) -> None:
    assert column(made({"x": spread(["1e20", "5e17", ""])}), "x").type == "number"


def test_small_tables_prove_no_leak(made: Made) -> None:
    assert not said(made({"x": ["a", "b"] * 5, "z": [1.5, 9.5] * 5, "y": ["u", "v"] * 5}), "leak")


def test_duplicate_rows_are_counted(made: Made) -> None:
    inference = made({"x": [n * 1.5 for n in range(50)] * 2, "y": LABELS[:50] * 2})
    assert said(inference, "duplicate rows")[0].startswith("50 rows of 100 equal an earlier row")


def test_what_is_wrong_with_the_target_is_said(made: Made) -> None:
    inference = made({"x": NUMBERS, "y": ["a"] * 60 + ["b"] * 35 + ["c"] * 2 + [""] * 3})
    assert said(inference, "target missing")[0].startswith("the target 'y' is missing in 3 rows of 100")
    assert said(inference, "rare classes") == ["the target 'y' has labels with fewer than 10 rows: 'c' (2)"]
    assert column(inference, "y").nullable
    assert "target constant" in kinds(made({"x": NUMBERS, "y": ["a"] * 100}))
    assert "target constant" in kinds(made({"x": NUMBERS, "y": [1.5] * 100}, task="regression"))
    assert "many classes" in kinds(made({"x": NUMBERS * 3, "y": [f"class {n % 150}" for n in range(300)]}))


def test_missing_times_and_ids_are_said(made: Made) -> None:
    inference = made(
        {"t": ["", *spread(["2020-01-31", "2020-02-01"], 99)], "who": ["", *spread(["a", "b"], 99)]}, time="t", id="who"
    )
    assert said(inference, "time missing") == ["'t' is missing in 1 row"]
    assert said(inference, "id missing") == ["'who' is missing in 1 row"]


def test_protected_looking_and_entity_looking_columns_are_suggested(made: Made) -> None:
    people = [f"p{n % 25}" for n in range(100)]
    inference = made(
        {"Sex": spread(["f", "m"]), "age group": spread(["a", "b"]), "person_id": people, "usage": NUMBERS}
    )
    assert said(inference, "protected") == [
        "'Sex', 'age group' may be protected: --protected 'Sex,age group' keeps them out of the features"
    ]
    assert "--id person_id" in said(inference, "entity")[0]
    assert not said(made({"Sex": spread(["f", "m"])}, protected=["Sex"]), "protected")
    assert "'male'" in said(made({"male": spread([0, 1])}), "protected")[0]


def test_headers_of_any_script_work(made: Made) -> None:
    inference = made({"größe (cm)": NUMBERS, "年齢": spread([1, 5]), "": spread([2, 7]), "no": spread([2, 9])})
    loaded = yaml.safe_load(contract_yaml(inference.contract))
    assert list(loaded["columns"]) == ["größe (cm)", "年齢", "column_3", "no", "y"]


def test_parquet_and_gzip_give_the_contract_of_the_csv(made: Made, tmp_path: Path) -> None:
    import gzip

    import polars as pl

    inference = made(
        {"x": [*NUMBERS[:99], ""], "c": spread(["a", "b", "c"]), "d": spread(["2020-01-31", "2020-02-01"])}
    )
    path = tmp_path / "made.csv"
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    pl.read_csv(path, try_parse_dates=True).write_parquet(tmp_path / "t.parquet")
    for name in ("t.csv.gz", "t.parquet"):
        found = infer(open_table(tmp_path / name), target="y")
        assert found.contract.columns == inference.contract.columns
        assert found.contract.source.path == f"data/raw{name[1:]}"


def test_a_large_table_gives_the_contract_of_a_small_one(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 3000
    columns = {
        "n": [RANDOM.randrange(1000) for _ in range(rows)],
        "c": ["b"] * (rows - 1) + ["NULL"],
        "k": [*[RANDOM.choice("abc") for _ in range(rows - 1)], "zz"],
        "a": [*[RANDOM.randrange(18, 90) for _ in range(rows - 2)], "unknown", "unknown"],
        "typed": [*[RANDOM.randrange(50) for _ in range(rows - 3)], "1a", "2b", "3c"],
        "many": [f"city {RANDOM.randrange(2000)}" for _ in range(rows)],
        "broken": [*[RANDOM.random() for _ in range(rows - 1)], "1x"],
    }
    small = made(columns)
    for name, value in {"BLOCK": 4000, "SAMPLE": 8000, "HEAD": 3000, "LEAST_PART": 500}.items():
        monkeypatch.setattr(csvfile, name, value)
    monkeypatch.setattr(table, "SMALL", 1000)
    large_table = open_table(tmp_path / "made.csv")
    assert large_table.whole is None
    large = infer(large_table, target="y")
    assert large.contract == small.contract
    assert column(large, "a").type == "integer"
    assert column(large, "broken").type == "number"
    assert column(large, "typed").type == "category"
    assert large.contract.source.missing == ("", "1x", "NULL", "unknown")


def test_blank_lines_in_a_large_file_are_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "BLOCK", 500)
    monkeypatch.setattr(table, "SMALL", 1000)
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "1.5,a\n2.5,b\n" * 150 + "\n" * 2000 + "2.5,a\n" * 300)
    found = infer(open_table(path), target="y").contract
    assert found.column("x").range == (1.0, 3.0)
    assert not found.column("x").nullable


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data are not part of the repository")
def test_flights() -> None:
    found = infer(open_table(SHARED / "flights.csv"), target="late", time="date").contract
    assert {each.name: (each.role, each.type) for each in found.columns} == {
        "flight_id": ("ignore", "integer"),
        "date": ("time", "datetime"),
        "month": ("feature", "integer"),
        "hour": ("feature", "integer"),
        "carrier": ("feature", "category"),
        "origin": ("feature", "category"),
        "dest": ("feature", "category"),
        "distance": ("feature", "integer"),
        "sched_dep_time": ("feature", "integer"),
        "late": ("target", "boolean"),
    }
    assert found.positive == 1


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data are not part of the repository")
def test_penguins() -> None:
    found = infer(open_table(SHARED / "penguins.csv"), target="species", protected=["sex"]).contract
    assert isinstance(found, Contract)
    assert found.source.missing == ("", "NA")
    assert found.named("protected") == ("sex",)
    assert found.column("year").format == "%Y"
    assert found.column("bill_length_mm").range == (18.0, 74.0)
    assert found.column("species").categories == ("Adelie", "Chinstrap", "Gentoo")


def test_what_is_suggested_can_be_typed_as_it_stands(made: Made) -> None:
    pumps = [f"P{n % 25}" for n in range(100)]
    days = [f"2024-{1 + n // 28:02}-{1 + n % 28:02}" for n in range(100)]
    inference = made({"Pump ID": pumps, "Installed on": days, "usage": NUMBERS})
    assert "--id 'Pump ID' keeps" in said(inference, "entity")[0]
    assert "--time 'Installed on' makes" in said(inference, "date")[0]
    assert "date" not in kinds(made({"Installed on": days, "usage": NUMBERS}, time="Installed on"))
