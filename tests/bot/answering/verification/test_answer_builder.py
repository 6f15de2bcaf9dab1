"""An answer as it grows: its blocks, its text, and the links of what it quotes."""

import pytest

from bot.answering.answers import Answer, BlockStart
from bot.answering.verification.answer_builder import AnswerBuilder, text_with_citations
from bot.answering.writing.extractive import ExtractiveGenerator
from bot.answering.writing.generator import Draft, Quote
from retrieval.passages import Link, Passage


def passage(text: str, *links: Link) -> Passage:
    return Passage(
        "d", 0, ("H",), "h", "", text, 0, len(text), "v", "T", "", frozenset({"everyone"}), links=tuple(links)
    )


def built(source: Passage, *drafts: Draft) -> AnswerBuilder:
    builder = AnswerBuilder([source])
    list(builder.add(iter(drafts), ExtractiveGenerator()))
    return builder


def quoted(source: Passage, words: str, **more) -> Draft:
    start = source.text.index(words)
    return Draft(words, (0,), (Quote(0, start, start + len(words)),), **more)


def test_blocks_stand_apart_in_the_text_below_their_headings():
    source = passage("Ask first. You need:\n- a badge\n- a phone")
    builder = built(
        source,
        quoted(source, "Ask first.", starts=BlockStart("paragraph", "Rules"), more=1),
        quoted(source, "You need:", starts=BlockStart("list")),
        quoted(source, "- a badge", more=1),
    )
    assert text_with_citations(builder.sentences) == (
        "Rules\nAsk first. [1] … the section goes on\n\nYou need: [2]\n- a badge [3]\n… and 1 more in the section"
    )
    answer = Answer("a", "", tuple(builder.sentences))
    assert [(block.kind, block.heading, block.sentences, block.more) for block in answer.blocks] == [
        ("paragraph", "Rules", (0,), 1),
        ("list", "", (1, 2), 1),
    ]


def test_the_rows_of_a_table_are_cells_and_a_head_from_before_comes_first():
    source = passage("A | 5\nB | ")
    drafts = [quoted(source, "A | 5", starts=BlockStart("table", "Grade | Days")), quoted(source, "B |")]
    (block,) = Answer("a", "", tuple(built(source, *drafts).sentences)).blocks
    assert (block.heading, block.rows) == ("", (("Grade", "Days"), ("A", "5"), ("B", "")))


def test_a_list_of_a_model_is_a_block_and_what_stands_in_the_line_of_an_item_belongs_to_it():
    source = passage("Ask first. Take a badge. It is free. Take a phone. Then go. Call us.")
    given = built(
        source,
        Draft("Ask first.", (0,)),
        Draft("- Take a badge.", (0,), marker="-"),
        Draft("It is free.", (0,), same_line=True),
        Draft("- Take a phone.", (0,), marker="-"),
        Draft("Then go.", (0,)),
        quoted(source, "Call us."),
    )
    assert [sentence.text for sentence in given.sentences] == [
        "Ask first.",
        "- Take a badge.",
        "It is free.",
        "- Take a phone.",
        "Then go.",
        "Call us.",
    ]
    blocks = Answer("a", "", tuple(given.sentences)).blocks
    assert [(block.kind, block.sentences) for block in blocks] == [
        ("paragraph", (0,)),
        ("list", (1, 2, 3)),
        ("paragraph", (4, 5)),
    ]


def test_what_is_quoted_after_a_list_of_a_model_stands_apart():
    source = passage("Take a badge. Call us.")
    given = built(source, Draft("1. Take a badge.", (0,), marker="1."), quoted(source, "Call us."))
    assert [block.kind for block in Answer("a", "", tuple(given.sentences)).blocks] == ["steps", "paragraph"]


def test_sentences_of_a_model_are_one_block():
    source = passage("Ask first. Then book.")
    blocks = Answer(
        "a", "", tuple(built(source, Draft("Ask first.", (0,)), Draft("Then book.", (0,))).sentences)
    ).blocks
    assert [(block.kind, block.sentences) for block in blocks] == [("paragraph", (0, 1))]


def test_the_start_of_a_block_passes_on_to_its_next_sentence_where_the_first_stands_already():
    source = passage("Ask first. Then book.")
    first = quoted(source, "Ask first.", starts=BlockStart("paragraph"))
    again = quoted(source, "Ask first.", starts=BlockStart("paragraph", "Again"))
    builder = built(source, first, again, quoted(source, "Then book."))
    assert [each.starts and each.starts.heading for each in builder.sentences] == ["", "Again"]


def test_an_address_follows_the_words_that_lead_to_it():
    text = "Fill in the claim form."
    source = passage(text, Link(12, 22, "https://forms.example/claim"))
    assert (
        text_with_citations(built(source, quoted(source, text)).sentences)
        == f"{text} [1] <https://forms.example/claim>"
    )


@pytest.mark.parametrize(
    ("words", "url"),
    [
        pytest.param("https://pay.example", "https://evil.example/", id="words-of-another-address"),
        pytest.param("pay.example/login", "https://evil.example/", id="words-like-an-address"),
        pytest.param("the form", "https://pay.example@evil.example/", id="a-name-before-the-host"),
    ],
)
def test_an_address_that_would_deceive_is_not_shown(words, url):
    source = passage(f"See {words} now.", Link(4, 4 + len(words), url))
    assert built(source, quoted(source, f"See {words} now.")).sentences[0].links == ()


def test_signs_that_could_end_an_address_are_encoded():
    source = passage("See the form now.", Link(4, 12, 'https://pay.example/">x y'))
    assert (
        built(source, quoted(source, "See the form now.")).sentences[0].links[0].url
        == "https://pay.example/%22%3Ex%20y"
    )
