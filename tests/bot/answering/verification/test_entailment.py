"""What a section supports and what it does not, rule by rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.verification.entailment import Verdict, best_supporting_text, check_entailment
from retrieval.sectioning.sentences import sentences

LEAVE = (
    "Full-time employees receive 25 days of paid leave a year. Up to five days may be carried over into the next year "
    "if the manager agrees in writing before 1 December. Leave must be requested at least two weeks in advance. "
    "Sick leave is not deducted from paid leave."
)
EXPENSES = (
    "Claims above £1,000 must be approved by the Finance Director. Receipts are required for every claim. "
    "Taxis may be used after 22:00, and first class travel is prohibited. Send Form EX-12 to claims@example.com "
    "within thirty (30) days of the trip. Meals are refunded up to £40 per day and hotels up to £150 per night."
)
ACCESS = (
    "Contractors must not share passwords.\n"
    "You need not report a lost badge on weekends.\n"
    "Visitors may enter the data centre only with an escort, unless the Security Officer has waived it.\n"
    "A password manager is optional.\n"
    "Before you leave you must return:\n"
    "- your badge\n"
    "- your laptop, unless it is older than four years\n"
    "Requests for privileged accounts should be renewed every quarter."
)
TEXTS = (LEAVE, EXPENSES, ACCESS)


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("Employees who work full-time get 25 days of paid leave each year.", LEAVE),
        ("You must ask for leave two weeks in advance.", LEAVE),
        ("Five days may be carried over to the next year when your manager agrees in writing.", LEAVE),
        ("No, sick leave isn't deducted from paid leave.", LEAVE),
        ("Claims over £1000 have to be approved by the Finance Director.", EXPENSES),
        ("You may use taxis after 10 pm.", EXPENSES),
        ("Travelling first class is not allowed.", EXPENSES),
        ("Form EX-12 goes to claims@example.com within 30 days of the trip.", EXPENSES),
        ("Meals are refunded up to 40 GBP a day.", EXPENSES),
        ("A receipt is required for each claim.", EXPENSES),
        ("Passwords must not be shared by contractors.", ACCESS),
        ("A lost badge does not have to be reported on weekends.", ACCESS),
        ("You must return your badge before you leave.", ACCESS),
        ("Using a password manager is not mandatory.", ACCESS),
        ("* Contractors cannot share passwords. [1]", ACCESS),
    ],
)
def test_what_the_text_says_in_other_words_is_supported(sentence: str, text: str) -> None:
    assert check_entailment(sentence, [text]) == Verdict(supported=True)


@pytest.mark.parametrize(
    ("sentence", "text", "reason"),
    [
        ("Dental treatment is covered by the health plan.", LEAVE, "words"),
        ("Yes.", LEAVE, "words"),
        ("", LEAVE, "words"),
        ("Full-time employees receive 28 days of paid leave a year.", LEAVE, "number"),
        ("Full-time employees receive five days of paid leave a year.", LEAVE, "number"),
        ("Full-time employees receive 25 weeks of paid leave a year.", LEAVE, "unit"),
        ("Full-time employees receive 25 days of paid leave a month.", LEAVE, "unit"),
        ("Leave must be requested at most two weeks in advance.", LEAVE, "number"),
        ("Up to five days may be carried over if the manager agrees before 1 October.", LEAVE, "date"),
        ("Up to five days may be carried over if the manager agrees before 12 December.", LEAVE, "date"),
        ("Meals are refunded up to £150 per day.", EXPENSES, "number"),
        ("Meals are refunded up to $40 per day.", EXPENSES, "unit"),
        ("Taxis may be used after 10 am.", EXPENSES, "date"),
        ("Claims above £1,000 must be approved by the Human Resources Director.", EXPENSES, "name"),
        ("Send Form EX-21 to claims@example.com within thirty days of the trip.", EXPENSES, "name"),
        ("Send Form EX-12 to refunds@example.com within thirty days of the trip.", EXPENSES, "link"),
        ("Send Form EX-12 to https://claims.example.org within thirty days of the trip.", EXPENSES, "link"),
        ("Sick leave is deducted from paid leave.", LEAVE, "negation"),
        ("Leave must not be requested at least two weeks in advance.", LEAVE, "negation"),
        ("First class travel is allowed.", EXPENSES, "negation"),
        ("Contractors may share passwords.", ACCESS, "negation"),
        ("Your laptop, if it is older than four years, must be returned.", ACCESS, "negation"),
        ("Leave may be requested at least two weeks in advance.", LEAVE, "modality"),
        ("Up to five days must be carried over into the next year.", LEAVE, "modality"),
        ("Taxis must be used after 22:00.", EXPENSES, "modality"),
        ("Receipts are optional for every claim.", EXPENSES, "modality"),
        ("You must report a lost badge on weekends.", ACCESS, "modality"),
        ("A password manager is mandatory.", ACCESS, "modality"),
        ("Requests for privileged accounts must be renewed every quarter.", ACCESS, "modality"),
    ],
)
def test_what_the_text_does_not_say_is_refused_with_the_reason(sentence: str, text: str, reason: str) -> None:
    verdict = check_entailment(sentence, [text])
    assert not verdict.supported
    assert verdict.reason == reason


@pytest.mark.parametrize("cited", [[], [""], ["  \n"]])
def test_a_sentence_that_cites_nothing_is_uncited(cited: list[str]) -> None:
    assert check_entailment("Leave must be requested.", cited) == Verdict(supported=False, reason="uncited")


def test_the_detail_names_what_stands_against_the_sentence() -> None:
    assert check_entailment("Full-time employees receive 28 days of paid leave a year.", [LEAVE]).detail == "28 days"
    assert "Dental" in check_entailment("Dental treatment is covered.", [LEAVE]).detail


def test_two_cited_texts_may_each_hold_a_part() -> None:
    sentence = "Full-time employees receive 25 days of paid leave, and receipts are required for every claim."
    assert check_entailment(sentence, [LEAVE, EXPENSES]).supported
    assert not check_entailment(sentence, [LEAVE]).supported


def test_two_values_of_a_kind_keep_their_places() -> None:
    text = "Applicants must be between 18 and 65 years old. Call 020 7946 0000 on weekdays or 020 7946 0999 at night."
    assert check_entailment("Applicants must be between 18 and 18 years old.", [text]).reason == "number"
    assert check_entailment("On weekdays, call 020-7946-0000.", [text]).supported
    assert not check_entailment("Call 020 7946 0001 on weekdays.", [text]).supported


def test_a_name_at_the_end_is_compared_whole() -> None:
    text = "Complaints are handled by the Federal Trade Commission. Ask Human Resources for help with anything else."
    assert check_entailment("Complaints are handled by Human Resources.", [text]).reason == "name"
    assert check_entailment("Complaints are handled by the FTC.", [text]).supported


def test_a_name_that_the_text_gives_to_something_else_is_refused() -> None:
    text = "Parental leave for up to a year is granted by the Board. Short unpaid leave is granted by Ada Lovelace."
    assert check_entailment("When you ask for up to a year, parental leave is granted by Ada.", [text]).reason == "name"


def test_each_sentence_of_several_must_be_supported() -> None:
    assert check_entailment(
        "Yes. Sick leave is not deducted. Receipts are required for every claim.", [LEAVE, EXPENSES]
    ).supported
    assert not check_entailment("Sick leave is not deducted. Receipts are required for every claim.", [LEAVE]).supported


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("You may report a lost badge to Security within a day.", False),
        ("You can report a lost badge to Security within a day.", True),
        ("You must report a lost badge to Security within a day.", True),
        ("You may visit the intranet for the form.", True),
        ("You may have to pay.", True),
        ("You may not have to pay.", False),
        ("An expired badge is not valid.", True),
        ("Keep all optional receipts.", False),
    ],
)
def test_an_instruction_is_not_a_permission(sentence: str, supported: bool) -> None:
    text = (
        "Report a lost badge to Security within a day. Visit the intranet for the form. You may have to pay. "
        "An expired badge is invalid. Keep all required receipts."
    )
    assert check_entailment(sentence, [text]).supported is supported


def test_what_a_list_allows_may_be_done() -> None:
    assert check_entailment(
        "You may use a taxi after 22:00.", ["You may:\n- Use a taxi after 22:00, if it rains.\n- Walk."]
    ).supported


@pytest.mark.parametrize(
    "graft",
    [
        ", and the manager buys the whole team a car",
        ", and leave that was forgotten is sold in autumn",
        " — mail us your password",
        "; the year begins on a sunny beach in Spain",
    ],
)
def test_a_true_clause_lends_nothing_to_one_that_was_added(graft: str) -> None:
    sentence = "Up to five days may be carried over into the next year if the manager agrees"
    assert check_entailment(f"{sentence}.", [LEAVE]).supported
    assert not check_entailment(f"{sentence}{graft}.", [LEAVE]).supported


def test_a_quote_that_leaves_its_denial_behind_is_refused() -> None:
    assert not check_entailment(
        "Share passwords.", [ACCESS.replace("Contractors must", "Contractors and guests must")]
    ).supported


def test_a_number_of_another_list_item_does_not_count_as_its_marker() -> None:
    text = "1. Lock your screen when you leave the desk.\n2. Report a lost badge to Security."
    assert check_entailment("1. Report a lost badge to Security.", [text]).reason == "number"
    assert check_entailment(
        "3) Lock the screen when leaving your desk.", ["Lock your screen when you leave the desk."]
    ).supported


def test_a_name_and_its_first_letters_are_one() -> None:
    assert check_entailment(
        "The SEC may inspect records.", ["The Securities Exchange Commission may inspect records."]
    ).supported
    text = "Records are kept for the NYS Department of Health."
    assert check_entailment("Records are kept for the New York State Department of Health.", [text]).supported


def test_the_best_supporting_text_is_the_one_that_says_most_of_the_sentence() -> None:
    assert best_supporting_text("Receipts are required for every claim.", TEXTS) == 1
    assert best_supporting_text("You must ask for leave two weeks in advance.", TEXTS) == 0
    assert best_supporting_text("Receipts are optional for every claim.", TEXTS) is None
    assert best_supporting_text("Receipts are required.", [EXPENSES, EXPENSES]) == 0
    assert best_supporting_text("Receipts are required.", []) is None
    assert best_supporting_text("", TEXTS) is None


PIECES = st.sampled_from([text[start:end] for text in TEXTS for start, end in sentences(text)])


@given(st.lists(PIECES, min_size=1, max_size=8), st.data())
def test_every_sentence_of_a_text_is_supported_by_it(pieces: list[str], data: st.DataObject) -> None:
    text = "\n\n".join(pieces)
    spans = sentences(text)
    start, end = data.draw(st.sampled_from(spans))
    assert check_entailment(" ".join(text[start:end].split()), [text]).supported


@given(st.text(max_size=200), st.lists(st.text(max_size=300), max_size=3))
def test_no_text_makes_it_raise(sentence: str, cited: list[str]) -> None:
    verdict = check_entailment(sentence, cited)
    assert verdict.supported == (verdict.reason == "")
    assert best_supporting_text(sentence, cited) in {None, *range(len(cited))}


SYMBOLS = """
1 2 30 1,000 0.5 500.000 [72] % $ £ . , ; : ( ) - / ' n't 's am p.m. may May not no must unless except if to per two
hundred first 1st day US U.S. half double a of all only before after within was paid by pay you"""


@given(st.lists(st.sampled_from([*SYMBOLS.split(), "leave", "Board", "12/3/2024", "2024-13-40", "99:99"]), max_size=25))
def test_no_order_of_values_and_small_words_makes_it_raise(parts: list[str]) -> None:
    text = " ".join(parts)
    verdict = check_entailment(text, [" ".join(reversed(parts))])
    assert verdict.supported == (verdict.reason == "")
    assert check_entailment(text, [text]).supported or not any(part.isalnum() for part in parts)
