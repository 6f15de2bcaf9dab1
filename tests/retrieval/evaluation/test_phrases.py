"""A phrase is found by its words, in order and together, of which one in eight may differ."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.evaluation.phrases import MAX_WORDS, ONE_MAY_DIFFER, find_phrase, visible_words

TEXT = visible_words("Anyone may carry over five days of leave into the next year, and must use them by 31 March.")


@pytest.mark.parametrize(
    ("phrase", "place"),
    [
        pytest.param("Anyone may carry over", 0, id="at-the-beginning"),
        pytest.param("FIVE days, of leave", 4, id="case-and-stops"),
        pytest.param("by **31 March**", 16, id="emphasis"),
        pytest.param("<b>next</b> [year](https://year.example/next)", 10, id="tags-and-links"),
        pytest.param("six days of leave", None, id="a-short-phrase-must-be-as-it-is"),
        pytest.param("days five of leave", None, id="in-order"),
        pytest.param("five days next year", None, id="together"),
        pytest.param("carry over six days of leave into the next", 2, id="one-of-nine-differs"),
        pytest.param("carry over five working days of leave into the", 2, id="one-of-nine-is-more"),
        pytest.param("carry over five days leave into the next year", 2, id="one-of-nine-is-missing"),
        pytest.param("carry over six days of leave into the last year", None, id="two-of-ten-differ"),
        pytest.param("?", None, id="no-words"),
    ],
)
def test_a_phrase_is_found_by_its_words(phrase, place):
    assert find_phrase(visible_words(phrase), TEXT) == pytest.approx(place, abs=1)


def test_a_phrase_that_stands_there_as_it_is_begins_where_it_begins():
    assert [find_phrase(TEXT[at : at + 10], TEXT) for at in range(9)] == list(range(9))


def test_accents_and_an_address_in_angle_brackets_are_words_as_any():
    assert visible_words("Café at <https://a.example>, if x < 5 and y > 3") == (
        "cafe at https a example if x 5 and y 3".split()
    )


def edits(phrase: list[str], text: list[str]) -> int:
    """Return the fewest words that differ between the phrase and any part of the text, by comparing all of them."""
    row = [0] * (len(text) + 1)
    for number, word in enumerate(phrase, start=1):
        before, row = row, [number]
        for at, other in enumerate(text):
            row.append(min(before[at] + (word != other), before[at + 1] + 1, row[at] + 1))
    return min(row)


@given(st.text("ab", min_size=1, max_size=20).map(list), st.text("abc", max_size=40).map(list))
def test_what_is_found_is_what_differs_little_enough(phrase, text):
    place = find_phrase(phrase, text)
    assert (place is not None) == (edits(phrase, text) <= len(phrase) // ONE_MAY_DIFFER)
    assert place is None or 0 <= place <= len(text)


def test_twice_as_long_a_text_takes_about_twice_as_long():
    phrase = ["a"] * (MAX_WORDS - 1) + ["b"]

    def seconds(size: int) -> float:
        started = time.process_time()
        assert find_phrase(phrase, ["c", *["a"] * 4] * (size // 5)) is None
        return time.process_time() - started

    assert seconds(80_000) < 10 * max(seconds(20_000), 0.01)


@pytest.mark.parametrize("hostile", ["[", "[a](", "<a ", "<a"])
def test_a_text_of_half_markup_is_read_in_one_go(hostile):
    started = time.process_time()
    visible_words(hostile * 100_000)
    assert time.process_time() - started < 5
