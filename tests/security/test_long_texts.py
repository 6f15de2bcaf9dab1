"""Threat: a line or section of a size that nobody writes, which everything after it has to look at."""

from dataclasses import replace

import pytest

from bot.answering.annotation.claims import extract_claim
from bot.answering.verification.entailment import MAX_ITEMS, check_entailment
from bot.answering.verification.injection import LONGEST_SECTION, trusted_spans, trusted_text
from bot.answering.verification.parsing import MAX_TOKENS, parse_text
from bot.answering.verification.verifier import SentenceVerifier
from bot.answering.writing.generator import Draft
from bot.answering.writing.prompts import answer_prompt
from bot.answering.writing.stream_parser import StreamParser
from retrieval.parsing.html import parser as html
from retrieval.parsing.markdown import parser as markdown
from retrieval.parsing.protocol import Parsed
from retrieval.sectioning.sentences import LONGEST_SENTENCE, sentences
from tests.security.foreign_values import passage

RULE = "Staff may carry over five days of leave."


@pytest.mark.parametrize("unit", ["a-", "word ", "1 | ", "x"])
def test_no_sentence_is_longer_than_any_sentence_and_none_of_it_is_lost(unit):
    text = f"{RULE} {unit * 20_000}"
    spans = sentences(text)
    assert max(end - start for start, end in spans) <= LONGEST_SENTENCE
    assert "".join(text[start:end] for start, end in spans).replace(" ", "") == text.replace(" ", "")


def test_a_line_that_is_too_long_supports_its_own_words_alone():
    text = f"{RULE} Managers approve it within {'very ' * MAX_TOKENS}long days"
    parsed = parse_text(text, "english")
    assert not parsed.is_read
    assert check_entailment(RULE, [text]).supported
    assert not check_entailment("Managers approve leave within long days.", [text]).supported


def test_a_sentence_of_too_many_words_is_supported_by_nothing_but_the_same_words():
    many = " ".join(f"rule{number}" for number in range(MAX_ITEMS + 1))
    assert check_entailment(f"{many}.", [f"{RULE} {many}."]).supported
    assert not check_entailment(f"{many}, also.", [f"{RULE} {many}."]).supported


def test_a_claim_beyond_the_longest_is_none():
    assert extract_claim(RULE, "english") is not None
    assert extract_claim(f"{RULE[:-1]} {'a-' * 5000}", "english") is None


def test_what_stands_beyond_the_end_of_the_longest_section_proves_nothing():
    filling = "Lunch is at noon. " * (LONGEST_SECTION // 18 + 10)
    early, late = passage(f"{RULE} {filling}"), passage(f"{filling} {RULE}")
    assert max(end for _, end in trusted_spans(late)) <= LONGEST_SECTION
    assert trusted_text(late).endswith("noon.")
    draft = Draft(RULE, (0,))
    assert SentenceVerifier([early], language="english").verify(draft)
    assert SentenceVerifier([late], language="english").verify(draft) is None


def test_no_model_is_given_more_of_a_section():
    prompt = answer_prompt("How many days?", (), [passage("a-" * 100_000)], delimiter="#0")
    assert len(prompt.user) < LONGEST_SECTION + 1000


@pytest.mark.parametrize("unit", ["a-", "\n", " ", "<think>", "[", "x "])
def test_no_sentence_of_a_model_is_longer_than_two(unit):
    parser = StreamParser()
    drafts = [*parser.feed(f"{unit * 20_000} Yes [1]."), *parser.close()]
    assert all(len(each.text) <= 3100 for each in drafts)


@pytest.mark.parametrize("parse", [html.parse, markdown.parse])
def test_html_that_is_nested_too_deep_is_cut_with_a_note(parse):
    deep, flat = (
        parse("a", f"<p>{RULE}</p>{'<div>' * depth}<p>Deep.</p>{'</div>' * depth}".encode()) for depth in (3000, 100)
    )
    assert isinstance(deep, Parsed)
    assert isinstance(flat, Parsed)
    assert "Deep" in flat.text
    assert flat.notes == ()
    assert "Deep" not in deep.text
    (note,) = deep.notes
    assert (note.reason, "nested too deep" in note.detail) == ("too-large", True)
    assert replace(deep, notes=()).text.startswith("Staff")
