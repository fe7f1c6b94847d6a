"""The first questions: at most five, each checked against the table."""

from pathlib import Path

import pytest

from mlscaffold import show
from mlscaffold.errors import UserError
from mlscaffold.questions import ask_first


class Replies:
    """Answers in turn, and remembers what was asked."""

    def __init__(self, *replies: str | None) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, str, str]] = []

    def __call__(self, question: str, explained: str, default: str) -> str:
        self.asked.append((question, explained, default))
        reply = self.replies.pop(0)
        return default if reply is None else reply


def test_the_example_asks_for_nothing_but_the_table() -> None:
    ask = Replies(None)
    assert ask_first({}, None, ask) == (None, {})
    assert len(ask.asked) == 1


def test_five_questions_make_a_project(table: Path) -> None:
    ask = Replies(str(table), "churned", "sex", "", "")
    assert ask_first({}, None, ask) == (table, {"target": "churned", "protected": ["sex"], "time": "", "id": ""})
    assert [question for question, _, _ in ask.asked] == ["data", "target", "protected", "time", "id"]


def test_what_is_given_is_not_asked(table: Path) -> None:
    ask = Replies("", "age")
    answers = ask_first({"target": "churned", "protected": "sex"}, table, ask)[1]
    assert answers == {"time": "", "id": "age"}


def test_enter_takes_the_likely_target(table: Path, tmp_path: Path) -> None:
    assert ask_first({}, table, Replies(None, None, None, None))[1]["target"] == "churned"
    other = tmp_path / "other.csv"
    other.write_text("Label,a\n1,2\n0,3\n")
    assert ask_first({}, other, Replies(None, None, None, None))[1]["target"] == "Label"


def test_a_wrong_answer_is_asked_again_with_the_reason(table: Path) -> None:
    ask = Replies("nowhere.csv", str(table), "chured", "churned", "churned", "sex, age", "", "")
    assert ask_first({}, None, ask)[1]["protected"] == ["sex", "age"]
    reasons = [explained for _, explained, _ in ask.asked]
    assert "nowhere.csv" in reasons[1]
    assert "no column 'chured'" in reasons[3]
    assert "'churned' has another role already" in reasons[5]


def test_a_header_may_hold_a_comma(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text('"sex, at birth",y\nF,1\nM,0\n')
    assert ask_first({}, file, Replies("y", "sex, at birth", "", ""))[1]["protected"] == ["sex, at birth"]


def test_a_prompt_takes_enter_for_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("\nsex\n\n"))
    assert show.ask("time", "Which?", "") == ""
    assert show.ask("target", "Which?", "churned") == "sex"
    assert show.ask("target", "Which?", "churned") == "churned"
    assert "target [churned]: " in capsys.readouterr().err


def test_a_prompt_that_hears_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(UserError, match="no answer to 'time'"):
        show.ask("time", "Which?", "")
