"""Implements `KnowledgePort`: reads documents, checks sentences and builds prompts for training data and reports."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby

from bot.answering.verification.entailment import best_supporting_text, check_entailment
from bot.answering.verification.injection import PARAGRAPH_BREAK, is_injection
from bot.answering.verification.plain_text import LINE_MARKUP
from bot.answering.writing.prompts import NOT_FOUND_TOKEN, answer_prompt
from bot.answering.writing.refusals import is_refusal
from feedback.ports import TEXT_CACHE_SIZE, CurrentSection, FoundSection, Message
from feedback.records import AnswerSentence, Exchange, RetrievedPassage
from retrieval.index.protocols import IndexReader
from retrieval.passages import Passage, Query, Turn
from retrieval.search import Results
from retrieval.sectioning.sentences import sentences

DOCUMENT_CACHE_SIZE = 512
# As many hits as an answer is made from.
SEARCH_DEPTH = 10
# A text is searched for by its beginning.
MAX_QUERY_CHARACTERS = 1000

CITATION_MARK = re.compile(r"(?:(?<!\s)\s++)?\[\d{1,3}\]")
FINAL_STOP = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+$")


class KnowledgeAdapter:
    """A `KnowledgePort` over an index and a search.

    Documents are cached: one that changes afterwards may still be read as it was.
    """

    def __init__(self, index: IndexReader, search: Callable[..., Results], *, language: str) -> None:
        self._index = index
        self._search = search
        self._language = language
        self._sections_of = lru_cache(maxsize=DOCUMENT_CACHE_SIZE)(self._read_sections)

    def current_section(self, document: str, anchor: str) -> CurrentSection | None:
        """Return the section with this anchor; None when the document or the anchor is gone."""
        return self._sections_of(document).get(anchor)

    def supports(self, sentence: str, texts: Sequence[str]) -> bool:
        """Tell whether these texts together support the sentence; instructions to a model in them support nothing."""
        texts = [remove_injections(text) for text in texts]
        return check_entailment(sentence, texts, language=self._language).supported

    def cite_sentences(self, text: str, passages: Sequence[str]) -> list[AnswerSentence]:
        """Cut a text into sentences, each with the number (from 1) of the passage that supports it, or with none."""
        texts = [remove_injections(passage) for passage in passages]
        cited = []
        for start, end in sentences(text):
            sentence = CITATION_MARK.sub("", " ".join(text[start:end].split()))
            position = self._supporting_text(sentence, texts)
            cited.append(AnswerSentence(sentence, () if position is None else (position + 1,)))
        return cited

    def is_refusal(self, text: str) -> bool:
        """Tell whether a text says, in whatever words, only that the documents do not hold the answer."""
        return is_refusal(text)

    def search(self, exchange: Exchange) -> list[FoundSection]:
        """Return what the question of this exchange finds now, with its history and for its groups, best first."""
        return self._find(Query(exchange.question, _turns(exchange), exchange.groups))

    def sections_supporting(self, text: str, groups: frozenset[str]) -> list[FoundSection]:
        """Return the sections that these groups may read and that support every sentence of a text, best first."""
        found = self._find(Query(text[:MAX_QUERY_CHARACTERS], (), groups))
        return [section for section in found if self._supports_all(text, section)]

    def _find(self, query: Query) -> list[FoundSection]:
        results = self._search(query, top=SEARCH_DEPTH)
        return [
            FoundSection(
                p.document, p.anchor, p.version, p.embedded_text, hit.score, results.confidence, p.embedded_heading
            )
            for hit in results.hits
            for p in [hit.passage]
        ]

    def _supports_all(self, text: str, section: FoundSection) -> bool:
        """Tell whether the section supports every sentence of a text; a text without sentences is not supported."""
        cited = self.cite_sentences(text, [f"{section.title}\n\n{section.text}"])
        return bool(cited) and all(sentence.citations for sentence in cited)

    def prompt(self, exchange: Exchange, shown: Sequence[RetrievedPassage]) -> tuple[Message, ...]:
        """Build what a model is sent for this question over these passages; the delimiter is derived from the id."""
        delimiter = f"#{hashlib.sha256(exchange.id.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
        passages = [_passage(each) for each in shown]
        prompt = answer_prompt(exchange.question, _turns(exchange), passages, delimiter=delimiter)
        return (("system", prompt.system), ("user", prompt.user))

    def completion(self, sentences: Sequence[AnswerSentence]) -> str:
        """Write the answer as the prompt's rules ask for it, `It is five days [2].`; without sentences the refusal."""
        return " ".join(_with_marks(sentence) for sentence in sentences) or NOT_FOUND_TOKEN

    def _supporting_text(self, sentence: str, texts: Sequence[str]) -> int | None:
        """Return the position of a text that supports the sentence: the first that contains it, else the best."""
        for position, text in enumerate(texts):
            if (
                sentence in " ".join(text.split())
                and check_entailment(sentence, [text], language=self._language).supported
            ):
                return position
        return best_supporting_text(sentence, texts, language=self._language)

    def _read_sections(self, document: str) -> Mapping[str, CurrentSection]:
        """Return the sections of a document by their anchors; nothing for one that is gone."""
        current = self._index.document(document)
        if current is None:
            return {}
        ordered = sorted(self._index.sections(document), key=lambda each: (each.anchor, each.ordinal))
        sections = {}
        for anchor, group in groupby(ordered, key=lambda each: each.anchor):
            passages = list(group)
            texts = tuple(each.embedded_text for each in passages)
            audience = passages[0].audience
            sections[anchor] = CurrentSection(passages[0].version, "\n\n".join(texts), audience, current.owner, texts)
        return sections


@lru_cache(maxsize=TEXT_CACHE_SIZE)
def remove_injections(text: str) -> str:
    """Return a text without the paragraphs that instruct a model; the same object where there are none."""
    paragraphs = PARAGRAPH_BREAK.split(text)
    kept = [each for each in paragraphs if not is_injection(each)]
    return text if len(kept) == len(paragraphs) else "\n\n".join(kept)


def _turns(exchange: Exchange) -> tuple[Turn, ...]:
    return tuple(Turn(role, text) for role, text in exchange.history)


def _passage(shown: RetrievedPassage) -> Passage:
    """Return what was shown as a passage that a prompt can be built of."""
    headings = tuple(each for each in shown.section.split(" > ") if each)
    return Passage(
        shown.document,
        0,
        headings,
        shown.anchor,
        "",
        shown.text,
        0,
        len(shown.text),
        shown.version,
        shown.title,
        "",
        frozenset(),
    )


def _with_marks(sentence: AnswerSentence) -> str:
    """Return the sentence on one line without the mark of a list item, its citations before the full stop."""
    text = LINE_MARKUP.sub("", " ".join(sentence.text.split()))
    marks = "".join(f"[{number}]" for number in sentence.citations)
    stop = FINAL_STOP.search(text)
    end = stop.start() if stop else len(text)
    return f"{text[:end]} {marks}{text[end:]}" if marks else text
