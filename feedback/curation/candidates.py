"""Builds the rows that one exchange gives if it stays; needs no other exchange."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from feedback.curation.audience import ExchangeAudience
from feedback.curation.dataset import EmbeddedSection
from feedback.curation.filters import (
    Rejection,
    check_audience,
    check_eligibility,
    check_judgement,
    check_secrets,
    check_staleness,
)
from feedback.curation.judgements import Judgement, judge
from feedback.curation.options import CurationOptions
from feedback.curation.passages import (
    cited_number,
    cited_sections,
    embedded_section,
    may_be_in_rows,
    passage_text,
    redact_passage,
)
from feedback.curation.personal_data import Redactor
from feedback.ports import AudiencePort, KnowledgePort, Message
from feedback.records import AnswerSentence, Exchange, RetrievedPassage, ReviewedExchange
from feedback.texts.words import collapse_whitespace, normalize

# Sections of the documents as they are now that are remembered.
CACHED_SECTIONS = 8192
CITATION_MARK = re.compile(r"(?:(?<!\s)\s++)?\[\d{1,3}\](?=[\s.!?\[]|$)")
# What a question is understood from, as search reads it.
HISTORY_TURNS = 6


@dataclass(frozen=True, slots=True)
class Candidate:
    """The rows that an exchange gives if it stays: an answer to write, one not to write, sections to find.

    `chosen` is the answer to write, `rejected` the one not to write; None where there is none. `context_key` is equal
    for exchanges with the same question, history and passages. `standalone_question` asks in one text, a turn a line
    and the newest first, as the whole conversation is embedded. `positives` are the sections that answer it, `blamed`
    cited ones that somebody said were the wrong ones. `redacted` counts personal data by kind.
    """

    judgement: Judgement
    prompt: tuple[Message, ...]
    chosen: str | None
    rejected: str | None
    chosen_is_refusal: bool
    rejected_is_refusal: bool
    context_key: str
    standalone_question: str
    positives: tuple[EmbeddedSection, ...] = ()
    blamed: tuple[EmbeddedSection, ...] = ()
    redacted: Mapping[str, int] = field(default_factory=dict)
    flaws: tuple[str, ...] = ()


class CandidateBuilder:
    """Judges and filters one exchange after the other, and builds a candidate of each that passes."""

    def __init__(self, knowledge: KnowledgePort, audience: AudiencePort, options: CurationOptions) -> None:
        self._knowledge = knowledge
        self._options = options
        self._audience = ExchangeAudience(audience, options.readable)
        self._current = lru_cache(maxsize=CACHED_SECTIONS)(knowledge.current_section)

    def build(self, reviewed: ReviewedExchange) -> Candidate | Rejection:
        """Return the candidate, or the first reason for which there is none.

        Every exchange must be given, oldest first: it may be the history of a later one.
        """
        exchange = reviewed.exchange
        closed = self._audience.check(exchange)
        judgement = judge(reviewed, min_agreement=self._options.min_agreement)
        return (
            check_eligibility(exchange, since=self._options.since)
            or check_judgement(judgement)
            or check_audience(exchange, self._current, readable=self._options.readable)
            or check_secrets(reviewed)
            or check_staleness(exchange, self._current)
            # After what was deleted, which nobody may see either.
            or (Rejection("audience", closed) if closed else None)
            or self._build_grounded(exchange, judgement)
        )

    def _build_grounded(self, exchange: Exchange, judgement: Judgement) -> Candidate | Rejection:
        """Return the candidate if passages support what it teaches; placeholders are numbered in reading order."""
        redactor = Redactor(regions=self._options.regions, names=self._options.names)
        current = [each for each in exchange.shown if self._current(each.document, each.anchor)]
        passages = [redact_passage(each, redactor) for each in current[: self._options.passages]]
        if not passages:
            return Rejection("staleness", "deleted")
        asked = replace(
            exchange,
            question=redactor.redact(exchange.question),
            history=tuple((role, redactor.redact(text)) for role, text in exchange.history),
        )
        texts = [passage_text(each) for each in passages]
        given = self._given_answer(exchange, passages, texts, redactor)
        correction = self._correct_answer(judgement, texts, redactor)
        is_liked = judgement.outcome == "up"
        right = given if is_liked else correction
        is_unsupported = judgement.outcome == "corrected" and right is None
        missed = self._find_missed_section(exchange, judgement, redactor) if is_unsupported else ()
        if right is None and not missed and not given:
            # Whether the passages held an answer nobody has shown; to teach against refusing would teach inventing.
            return Rejection("groundedness", "unsupported" if is_unsupported else "refusal-not-disproved")
        if is_liked and not exchange.abstained and not self._is_supported(given, texts):
            return Rejection("groundedness", "unsupported")
        chosen = None if right is None else self._knowledge.completion(right)
        is_wrong = not is_liked and (given or (exchange.abstained and right is not None))
        rejected = self._knowledge.completion(given) if is_wrong else None
        if chosen is not None and chosen == rejected:
            return Rejection("groundedness", "correction-says-the-same")
        positives = cited_sections(right or (), passages) or missed
        blamed = cited_sections(given, passages) if judgement.wrong_source and not is_liked else ()
        turns = [*(text for _, text in asked.history[-HISTORY_TURNS:]), asked.question]
        return Candidate(
            judgement,
            tuple(self._knowledge.prompt(asked, passages)),
            chosen,
            rejected,
            chosen_is_refusal=right is not None and not right,
            rejected_is_refusal=exchange.abstained,
            context_key="\n\n".join([*map(normalize, turns), *texts]),
            standalone_question="\n".join(map(collapse_whitespace, reversed(turns))),
            positives=positives,
            blamed=tuple(each for each in blamed if each not in positives),
            redacted=dict(redactor.counts),
            flaws=("correction-unsupported",) if is_unsupported else (),
        )

    def _given_answer(
        self, exchange: Exchange, passages: Sequence[RetrievedPassage], texts: Sequence[str], redactor: Redactor
    ) -> tuple[AnswerSentence, ...]:
        """Return the sentences that were answered, citing passages by their number; none for a refusal."""
        if exchange.abstained:
            return ()
        if not exchange.sentences:
            return tuple(self._knowledge.cite_sentences(redactor.redact(CITATION_MARK.sub("", exchange.answer)), texts))
        numbers = {each.number: cited_number(each, passages, redactor) for each in exchange.citations}
        answer = []
        for sentence in exchange.sentences:
            cited = dict.fromkeys(numbers[each] for each in sentence.citations if numbers.get(each))
            answer.append(AnswerSentence(redactor.redact(sentence.text), tuple(cited)))
        return tuple(answer)

    def _correct_answer(
        self, judgement: Judgement, texts: Sequence[str], redactor: Redactor
    ) -> tuple[AnswerSentence, ...] | None:
        """Return the sentences of the correction, none if it is a refusal.

        None without a correction, or when the passages do not support all of it.
        """
        if judgement.outcome != "corrected" or judgement.correction is None:
            return None
        text = _without_marks(judgement.correction.text, redactor)
        if self._knowledge.is_refusal(text):
            return ()
        sentences = tuple(self._knowledge.cite_sentences(text, texts))
        return sentences if sentences and all(each.citations for each in sentences) else None

    def _find_missed_section(
        self, exchange: Exchange, judgement: Judgement, redactor: Redactor
    ) -> tuple[EmbeddedSection, ...]:
        """Return the section that holds a correction and was not shown: what retrieval missed, at most one."""
        assert judgement.correction is not None
        text = _without_marks(judgement.correction.text, redactor)
        for each in self._knowledge.sections_supporting(text, exchange.groups):
            if may_be_in_rows(each, self._current(each.document, each.anchor), self._options):
                return (embedded_section(each, redactor),)
        return ()

    def _is_supported(self, sentences: Sequence[AnswerSentence], texts: Sequence[str]) -> bool:
        """Return whether there are sentences, and each is supported by the passages that it cites."""
        cited = [(each, [texts[number - 1] for number in each.citations]) for each in sentences]
        return bool(cited) and all(passages and self._supports(each, passages) for each, passages in cited)

    def _supports(self, sentence: AnswerSentence, texts: Sequence[str]) -> bool:
        """Return whether the texts support the sentence; what stands there word for word needs no check."""
        words = collapse_whitespace(sentence.text)
        return any(words in collapse_whitespace(text) for text in texts) or self._knowledge.supports(
            sentence.text, texts
        )


def _without_marks(text: str, redactor: Redactor) -> str:
    """Return what somebody wrote, without the numbers of citations and personal data."""
    return redactor.redact(CITATION_MARK.sub("", text)).strip()
