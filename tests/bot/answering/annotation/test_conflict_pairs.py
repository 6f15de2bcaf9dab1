"""How many of the pairs of sections that give two values for one thing are noticed, and that no other pair is."""

import pytest

from bot.answering.annotation.conflicts import cited_statements, find_differences
from bot.answering.answers import Sentence
from retrieval.sectioning.sentences import sentences
from tests.bot.answering.annotation.pairs import AGREEING, CONFLICTING, Pair
from tests.bot.answering.annotation.samples import citation_of, passage

NOTICED = 34  # of 42


def conflicts(pair: Pair) -> list[tuple[str, str]]:
    """The values of every conflict that is noticed when the first section answers the question."""
    headings, others = tuple(pair.heading.split(" > ")), tuple(pair.other_heading.split(" > "))
    first = passage("hr/a.md", pair.text, title=headings[0], headings=headings)
    second = passage("hr/b.md", pair.other_text, title=others[0], headings=others)
    shown = [Sentence(pair.text[start:end], (1,)) for start, end in sentences(pair.text)]
    statements = cited_statements(shown, [citation_of(1, first)], [first, second], language="english")
    found = find_differences(statements, [first, second], pair.question, language="english")
    return [each.values for each in found if each.kind == "conflict"]


def turned(pair: Pair) -> Pair:
    return Pair(pair.question, pair.other_heading, pair.other_text, pair.heading, pair.text)


def test_most_pairs_that_give_two_values_for_one_thing_are_noticed_from_both_sides():
    missed = [pair.text for pair in CONFLICTING if not (conflicts(pair) and conflicts(turned(pair)))]
    assert len(CONFLICTING) - len(missed) >= NOTICED, missed


@pytest.mark.parametrize("pair", AGREEING, ids=[pair.text for pair in AGREEING])
def test_pairs_that_speak_of_different_things_or_agree_raise_no_alarm(pair):
    assert conflicts(pair) == conflicts(turned(pair)) == []


@pytest.mark.parametrize(
    ("question", "one", "other", "values"),
    [
        (
            "When does my screen lock?",
            "Set your laptop to lock its screen after 10 minutes without input.",
            "Screens must lock automatically after five minutes of inactivity.",
            ("10 minutes", "five minutes"),
        ),
        (
            "How often are access rights reviewed?",
            "Access rights are reviewed quarterly.",
            "User access rights are reviewed twice a year by the owner of the system.",
            ("quarterly", "twice a year"),
        ),
        (
            "How long are applications kept?",
            "Applications of rejected candidates are kept for six months.",
            "Applications of rejected candidates are deleted after 12 months.",
            ("six months", "12 months"),
        ),
        (
            "How long are printer repair tickets of the Leeds site kept?",
            "The Leeds site keeps all repair desk tickets for 90 days.",
            "Printer fault tickets (Leeds): delete after six months.",
            ("90 days", "six months"),
        ),
        (
            "How many wrong codes until the till shuts?",
            "The till shuts after 4 wrong codes.",
            "Enter a wrong code three times, and the till shuts.",
            ("4 wrong", "three times"),
        ),
        (
            "Who approves swapping a shift?",
            "Swapping a shift is approved by a team lead.",
            "If you wish to swap a shift, the head of operations has to approve the swap.",
            ("team lead", "head of operations"),
        ),
        (
            "When is payday?",
            "Salaries are paid on the 25th of each month.",
            "We pay salaries on the 28th of every month.",
            ("the 25th", "the 28th"),
        ),
        (
            "How many days of leave can be carried over?",
            "At most 5 unused days can be carried over.",
            "You can carry over 8 unused days of leave.",
            ("5 days", "8 days"),
        ),
        (
            "From which day is a fine due for an overdue book?",
            "If a book is overdue for eight or more calendar days, you owe a fine.",
            "A fine for an overdue book is due from the fifth calendar day.",
            ("eight days", "fifth day"),
        ),
        (
            "When are the quiet hours?",
            "The quiet hours are 13:00 to 15:00.",
            "Take calls outside, and whisper in the quiet hours, which are 13:00 to 16:00.",
            ("15:00", "16:00"),
        ),
    ],
)
def test_a_conflict_names_the_values_as_they_are_written(question, one, other, values):
    pair = Pair(question, "Rules", one, "Handbook", other)
    assert conflicts(pair) == [values]
    assert conflicts(turned(pair)) == [values[::-1]]


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        ("How long is my data kept?", "Data is erased within 30 days of a request.", "Data is kept for six years."),
        ("When is an ill person's note due?", "A note is due after three days.", "A note is due from the fourth day."),
        ("Who approves leave?", "Your line manager approves leave.", "HR records the approved leave."),
        ("Who approves orders?", "Orders up to £500 are approved by the manager.", "Orders are approved by the board."),
        ("How often is it reviewed?", "This policy is reviewed quarterly.", "This policy is reviewed every year."),
        ("How big is a team?", "For example, a team of ten has two leads.", "A team of ten has three leads."),
        ("What is in the report?", "The monthly report lists costs.", "The quarterly report lists costs."),
        ("How long is a password?", "A password has at least 12 letters.", "A password has a maximum of 64 letters."),
    ],
    ids=["deletion", "off by one", "other deed", "threshold", "of itself", "example", "adjective", "bounds"],
)
def test_values_that_only_seem_to_differ_are_no_conflict(question, one, other):
    assert conflicts(Pair(question, "Rules", one, "Handbook", other)) == []
