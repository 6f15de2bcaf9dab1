"""Texts as the blocks that people read: nothing is lost, nothing stands twice, and openings go with what they open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.sectioning.blocks import TextBlock, text_blocks

PIECES = [
    "Call us.",
    "You need:",
    "What is it?",
    "- a badge",
    "  - small",
    "1. Ask.",
    "a | b",
    "c | d",
    "\n",
    "\n\n",
    " ",
    "•",
    "x",
]


def read(text: str, *, goes_on: bool = False) -> list[tuple[str, str | None, list[str]]]:
    return [
        (
            block.kind,
            text[slice(*block.opening)] if block.opening else None,
            [text[start:end] for start, end in block.parts],
        )
        for block in text_blocks(text, goes_on=goes_on)
    ]


def test_paragraphs_are_blocks_of_sentences():
    assert read("Leave is paid. It is not short.\n\nAsk first.") == [
        ("paragraph", None, ["Leave is paid.", "It is not short."]),
        ("paragraph", None, ["Ask first."]),
    ]


def test_a_list_takes_its_opening_from_the_paragraph_above_it():
    assert read("Bring proof. You need:\n\n- a badge\n- a phone\n  that works\n\nThen call.") == [
        ("paragraph", None, ["Bring proof."]),
        ("list", "You need:", ["- a badge", "- a phone\n  that works"]),
        ("paragraph", None, ["Then call."]),
    ]


def test_numbered_items_are_steps_also_where_blank_lines_part_them():
    assert read("How to book\n\n1. Ask.\n\n2. Book.") == [("steps", "How to book", ["1. Ask.", "2. Book."])]


def test_a_paragraph_between_two_steps_belongs_to_the_first_of_them():
    assert read("1. Fill the trough.\n\nUse the red one.\n\n2. Shut the gate.") == [
        ("steps", None, ["1. Fill the trough.\n\nUse the red one.", "2. Shut the gate."])
    ]
    assert [parts for _, _, parts in read("1. Ask.\n2. Book.\n\nTo claim\n\n1. Ask.")] == [
        ["1. Ask.", "2. Book."],
        ["1. Ask."],
    ]


def test_rows_stand_below_the_head_of_their_table():
    assert read("Grade | Days\nA | 5\nB | 6\n\nGrade | Pay\nA | 1") == [
        ("table", "Grade | Days", ["A | 5", "B | 6"]),
        ("table", "Grade | Pay", ["A | 1"]),
    ]


def test_rows_of_a_table_that_goes_on_have_no_head_among_them():
    assert read("A | 5\nB | 6", goes_on=True) == [("table", None, ["A | 5", "B | 6"])]
    assert read("A | 5\nB | 6") == [("table", "A | 5", ["B | 6"])]


def test_a_question_goes_with_the_paragraph_that_answers_it():
    assert read("Can I carry days over?\n\nNo.") == [("paragraph", "Can I carry days over?", ["No."])]


def test_a_long_paragraph_opens_a_list_only_with_a_colon():
    long = "Everybody " + "who works here " * 10 + "is welcome"
    assert [kind for kind, opening, _ in read(f"{long}.\n\n- Ask.") if opening is None] == ["paragraph", "list"]
    assert read(f"{long}:\n\n- Ask.") == [("list", f"{long}:", ["- Ask."])]


def test_an_opening_that_nothing_follows_stands_alone():
    assert read("Please note:") == [("paragraph", None, ["Please note:"])]
    assert read("Note:\n\nPlease read:\n\n- this") == [
        ("paragraph", None, ["Note:"]),
        ("list", "Please read:", ["- this"]),
    ]


@pytest.mark.parametrize("text", ["", " ", "\n \n\t"])
def test_a_blank_text_has_no_blocks(text):
    assert text_blocks(text) == []


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.booleans())
def test_the_blocks_together_say_all_that_the_text_says_once_and_in_order(pieces, goes_on):
    text = "\n".join(pieces)
    blocks = text_blocks(text, goes_on=goes_on)
    spans = [span for block in blocks for span in _spans(block)]
    assert all(start < end for start, end in spans)
    assert spans == sorted(spans)
    assert "".join("".join(text[start:end] for start, end in spans).split()) == "".join(text.split())


def _spans(block: TextBlock) -> list[tuple[int, int]]:
    return [*([block.opening] if block.opening else []), *block.parts]
