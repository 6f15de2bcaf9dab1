"""The forms in which texts are compared."""

import pytest

from feedback.texts.hashing import hash_to_number
from feedback.texts.words import MOST_CHARACTERS, collapse_whitespace, normalize, split_words


def test_texts_are_compared_without_case_width_and_punctuation():
    assert normalize("  How  MANY days？\n") == normalize("how many\tdays?")


def test_what_is_longer_than_any_question_is_compared_by_its_beginning():
    text = "leave " * MOST_CHARACTERS
    assert normalize(text) == normalize(f"{text} and travel")
    assert len(normalize(text)) == MOST_CHARACTERS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't e-mail ADA!", ["don't", "e-mail", "ada"]),
        ("At 9 a.m. – or later?", ["at", "9", "a.m", "or", "later"]),
        ("Ｗｉｄｅ ﬁle_name", ["wide", "file", "name"]),
        ("… ?", []),
        ("", []),
    ],
)
def test_words_keep_what_may_stand_inside_one(text, words):
    assert split_words(text) == words


def test_whitespace_of_every_kind_is_one_space():
    assert collapse_whitespace(" a\t\nb\u00a0 c ") == "a b c"


def test_half_a_character_has_a_hash():
    assert hash_to_number("\ud83d") != hash_to_number("?")
