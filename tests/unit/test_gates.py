"""An overlay's values for params.yaml: what nobody changed is set, what the team set stays."""

import pytest

from mlscaffold.errors import UserError
from mlscaffold.overlays.gates import GateChanges, read_gates, read_params, set_values

PARAMS = """\
# Numbers.
compare: # candidate against champion
  margin: 0.02 # PASS below it
  headline_margin: 0.02
bias:
  allow: [] # a list
  margin: 0.5
  mode: "split"   # a word
"""
STANDARD = read_params(PARAMS)


def standard() -> dict[tuple[str, str], object]:
    return STANDARD


def test_a_default_is_replaced_and_its_comment_stays() -> None:
    done = set_values(PARAMS, {("compare", "margin"): 0.01}, {}, standard)
    assert done == GateChanges(PARAMS.replace("margin: 0.02 # PASS", "margin: 0.01 # PASS"), ("compare.margin: 0.01",))


def test_the_value_of_another_section_and_words_are_told_apart() -> None:
    done = set_values(PARAMS, {("bias", "margin"): 0.4, ("bias", "mode"): "alone"}, {}, standard)
    assert "  margin: 0.4\n  mode: alone   # a word\n" in done.text
    assert "  margin: 0.02 # PASS" in done.text


def test_what_the_team_has_set_stays_and_is_named() -> None:
    mine = PARAMS.replace("margin: 0.02 # PASS", "margin: 0.05 # PASS")
    done = set_values(mine, {("compare", "margin"): 0.01}, {}, standard)
    assert (done.text, done.changed) == (mine, ())
    assert done.kept == ("compare.margin: 0.05 is your own value; the overlay sets 0.01",)


def test_what_the_overlay_set_before_is_replaced_without_asking_the_standard() -> None:
    before = {("compare", "margin"): 0.02}

    def never() -> dict[tuple[str, str], object]:
        raise AssertionError("the standard was asked")

    assert set_values(PARAMS, {("compare", "margin"): 0.03}, before, never).changed == ("compare.margin: 0.03",)
    assert set_values(PARAMS, {("compare", "margin"): 0.02}, {}, never) == GateChanges(PARAMS), "it is so already"


def test_what_cannot_be_set_is_named() -> None:
    assert (
        set_values(PARAMS, {("compare", "none"): 1}, {}, standard)
        .kept[0]
        .startswith("compare.none: params.yaml has no")
    )
    flow = "compare: {margin: 0.02}\n"
    done = set_values(flow, {("compare", "margin"): 0.01}, {}, standard)
    assert (done.text, "is not on a line of its own" in done.kept[0]) == (flow, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [\n", "cannot be read"),
        ("compare: 3\n", "holds `key: value`"),
        ("a: {b: [1]}\n", "not a number, text or boolean"),
    ],
)
def test_gates_that_say_something_else_are_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_gates(text, "gates.yaml")


def test_nothing_is_said_by_an_empty_file() -> None:
    assert read_gates("# nothing yet\n", "gates.yaml") == {}
