"""Threat: a model that states a number which its section does not hold, in a form that nobody reads as a number."""

import pytest

from bot.answering.verification.amount_parser import find_amounts
from bot.answering.verification.entailment import check_entailment
from bot.answering.verification.number_forms import plain_numbers
from bot.answering.verification.tokenizer import tokenize

LEAVE = (
    "Full-time employees receive 25 days of paid leave a year. "
    "The deposit is 500 euros for each laptop and is paid back at the end."
)
DAYS = "Full-time employees receive {} days of paid leave a year."
DEPOSIT = "The deposit is {} for each laptop."

# Instead of "25".
OTHER_DAYS = (
    *(
        "(7)",
        "[7]",
        "[ 7 ]",
        "{7}",
        "<7>",
        "seven (7)",
        "25 (7)",
        "７",
        "２６",
        "٧",
        "७",
        "𝟕",
        "七",
        "①",
        "⑦",
        "➆",
        "7️⃣",
    ),
    *(
        "⁷",
        "₇",
        "2⁵",
        "25²",
        "25^2",
        "VII",
        "Ⅶ",
        "vii",
        "xxvi",
        "1/2",
        "25 1/2",
        "½",
        "25½",
        "⅔",
        "25e1",
        "2.5e2",
        "1e3",
    ),
    *("25k", "25K", "25 million", "25 m", "0x19", "0x25", "-25", "−25", "minus 25", "25 dozen", "a dozen", "two dozen"),
    *("half a dozen", "a hundred", "hundreds of", "several hundred", "thousands of", "a couple of", "25-30", "25–30"),
    *(
        "25 to 30",
        "25/30",
        "25 × 2",
        "25+5",
        "25,5",
        "25.5",
        "25·5",
        ".25",
        "2,5",
        "25 000",
        "25\u00a0000",
        "25\u2009000",
    ),
    *("25\u202f000", "25'000", "25’000", "25_000", "25.000", "25,000", "twenty-six", "twentysix", "a 26th", "the 7th"),
    *("twenty five hundred", "two hundred and fifty", "12345678901234567890", "1" * 400, "million " * 60),
)
# Instead of "500 euros".
OTHER_DEPOSITS = (
    *("(600) euros", "[600] euros", "€600", "EUR 600", "6e2 euros", "500 000 euros", "500'000 euros", "500_000 euros"),
    *("500.50 euros", "500 pounds", "500 per cent", "500 percent", "500 ‰", "500 per mille", "D euros", "5OO euros"),
    *(
        "500 euros [600 for a phone]",
        "500 euros (30 for a phone)",
        "half a thousand euros",
        "-500 euros",
        "５００ dollars",
    ),
)
# The same number in another form.
SAME = [
    (
        "The fee is 1,000 euros.",
        "The fee is {} euros.",
        ("1 000", "1\u202f000", "1'000", "1_000", "1e3", "1k", "１０００"),
    ),
    ("The share is 5%.", "The share is {}.", ("5 per cent", "five per cent", "5 percent", "(5) percent", "５ %")),
    ("It takes 2½ days.", "It takes {} days.", ("2.5", "2 1/2", "2½")),
    ("It takes 1/2 day.", "It takes {} day.", ("0.5", "½", ".5")),
    ("The duty is 5 ‰.", "The duty is {}.", ("5 per mille", "five permille")),
    ("It may be -5 degrees.", "It may be {} degrees.", ("minus 5", "-5")),
    ("It takes 12 days.", "It takes {} days.", ("a dozen", "twelve", "twelve (12)", "XII")),
    ("The account is 12345678901234567890.", "The account is {}.", ("12345678901234567890",)),
]


@pytest.mark.parametrize("number", OTHER_DAYS)
def test_another_number_is_not_shown_whatever_it_is_written_like(number):
    assert not check_entailment(DAYS.format(number), [LEAVE]).supported


@pytest.mark.parametrize("amount", OTHER_DEPOSITS)
def test_another_amount_is_not_shown_whatever_it_is_written_like(amount):
    assert not check_entailment(DEPOSIT.format(amount), [LEAVE]).supported


@pytest.mark.parametrize(
    ("text", "sentence"), [(text, claim.format(form)) for text, claim, forms in SAME for form in forms]
)
def test_the_same_number_in_another_form_is_shown(text, sentence):
    assert check_entailment(sentence, [text]).supported


def test_long_numbers_that_differ_in_their_last_digit_are_two():
    text = "The account of the fund is 12345678901234567890."
    assert not check_entailment("The account of the fund is 12345678901234567891.", [text]).supported


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("", ""),
        ("See 1.2, 2024 and 24/7.", "See 1.2, 2024 and 24/7."),
        ("Call 020 7946 0958 or 555-123-4567 on 1/2/2024.", "Call 020 7946 0958 or 555-123-4567 on 1/2/2024."),
        ("Rooms 12 and 345", "Rooms 12 and 345"),
        ("In 2024 500 people", "In 2024 500 people"),
        ("leave¹ of 20 m² in Part Ⅳ", "leave¹ of 20 m² in Part Ⅳ"),
        ("from 5-7, UTC-5, - 3 items", "from 5-7, UTC-5, - 3 items"),
        ("１ ٢ ३ ½ 1½ ⑦", "1 2 3  0.5  1.5  7 "),
    ],
)
def test_only_numbers_are_written_anew(text, plain):
    assert plain_numbers(text) == plain


def test_no_number_is_too_large_to_be_read():
    assert find_amounts(tokenize("million " * 200)) != []
    assert find_amounts(tokenize("9" * 5000)) == []
