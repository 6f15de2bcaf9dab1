"""Answers as people read them: folded, with marks, notes and footnotes; the same whether whole or as they come."""

import pytest

from bot.answering.answers import Answer, AnswerWarning, BlockStart, Citation, Sentence, SentenceLink, TextStyle
from bot.channels.terminal import rendering
from bot.channels.terminal.rendering import Paragraphs
from retrieval.passages import Hit
from tests.bot.cli.samples import document, passages

LONG = "Whoever has been here for five years may take eight weeks away, two of which are paid in full."


def cited(quote: str, *, url: str = "") -> Answer:
    citation = Citation(1, "d", "Leave", "Leave > Carry-over", "carry", url, quote, "v")
    return Answer("a", f"{quote} [1]", (Sentence(quote, (1,)),), (citation,))


def test_sentences_run_on_and_are_folded():
    given = Answer("a", "", (Sentence("One two.", (1,)), Sentence("Three four.", (1, 2)), Sentence("Five.", ())))
    assert rendering.answer_text(given, width=20) == "One two. [1] Three\nfour. [1][2] Five."


def test_items_and_rows_have_lines_of_their_own():
    paragraphs = Paragraphs(40)
    printed = [
        paragraphs.add(Sentence(text, (1,))) for text in ("You need", "- a badge", "- a phone", "It is free.", "Ask.")
    ]
    assert printed == ["You need [1]", "\n- a badge [1]", "\n- a phone [1]", "\nIt is free. [1]", " Ask. [1]"]


def test_a_sentence_of_several_lines_keeps_them():
    paragraphs = Paragraphs(20)
    printed = "".join(paragraphs.add(Sentence(text, ())) for text in ("So:\n- one two three four five", "Then."))
    assert printed == "So:\n- one two three four\nfive\nThen."


def test_code_is_told_from_words_and_keeps_its_lines():
    paragraphs = Paragraphs(30)
    line = Sentence("Five days with carry -x.", (1,), styles=(TextStyle(0, 4, "strong"), TextStyle(15, 23, "code")))
    block = Sentence(
        "pip install a-very-long-name footnote\n  --upgrade | tee", (1,), styles=(TextStyle(0, 54, "block"),)
    )
    printed = "".join(map(paragraphs.add, (line, block, Sentence("Then.", ()))))
    assert printed.splitlines() == [
        "Five days with `carry -x`. [1]",
        "    pip install a-very-long-name footnote",
        "      --upgrade | tee",
        "[1]",
        "Then.",
    ]


@pytest.mark.parametrize("width", range(1, 40))
def test_no_line_is_wider_than_asked_unless_it_is_one_word(width):
    paragraphs = Paragraphs(width)
    printed = "".join(paragraphs.add(Sentence(text, (1,))) for text in (LONG, "", "Ask them."))
    assert all(len(line) <= width or " " not in line for line in printed.splitlines())
    assert printed.split() == f"{LONG} [1] [1] Ask them. [1]".split()


def test_what_was_not_found_says_so_and_names_what_is_near():
    near = tuple(Hit(each, 1.0) for each in passages(document()))
    shown = rendering.answer_text(Answer("a", "I could not find this in the documents.", abstained=True, nearest=near))
    assert shown.splitlines() == [
        "I could not find this in the documents.",
        "",
        "The closest sections:",
        "  - Leave › Carry-over",
        "    https://example.com/leave",
        "  - Leave › Illness",
        "    https://example.com/leave",
    ]


def test_an_answer_without_sentences_is_its_text():
    assert (
        rendering.answer_text(Answer("a", "Hello. Ask me about the documents.")) == "Hello. Ask me about the documents."
    )


def test_notes_stand_between_the_answer_and_its_footnotes():
    given = cited("Five days.")
    warned = Answer(
        given.id,
        given.text,
        given.sentences,
        given.citations,
        warnings=(AnswerWarning("conflict", "Another says six.", (1,)),),
        fallback="the model did not answer in time",
    )
    assert rendering.answer_text(warned).splitlines() == [
        "Five days. [1]",
        "",
        "Note: Another says six. [1]",
        "Note: the model did not answer in time",
        "",
        "[1] Leave › Carry-over",
        "    “Five days.”",
    ]


@pytest.mark.parametrize(
    ("quote", "shown"),
    [
        pytest.param(
            "Five days may be carried over into the next\nyear, and no more.",
            "Five days may be carried over into the next year, and no more.",
            id="broken-by-hand",
        ),
        pytest.param(
            "You need all of the following things, please:\n- a badge\n1. two", None, id="items-keep-their-lines"
        ),
        pytest.param("up to 2,500 pounds | department head\nabove that | director", None, id="rows-keep-their-lines"),
        pytest.param("make all\nmake install", None, id="short-lines-stay"),
    ],
)
def test_a_quote_loses_the_line_breaks_of_its_file_only_within_a_paragraph(quote, shown):
    footnote = rendering.footnotes_text(cited(quote), width=100).split("\n", 1)[1]
    assert footnote.replace("\n    ", "\n").strip() == f"“{shown or quote}”"


def test_blocks_stand_apart_below_their_headings_and_tell_what_they_leave_out():
    links = (SentenceLink("form", "https://forms.example/x"),)
    given = Answer(
        "a",
        "",
        (
            Sentence("Five days.", (1,), starts=BlockStart("paragraph", "Carry-over")),
            Sentence("You need:", (1,), starts=BlockStart("list", "Claims")),
            Sentence("- the form", (1,), links, more=2),
        ),
    )
    assert rendering.answer_text(given) == (
        "Carry-over\nFive days. [1]\n\nClaims\nYou need: [1]\n- the form [1] <https://forms.example/x>\n"
        "… and 2 more in the section"
    )
