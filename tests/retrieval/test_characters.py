"""What each function removes, over every code point that there is."""

import sys
import unicodedata

from retrieval.characters import (
    FORMAT_CATEGORY,
    HIDDEN_CATEGORIES,
    SPACE_CONTROLS,
    clean,
    escape_in_json,
    one_line,
    remove_hidden,
    remove_terminal_controls,
)

EVERY_CHARACTER = "".join(map(chr, range(sys.maxunicode + 1)))


def test_space_controls_are_the_control_characters_that_are_white_space():
    assert {
        c for c in EVERY_CHARACTER if c.isspace() and unicodedata.category(c) in HIDDEN_CATEGORIES
    } == SPACE_CONTROLS


def test_hidden_characters_are_removed_by_category_except_those_to_keep():
    kept = [c for c in EVERY_CHARACTER if c.isspace() or unicodedata.category(c) not in HIDDEN_CATEGORIES]
    assert remove_hidden(EVERY_CHARACTER) == "".join(kept)
    alone = [c for c in EVERY_CHARACTER if unicodedata.category(c) not in HIDDEN_CATEGORIES or c == "\n"]
    assert remove_hidden(EVERY_CHARACTER, keep=frozenset("\n")) == "".join(alone)
    unformatted = [c for c in EVERY_CHARACTER if unicodedata.category(c) != "Cf"]
    assert remove_hidden(EVERY_CHARACTER, categories=FORMAT_CATEGORY) == "".join(unformatted)


def test_text_without_hidden_characters_stays_as_it_is():
    assert remove_hidden("Überstunden,\tzehn\nam Tag") == "Überstunden,\tzehn\nam Tag"
    assert remove_hidden("") == ""


def test_a_terminal_gets_tabs_and_newlines_and_nothing_that_moves_its_cursor_or_turns_the_text():
    assert remove_terminal_controls("\x1b[31mred\x7f\x9b\u202e\u2066\u200f\ttab\nline") == "[31mred\ttab\nline"


def test_a_documents_text_has_plain_line_ends_and_spaces_and_keeps_its_joiners():
    assert clean("a\r\nb\u2028c\u00a0d\u200be\u00ad\U000e0041") == "a\nb\nc de"
    assert clean("e\u0301\u200d") == "\u00e9\u200d"
    assert one_line(" a\n\u00a0 b\t") == "a b"


def test_json_is_escaped_where_it_could_take_over_a_terminal_or_end_a_line():
    assert escape_in_json('"a\x9b\u2028\ud800\u202eä"') == '"a\\u009b\\u2028\\ud800\\u202eä"'
