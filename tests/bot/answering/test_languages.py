"""The words of a language are data that ships with the package."""

import pytest

from bot.answering.languages import word_lists


def test_words_keep_their_order_and_tables_are_read_by_word():
    amounts = word_lists("amounts")
    assert amounts.ordered("months")[:2] == ["january", "february"]
    assert amounts.words("tens") >= {"twenty", "ninety"}
    assert amounts.by_word("qualifiers")["business"] == "working"
    assert amounts.table("multipliers")["hundred"] == 100
    assert amounts.alternatives("low_before").startswith("at least|")


@pytest.mark.parametrize("section", ["nonsense", ""])
def test_a_section_that_is_not_there_is_an_error(section):
    with pytest.raises(KeyError):
        word_lists(section)


def test_a_language_without_a_file_is_an_error():
    with pytest.raises(FileNotFoundError):
        word_lists("amounts", language="klingon")
