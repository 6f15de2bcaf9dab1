"""Texts are cut, packed and put together without losing what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.answers import Answer, AnswerWarning
from bot.channels.presentation import notes, pack_lines, privacy_text, section_label, shorten, split_text


@pytest.mark.parametrize(
    ("title", "path", "label"),
    [
        ("Leave", "Leave > Carry-over", "Leave › Carry-over"),
        ("Handbook", "Leave > Carry-over", "Handbook › Leave › Carry-over"),
        ("Leave", "Leave", "Leave"),
        ("Leave", "", "Leave"),
    ],
)
def test_a_title_that_is_the_first_heading_stands_once(title, path, label):
    assert section_label(title, path) == label


def test_notes_get_the_marks_that_they_lack():
    answer = Answer(
        "a",
        "x",
        warnings=(AnswerWarning("conflict", "Two differ [1]", (1, 2)), AnswerWarning("superseded", "Old", (1, 2))),
        fallback="The model was slow.",
    )
    assert notes(answer, extra="By the way.") == [
        "Two differ [1] [2]",
        "Old [1] [2]",
        "The model was slow.",
        "By the way.",
    ]
    assert notes(answer, separator="")[1] == "Old [1][2]"
    assert notes(Answer("a", "x")) == []


def test_how_long_things_are_kept_is_told_and_nothing_at_all_is_for_good():
    text = privacy_text(keep_words=365, keep_exchanges=0)
    assert "are kept for 365 days, what is counted for good." in text


def test_no_escaped_sign_is_cut_through():
    assert shorten("abc &amp; def", 9) == "abc …"
    assert shorten("abc", 3) == "abc"


@given(st.text(alphabet="ab \n"), st.integers(2, 20))
def test_pieces_fit_and_hold_every_word(text, limit):
    pieces = split_text(text, limit)
    assert all(len(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_piece_ends_at_a_paragraph_else_a_line_else_a_word():
    assert split_text("one two\n\nthree four", 14) == ["one two", "three four"]
    assert split_text("one two\nthree four", 14) == ["one two", "three four"]
    assert split_text("one two three four", 14) == ["one two three", "four"]
    assert split_text("", 14) == []


def test_lines_are_packed_and_one_that_fits_nowhere_is_left_out_whole():
    assert list(pack_lines(["aaaa", "bbbb", "c" * 12, "dd"], 10)) == ["aaaa\nbbbb", "dd"]
    assert list(pack_lines([], 10)) == []
