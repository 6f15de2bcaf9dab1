"""What feedback asks of the documents and the prompts when it makes training data: a `KnowledgePort`."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby

from bot.answering.verification.entailment import best_supporting_text, check_entailment
from bot.answering.verification.injection import PARAGRAPH_BREAK, is_injection
from bot.answering.verification.plain_text import LINE_MARKUP
from bot.answering.writing.prompts import NOT_FOUND_TOKEN, answer_prompt
from feedback.ports import TEXT_CACHE_SIZE, CurrentSection, FoundSection, Message
from feedback.records import AnswerSentence, Exchange, RetrievedPassage
from retrieval.index.protocols import IndexReader
from retrieval.passages import Passage, Query, Turn
from retrieval.search import Results
from retrieval.sectioning.sentences import sentences

# Documents whose sections are at hand.
DOCUMENTS = 512
# Sections that a question finds, as many as answers are made from.
FOUND = 10
# Characters of a text that its sections are searched by.
ASKED = 1000

CLAIMED = re.compile(r"\s*\[\d{1,3}\]")
STOP = re.compile(r"[.!?…]+[\"'”’)\]]*$")


class KnowledgeAdapter:
    """`Sources` over the index and the search as they are when it is made; each document is read once."""

    def __init__(self, index: IndexReader, search: Callable[..., Results], *, language: str) -> None:
        self._index = index
        self._search = search
        self._language = language
        self._held = lru_cache(maxsize=DOCUMENTS)(self._sections)

    def current_section(self, document: str, anchor: str) -> CurrentSection | None:
        """The section with this anchor; None when the document or the anchor is gone."""
        return self._held(document).get(anchor)

    def supports(self, sentence: str, texts: Sequence[str]) -> bool:
        """Whether these texts together support the sentence; what speaks to a model in them supports nothing."""
        return check_entailment(sentence, [spoken(text) for text in texts], language=self._language).supported

    def cite_sentences(self, text: str, passages: Sequence[str]) -> list[AnswerSentence]:
        """The sentences of a text, each with the number (from 1) of the passage that supports it, or with none."""
        texts = [spoken(passage) for passage in passages]
        said = []
        for start, end in sentences(text):
            sentence = CLAIMED.sub("", " ".join(text[start:end].split()))
            found = self._holding(sentence, texts)
            said.append(AnswerSentence(sentence, () if found is None else (found + 1,)))
        return said

    def search(self, exchange: Exchange) -> list[FoundSection]:
        """What the question of this exchange finds now, with its history and for the groups that asked it."""
        return self._found(Query(exchange.question, _turns(exchange), exchange.groups))

    def sections_supporting(self, text: str, groups: frozenset[str]) -> list[FoundSection]:
        """The sections that these groups may read and that hold every sentence of a text now, best first."""
        return [each for each in self._found(Query(text[:ASKED], (), groups)) if self._holds(text, each)]

    def _found(self, query: Query) -> list[FoundSection]:
        results = self._search(query, top=FOUND)
        return [
            FoundSection(
                p.document, p.anchor, p.version, p.embedded_text, hit.score, results.confidence, p.embedded_heading
            )
            for hit in results.hits
            for p in [hit.passage]
        ]

    def _holds(self, text: str, section: FoundSection) -> bool:
        said = self.cite_sentences(text, [f"{section.title}\n\n{section.text}"])
        return bool(said) and all(each.citations for each in said)

    def prompt(self, exchange: Exchange, shown: Sequence[RetrievedPassage]) -> tuple[Message, ...]:
        """What a model is sent for this question over these passages; its mark is drawn from the exchange's id."""
        mark = f"#{hashlib.sha256(exchange.id.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
        passages = [_passage(each) for each in shown]
        made = answer_prompt(exchange.question, _turns(exchange), passages, delimiter=mark)
        return (("system", made.system), ("user", made.user))

    def completion(self, sentences: Sequence[AnswerSentence]) -> str:
        """The answer as the prompt's rules want it, `It is five days [2].`; of no sentences the refusal."""
        return " ".join(_marked(each) for each in sentences) or NOT_FOUND_TOKEN

    def _holding(self, sentence: str, texts: Sequence[str]) -> int | None:
        """Which of the texts supports the sentence: one where it stands word for word, before any other is read."""
        for at, text in enumerate(texts):
            if (
                sentence in " ".join(text.split())
                and check_entailment(sentence, [text], language=self._language).supported
            ):
                return at
        return best_supporting_text(sentence, texts, language=self._language)

    def _sections(self, document: str) -> Mapping[str, CurrentSection]:
        held = self._index.document(document)
        if held is None:
            return {}
        ordered = sorted(self._index.sections(document), key=lambda each: (each.anchor, each.ordinal))
        made = {}
        for anchor, group in groupby(ordered, key=lambda each: each.anchor):
            passages = list(group)
            texts = tuple(each.embedded_text for each in passages)
            audience = passages[0].audience
            made[anchor] = CurrentSection(passages[0].version, "\n\n".join(texts), audience, held.owner, texts)
        return made


@lru_cache(maxsize=TEXT_CACHE_SIZE)
def spoken(text: str) -> str:
    """The paragraphs of a text that speak to people; the very same text where all of them do."""
    paragraphs = PARAGRAPH_BREAK.split(text)
    kept = [each for each in paragraphs if not is_injection(each)]
    return text if len(kept) == len(paragraphs) else "\n\n".join(kept)


def _turns(exchange: Exchange) -> tuple[Turn, ...]:
    return tuple(Turn(role, text) for role, text in exchange.history)


def _passage(shown: RetrievedPassage) -> Passage:
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


def _marked(said: AnswerSentence) -> str:
    """The sentence on one line without the mark of a list, its numbers before the full stop."""
    text = LINE_MARKUP.sub("", " ".join(said.text.split()))
    marks = "".join(f"[{number}]" for number in said.citations)
    stop = STOP.search(text)
    at = stop.start() if stop else len(text)
    return f"{text[:at]} {marks}{text[at:]}" if marks else text
