"""Scores one answer in ratios that can be added up over questions (pure)."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bot.answering.answers import Answer, Citation
from bot.answering.writing.generator import Draft
from bot.answering.writing.refusals import is_refusal
from bot.answering.writing.stream_parser import StreamParser
from retrieval.evaluation.judgements import Section
from retrieval.evaluation.matching import Matcher, file_stem, words
from retrieval.passages import Passage

Ratio = tuple[float, float]
"""Numerator and denominator; a figure is the sum of the numerators divided by the sum of the denominators."""

ARTICLES = frozenset({"a", "an", "the"})
# Of a quote's words, how many must stand in a gold section for the quote to be of it.
QUOTED_SHARE = 0.8

THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
FENCE = re.compile(r"\s*(?:```|~~~)")
STRUCTURE = re.compile(r"\s*(?:#{1,6}\s|>|\||[*•–◦▪+-]\s|\(?(?:\d{1,2}|[a-z])[.)]\s|-{3,}\s*$)")
MARKUP = re.compile(r"\*\*|__|`|\]\(|<[a-z/][^<>]*>|\s\|\s", re.IGNORECASE)


def score_presence(answer: Answer) -> dict[str, Ratio]:
    """Return the figures that every answer has by itself: whether it is one, and whether it is cited throughout."""
    has_sentences = bool(answer.sentences)
    return {
        "answered": (has_sentences, 1),
        "abstained": (answer.abstained, 1),
        "sentences": (len(answer.sentences), has_sentences),
        "cited": (is_cited(answer), has_sentences),
    }


def is_cited(answer: Answer) -> bool:
    """Tell whether there are sentences and every one names citations, all of which exist."""
    known = {citation.number for citation in answer.citations}
    return bool(answer.sentences) and all(
        each.citations and known.issuperset(each.citations) for each in answer.sentences
    )


def answer_text(answer: Answer) -> str:
    """Return the sentences of an answer without citation marks; empty for an abstention."""
    return " ".join(sentence.text for sentence in answer.sentences)


def count_verbatim(citations: Iterable[Citation], text_of: Callable[[Citation], str]) -> Ratio:
    """Count the quotes that stand word for word in their document's text; an empty quote does not."""
    verbatim = [bool(each.quote) and each.quote in text_of(each) for each in citations]
    return sum(verbatim), len(verbatim)


def cites_gold(answer: Answer, golds: Sequence[Matcher]) -> bool:
    """Tell whether a cited passage is one of the gold sections, by the rule that holds for retrieval's hits."""
    passages = [hit.passage for hit in answer.shown]
    return any(
        is_gold(passage)
        for citation in answer.citations
        for passage in _cited_passage(citation, passages)
        for is_gold in golds
    )


def _cited_passage(citation: Citation, passages: Sequence[Passage]) -> list[Passage]:
    """Return the passage that the citation was made from: the first one of that version which contains the quote."""
    containing = [
        each
        for each in passages
        if (each.document, each.version) == (citation.document, citation.version) and citation.quote in each.text
    ]
    return containing[:1]


def quotes_gold(answer: Answer, sections: Sequence[Section]) -> bool:
    """Tell whether four fifths of a quote's words stand in a gold section of the same document."""
    return any(
        file_stem(citation.document) == file_stem(section.document.replace("/", "__"))
        and _covers(section.text, citation.quote)
        for citation in answer.citations
        for section in sections
    )


def _covers(text: str, quote: str) -> bool:
    terms = _terms(quote)
    return terms.total() > 0 and (terms & _terms(text)).total() >= QUOTED_SHARE * terms.total()


def token_overlap(text: str, references: Sequence[str]) -> tuple[float, float]:
    """Return token F1 and recall against the reference with the highest F1; there must be one."""
    return max(_overlap(_terms(text), _terms(reference)) for reference in references)


def _overlap(terms: Counter[str], reference: Counter[str]) -> tuple[float, float]:
    common = (terms & reference).total()
    if not common:
        return 0.0, 0.0
    precision, recall = common / terms.total(), common / reference.total()
    return 2 * precision * recall / (precision + recall), recall


def _terms(text: str) -> Counter[str]:
    return Counter(word for word in words(text) if word not in ARTICLES)


def score_format(reply: str) -> Ratio:
    """Count the sentences of a model's reply that have the form which the prompt asks for: plain, each with its mark.

    A line of a heading, a list, a table, a quotation or code counts as one sentence without it. `NOT FOUND` has none.
    """
    text = THOUGHT.sub("", reply)
    if is_refusal(text):
        return 0, 0
    well_formed = [each for line, is_code in _lines(text) for each in _check_sentences(line, is_code=is_code)]
    return sum(well_formed), len(well_formed)


def _lines(text: str) -> Iterable[tuple[str, bool]]:
    """Yield the lines that are not blank, each with whether it is code."""
    fenced = False
    for line in text.splitlines():
        fence = FENCE.match(line) is not None
        if line.strip() and not fence:
            yield line, fenced
        fenced ^= fence


def _check_sentences(line: str, *, is_code: bool) -> list[bool]:
    """Tell of each sentence of the line whether it is plain and marked."""
    if is_code or STRUCTURE.match(line):
        return [False]
    parser = StreamParser()
    drafts = [*parser.feed(line), *parser.close()]
    return [bool(each.claimed) and not MARKUP.search(each.text) for each in _final_drafts(drafts)] or (
        [False] if line.rstrip().endswith(":") else []  # what opens a list
    )


def _final_drafts(drafts: Iterable[Draft]) -> list[Draft]:
    """Return the last draft of each sentence."""
    kept: list[Draft] = []
    for draft in drafts:
        if draft.again and kept:
            kept.pop()
        kept.append(draft)
    return kept


def rates(rows: Sequence[Mapping[str, Ratio]], names: Sequence[str]) -> dict[str, Any]:
    """Return these figures over all questions; None where the denominators sum up to nothing."""
    return {name: rate([row[name] for row in rows if name in row]) for name in names}


def rate(ratios: Sequence[Ratio]) -> float | None:
    """Return the sum of the numerators divided by that of the denominators; None where that is 0."""
    numerator, denominator = (sum(column) for column in zip(*ratios, strict=True)) if ratios else (0, 0)
    return numerator / denominator if denominator else None
