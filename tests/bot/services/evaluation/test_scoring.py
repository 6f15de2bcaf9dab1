"""The ratios of one answer: its form, its citations, and how near it comes to what was judged."""

from typing import Any

import pytest

from bot.answering.answers import Answer, Citation, Sentence
from bot.services.evaluation.scoring import (
    cites_gold,
    count_verbatim,
    is_cited,
    quotes_gold,
    rates,
    score_format,
    token_overlap,
)
from retrieval.evaluation.judgements import Section
from retrieval.passages import EVERYONE, Hit, Passage

TEXT = "Five days may be carried over. Call before ten."


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param("It is five days [2]. Call before ten [1].", (2, 2), id="as-asked"),
        pytest.param("It is five days. [2]\n\nCall before ten. [1]", (2, 2), id="marks-behind-the-stop"),
        pytest.param("No. 7 is the form [1].", (1, 1), id="a-number-is-no-list"),
        pytest.param("It is five days.", (0, 1), id="without-a-mark"),
        pytest.param("# Leave\nIt is five days [2].", (1, 2), id="heading"),
        pytest.param("These hold:\n- five days [2]\n- before ten [1]", (0, 3), id="list"),
        pytest.param("1. It is five days [2].\n2. Call [1].", (0, 2), id="numbered"),
        pytest.param("| Days | 5 [2] |\n|---|---|", (0, 2), id="table"),
        pytest.param("```\nIt is five days [2].\n```", (0, 1), id="code"),
        pytest.param("It is **five** days [2].", (0, 1), id="bold"),
        pytest.param("It is [five days](https://e.example) [2].", (0, 1), id="link"),
        pytest.param("<think>\nIs it so?\n</think>\nIt is five days [2].", (1, 1), id="thinking-aloud"),
        pytest.param("NOT FOUND", (0, 0), id="not-found"),
        pytest.param("", (0, 0), id="nothing"),
    ],
)
def test_the_form_is_one_plain_sentence_after_the_other_each_with_its_mark(reply, expected):
    assert score_format(reply) == expected


def passage(text: str = TEXT, *, document: str = "hr/leave.md", version: str = "v") -> Passage:
    return Passage(document, 0, (), "", "", text, 0, len(text), version, "Leave", "", frozenset({EVERYONE}))


def answer(quote: str, *, shown: Passage, document: str = "hr/leave.md") -> Answer:
    citation = Citation(1, document, "Leave", "", "", "", quote, "v")
    return Answer("a", "", (Sentence(quote, (1,)),), (citation,), shown=(Hit(shown, 1.0),))


def test_a_gold_section_is_cited_when_the_passage_behind_the_quote_is_one():
    given = answer("Call before ten.", shown=passage())
    assert cites_gold(given, [lambda found: found.document == "hr/leave.md"])
    assert not cites_gold(given, [lambda found: found.document == "other"])
    assert not cites_gold(answer("Call", shown=passage(version="old")), [lambda found: True])


@pytest.mark.parametrize(
    ("quote", "document", "expected"),
    [
        pytest.param("Call before ten.", "hr/leave.md", True, id="inside"),
        pytest.param("Call before ten or eleven.", "hr/leave.md", False, id="three-of-five"),
        pytest.param("Call before ten.", "hr/other.md", False, id="another-document"),
        pytest.param("the", "hr/leave.md", False, id="no-words"),
    ],
)
def test_a_quote_is_of_a_gold_section_when_most_of_its_words_stand_there(quote, document, expected):
    given = answer(quote, shown=passage(), document=document)
    assert quotes_gold(given, [Section("leave", TEXT)]) is expected


def test_a_quote_that_is_not_in_the_document_is_found_out():
    citations = [*answer("Call before ten.", shown=passage()).citations, *answer("Call me.", shown=passage()).citations]
    assert count_verbatim(citations, lambda _: TEXT) == (1, 2)
    assert count_verbatim(citations, lambda _: "") == (0, 2)


@pytest.mark.parametrize(
    ("sentences", "cited"),
    [
        pytest.param((Sentence("a", (1,)),), True, id="cited"),
        pytest.param((Sentence("a", (1,)), Sentence("b", ())), False, id="one-without"),
        pytest.param((Sentence("a", (2,)),), False, id="a-number-that-is-nothing"),
        pytest.param((), False, id="no-sentence"),
    ],
)
def test_every_sentence_must_have_a_citation_that_there_is(sentences, cited):
    given: Any = answer("Call", shown=passage()).citations
    assert is_cited(Answer("a", "", sentences, given)) is cited


def test_the_nearest_reference_counts_and_articles_do_not():
    assert token_overlap("The five days", ["A five days", "Nothing at all"]) == (1.0, 1.0)
    assert token_overlap("five days more", ["five days"]) == pytest.approx((0.8, 1.0))
    assert token_overlap("", ["five days"]) == (0.0, 0.0)


def test_a_rate_adds_up_over_questions_and_is_none_of_nothing():
    assert rates([{"a": (1, 4)}, {"a": (1, 1)}, {}], ["a", "b"]) == {"a": 0.4, "b": None}
    assert rates([{"a": (0, 0)}], ["a"]) == {"a": None}
