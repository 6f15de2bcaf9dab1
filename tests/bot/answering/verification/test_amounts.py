"""Values that are written differently and mean the same, and those that do not."""

import pytest

from bot.answering.verification.amount_parser import find_amounts
from bot.answering.verification.amounts import Amount
from bot.answering.verification.tokenizer import tokenize


def amounts(text: str) -> list[Amount]:
    return [match.amount for match in find_amounts(tokenize(text))]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("thirty days", "30 days"),
        ("thirty (30) days", "30-day"),
        ("1,000 people", "1000 people"),
        ("twenty-five percent", "25 %"),
        ("2.5 million dollars", "$2,500,000"),
        ("£40", "40 pounds"),
        ("40 GBP", "£40"),
        ("at 5 pm", "at 17:00"),
        ("at 5:30 p.m.", "at 5.30pm"),
        ("at noon", "at 12:00"),
        ("on 1 October", "on October 1st"),
        ("on the 1st of October", "on 2024-10-01"),
        ("on Oct. 1", "on 1 October"),
        ("in May", "by May"),
        ("40 per cent", "40%"),
        ("on Mondays", "on Monday"),
        ("annually", "per year"),
        ("65 years old", "65 or older"),
        ("the third time", "the 3rd time"),
        ("within 10 full days", "within 10 days"),
    ],
)
def test_the_same_value_in_two_spellings(one: str, other: str) -> None:
    assert amounts(other)[0].supports(amounts(one)[0])


@pytest.mark.parametrize(
    ("claimed", "given"),
    [
        ("30 days", "30 hours"),
        ("30 days", "31 days"),
        ("$40", "£40"),
        ("40 percent", "40 dollars"),
        ("at 5 am", "at 17:00"),
        ("at 5 pm", "5 people"),
        ("1 October", "1 November"),
        ("monthly", "weekly"),
        ("at least 10 days", "at most 10 days"),
        ("10 working days", "10 days"),
        ("two weeks", "14 days"),
    ],
)
def test_different_values(claimed: str, given: str) -> None:
    assert not amounts(given)[0].supports(amounts(claimed)[0])


def test_members_of_a_range_share_their_unit() -> None:
    assert [amount.unit for amount in amounts("two to three weeks")] == ["week", "week"]
    assert [amount.unit for amount in amounts("$5 or 10")] == ["usd", "usd"]


@pytest.mark.parametrize("text", ["You may march on", "one of the forms", "First, call us", "third parties"])
def test_words_that_are_no_values(text: str) -> None:
    assert amounts(text) == []
