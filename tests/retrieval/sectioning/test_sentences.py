"""Sentences slice back to the text, and policies are cut where a person would cut them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.sectioning.sentences import row_cells, sentences

PIECES = st.sampled_from(
    [". ", "! ", "? ", "\n", "\n\n", " ", "e.g. ", "Dr. ", "14.2.3 ", "(a) ", "1. ", "- ", '." ', "…"]
)
TEXTS = st.lists(st.one_of(st.text(max_size=8), PIECES, st.sampled_from(["Leave", "is", "Due", "5.5"]))).map("".join)


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@given(TEXTS)
def test_nothing_but_space_is_lost_and_nothing_is_said_twice(text):
    spans = sentences(text)
    outside, last = [], 0
    for start, end in spans:
        assert last <= start < end
        assert text[start:end] == text[start:end].strip()
        outside.append(text[last:start])
        last = end
    outside.append(text[last:])
    assert "".join(outside).strip() == ""


@given(TEXTS, st.integers(0, 1000))
def test_an_offset_shifts_every_span(text, offset):
    assert sentences(text, offset=offset) == [(start + offset, end + offset) for start, end in sentences(text)]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t \n"])
def test_blank_text_has_no_sentences(text):
    assert sentences(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("One ends. Two begins.", ["One ends.", "Two begins."], id="two"),
        pytest.param("Really? Yes! Good.", ["Really?", "Yes!", "Good."], id="marks"),
        pytest.param('He said "no." Then he left.', ['He said "no."', "Then he left."], id="quote"),
        pytest.param("It ends (here.) It begins.", ["It ends (here.)", "It begins."], id="bracket"),
        pytest.param("Ask Dr. Adams or Mr. Obi.", ["Ask Dr. Adams or Mr. Obi."], id="titles"),
        pytest.param("Costs, e.g. London hotels, vary.", ["Costs, e.g. London hotels, vary."], id="for-example"),
        pytest.param("See No. 5 and fig. 3 of it.", ["See No. 5 and fig. 3 of it."], id="numbered"),
        pytest.param("May I? No. You may not.", ["May I?", "No.", "You may not."], id="a-plain-no"),
        pytest.param("Law No. (31) of 2021 applies.", ["Law No. (31) of 2021 applies."], id="bracketed-number"),
        pytest.param("The U.K. Government pays.", ["The U.K. Government pays."], id="initials"),
        pytest.param("It is 2.5 days. Not 3.", ["It is 2.5 days.", "Not 3."], id="decimals"),
        pytest.param("At 5 p.m. the office closes.", ["At 5 p.m. the office closes."], id="afternoon"),
        pytest.param("Wait ... until it ends.", ["Wait ... until it ends."], id="dots"),
        pytest.param("it goes on. and on.", ["it goes on. and on."], id="lower-case"),
        pytest.param("1. First\n2. Second", ["1. First", "2. Second"], id="list"),
        pytest.param("- one\n- two", ["- one", "- two"], id="bullets"),
        pytest.param("Either:\n(a) this; or\n(b) that.", ["Either:", "(a) this; or", "(b) that."], id="clauses"),
        pytest.param("14.2.3 A Person must act.", ["14.2.3 A Person must act."], id="clause-number"),
        pytest.param("A line\nthat goes on.", ["A line\nthat goes on."], id="wrapped"),
        pytest.param("One part\n\nAnother part", ["One part", "Another part"], id="paragraphs"),
        pytest.param("Pay £5. £6 is too much.", ["Pay £5. £6 is too much."], id="currency-stays"),
    ],
)
def test_examples(text, expected):
    assert cut(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("." * 300_000, id="dots"),
        pytest.param("." * 300_000 + " A", id="dots-that-end"),
        pytest.param("a" * 300_000 + ". A", id="one-word"),
        pytest.param("e.g. A " * 50_000, id="abbreviations"),
        pytest.param("a." * 150_000 + " A", id="initials"),
        pytest.param("1.a" * 100_000 + " A", id="numbers"),
        pytest.param("\n" * 300_000, id="lines"),
        pytest.param("\n 1.1.1" * 40_000, id="clauses"),
        pytest.param("A! " * 100_000, id="exclamations"),
        pytest.param('."' * 150_000, id="quotes"),
        pytest.param(". " + " " * 300_000 + "a", id="space"),
    ],
)
def test_no_text_takes_long(text):
    started = time.process_time()
    sentences(text)
    assert time.process_time() - started < 2.0


def test_the_cells_of_a_row_are_kept_apart_also_where_one_is_empty():
    assert row_cells("Rome |  | 90") == row_cells("Rome | | 90") == ["Rome", "", "90"]
    assert row_cells("Car | 45p |") == ["Car", "45p", ""]
    assert row_cells("a|b") == ["a|b"]
