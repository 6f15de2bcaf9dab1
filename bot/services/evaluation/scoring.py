"""What one answer is worth, in parts that can be added up over questions (pure)."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bot.answering.answers import Answer, Citation
from bot.answering.writing.chat_generator import NOT_FOUND
from bot.answering.writing.generator import Draft
from bot.answering.writing.stream_parser import StreamParser
from retrieval.evaluation.judgements import Section
from retrieval.evaluation.matching import Matcher, file_stem, words
from retrieval.passages import Passage

Part = tuple[float, float]
"""What was reached, and of how much; the figure is the one sum through the other."""

ARTICLES = frozenset({"a", "an", "the"})
# Of a quote's words, how many must stand in a gold section for the quote to be of it.
QUOTED_SHARE = 0.8

THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
FENCE = re.compile(r"\s*(?:```|~~~)")
STRUCTURE = re.compile(r"\s*(?:#{1,6}\s|>|\||[*•–◦▪+-]\s|\(?(?:\d{1,2}|[a-z])[.)]\s|-{3,}\s*$)")
MARKUP = re.compile(r"\*\*|__|`|\]\(|<[a-z/][^<>]*>|\s\|\s", re.IGNORECASE)


def shown(answer: Answer) -> dict[str, Part]:
    """What can be told of every answer by itself."""
    given = bool(answer.sentences)
    return {
        "answered": (given, 1),
        "abstained": (answer.abstained, 1),
        "sentences": (len(answer.sentences), given),
        "cited": (is_cited(answer), given),
    }


def is_cited(answer: Answer) -> bool:
    """Whether there are sentences and every one has a citation that there is."""
    known = {citation.number for citation in answer.citations}
    return bool(answer.sentences) and all(
        each.citations and known.issuperset(each.citations) for each in answer.sentences
    )


def spoken(answer: Answer) -> str:
    """The answer without its marks; empty for an abstention."""
    return " ".join(sentence.text for sentence in answer.sentences)


def verbatim(citations: Iterable[Citation], text_of: Callable[[Citation], str]) -> Part:
    """How many quotes stand word for word in their document's text."""
    found = [bool(each.quote) and each.quote in text_of(each) for each in citations]
    return sum(found), len(found)


def cites_gold(answer: Answer, golds: Sequence[Matcher]) -> bool:
    """Whether a passage that is cited is one of the gold sections, by the rule for retrieval's hits."""
    passages = [hit.passage for hit in answer.shown]
    return any(
        each(passage) for citation in answer.citations for passage in _behind(citation, passages) for each in golds
    )


def _behind(citation: Citation, passages: Sequence[Passage]) -> list[Passage]:
    """The passage that the citation was made from: the first one of that version which holds the quote."""
    holding = [
        each
        for each in passages
        if (each.document, each.version) == (citation.document, citation.version) and citation.quote in each.text
    ]
    return holding[:1]


def quotes_gold(answer: Answer, sections: Sequence[Section]) -> bool:
    """Whether four fifths of a quote's words stand in a gold section of the same document."""
    return any(
        file_stem(citation.document) == file_stem(section.document.replace("/", "__"))
        and _inside(citation.quote, section.text)
        for citation in answer.citations
        for section in sections
    )


def _inside(quote: str, text: str) -> bool:
    own = _terms(quote)
    return own.total() > 0 and (own & _terms(text)).total() >= QUOTED_SHARE * own.total()


def alike(text: str, references: Sequence[str]) -> tuple[float, float]:
    """Token F1 with the reference that is nearest, and the share of its tokens that the text holds."""
    return max(_alike(_terms(text), _terms(each)) for each in references)


def _alike(own: Counter[str], wanted: Counter[str]) -> tuple[float, float]:
    common = (own & wanted).total()
    if not common:
        return 0.0, 0.0
    precision, recall = common / own.total(), common / wanted.total()
    return 2 * precision * recall / (precision + recall), recall


def _terms(text: str) -> Counter[str]:
    return Counter(word for word in words(text) if word not in ARTICLES)


def form(reply: str) -> Part:
    """How many sentences of a model's reply are what was asked for: plain, one after the other, each with its mark.

    A line of a heading, a list, a table, a quotation or code counts as one that is not. `NOT FOUND` counts as none.
    """
    text = THOUGHT.sub("", reply)
    if NOT_FOUND.match(text):
        return 0, 0
    units = [plain for line, is_code in _lines(text) for plain in _units(line, is_code=is_code)]
    return sum(units), len(units)


def _lines(text: str) -> Iterable[tuple[str, bool]]:
    """The lines that are not blank, each with whether it is code."""
    fenced = False
    for line in text.splitlines():
        fence = FENCE.match(line) is not None
        if line.strip() and not fence:
            yield line, fenced
        fenced ^= fence


def _units(line: str, *, is_code: bool) -> list[bool]:
    """Whether each sentence of the line is plain and marked."""
    if is_code or STRUCTURE.match(line):
        return [False]
    cutter = StreamParser()
    drafts = [*cutter.feed(line), *cutter.close()]
    return [bool(each.claimed) and not MARKUP.search(each.text) for each in _last(drafts)] or (
        [False] if line.rstrip().endswith(":") else []  # what opens a list
    )


def _last(drafts: Iterable[Draft]) -> list[Draft]:
    """Each sentence once, as it was given out last."""
    kept: list[Draft] = []
    for draft in drafts:
        if draft.again and kept:
            kept.pop()
        kept.append(draft)
    return kept


def rates(rows: Sequence[Mapping[str, Part]], names: Sequence[str]) -> dict[str, Any]:
    """Each figure over all questions; None where there was nothing to reach."""
    return {name: rate([row[name] for row in rows if name in row]) for name in names}


def rate(parts: Sequence[Part]) -> float | None:
    reached, of = (sum(column) for column in zip(*parts, strict=True)) if parts else (0, 0)
    return reached / of if of else None
