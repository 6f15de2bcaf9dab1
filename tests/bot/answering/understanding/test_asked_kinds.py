"""What a question asks for, and what a text holds."""

import pytest

from bot.answering.understanding.asked_kinds import asked_kinds, kinds_in


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many days may I carry over?", "count"),
        ("how much do we pay for parking", "amount"),
        ("whats the limit for meals", "amount"),
        ("How long is probation?", "duration"),
        ("How much notice must I give?", "duration"),
        ("whens payday", "date"),
        ("What time does the desk open?", "date"),
        ("where is the claim form", "link"),
        ("how do i book a desk", "steps"),
        ("which allowances are there", "list"),
    ],
)
def test_a_question_tells_by_its_words_what_it_asks_for(question, kind):
    assert kind in asked_kinds(question)


def test_other_questions_ask_for_nothing_in_particular():
    assert asked_kinds("Can I work on a Sunday?") == frozenset()
    assert asked_kinds("") == frozenset()


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Within ten working days.", {"count", "duration", "date"}),
        ("It costs £40.", {"count", "amount"}),
        ("On the last Friday of each month.", {"date"}),
        ("Ask your manager.", set()),
    ],
)
def test_a_text_holds_kinds_by_its_words(text, kinds):
    assert kinds_in(text) == kinds
