"""Figures of an evaluation as text: a drawing within 80 columns, and generators side by side."""

from bot.reports.evaluation_text import evaluation_text, trade_off_drawing
from tests.bot.reports.samples import NOW, ROWS, WHOLE


def test_the_trade_off_is_drawn_within_80_columns_with_the_threshold_that_is_set():
    lines = trade_off_drawing(ROWS, NOW).splitlines()
    assert lines[0].startswith("100% ┤█")
    assert max(map(len, lines)) <= 80
    # The sixth line stands for 45 %: so many are wrongly answered at 0.275, between columns 16 and 17 of 60.
    assert lines[5][6:30] == "█" * 17 + "░" * 7
    assert {line.index("│", 6) for line in lines[:7]} == {lines[11].index("▲")} == {6 + 24}
    assert lines[-1].strip() == "▲ at your threshold of 0.40: 80.0% answered, 25.0% wrongly"


def test_a_terminal_without_blocks_gets_letters():
    assert trade_off_drawing(ROWS, NOW, plain=True).isascii()


def test_a_threshold_without_anything_to_compare_is_not_drawn():
    nothing = {"threshold": 0.4, "answered": None, "wrongly_answered": None}
    assert evaluation_text({"questions": 1, "thresholds": None, "threshold": nothing}) == "questions  1"


def test_models_stand_side_by_side_with_a_dash_where_nothing_is_known():
    lines = [" ".join(line.split()) for line in evaluation_text(WHOLE).splitlines()]
    assert lines[lines.index("answers A B") :] == [
        "answers A B",
        "questions 2 2",
        "asked 2 2",
        "answered 50.0% 100.0%",
        "tokens_in - -",
        "f1 0.250 0.250",
        "total_p50_ms 12 12",
        "gave_up - timeout",
        "fallback: timeout 1 1",
        "A is openai:<b>",
        "B is openai:c",
        "",
        "shares A B",
        "whole 1/2 50% (9% to 91%) -",
        "In brackets: between these lies the true share, in 95 of 100 such samples.",
        "",
        "by kind A B",
        "number: whole 1/2 50% (9% to 91%) -",
        "",
        "B - A difference from to",
        "answered +50.0% +10.0% +90.0% *",
        "95 of 100 draws of the same questions lie between.",
        "* is more than noise; of fewer than 20 questions nothing is said to be.",
    ]


def test_without_thresholds_there_is_no_second_table():
    assert evaluation_text({"questions": 1, "thresholds": None}) == "questions  1"


def test_what_no_question_allows_has_no_table():
    answers = {name: each | {"shares": {}, "kinds": {}} for name, each in WHOLE["answers"].items()}
    shown = evaluation_text({**WHOLE, "answers": answers})
    assert "shares" not in shown
    assert "by kind" not in shown
