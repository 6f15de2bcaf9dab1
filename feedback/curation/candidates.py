"""One judged exchange becomes a draft of its rows, or leaves for a reason: everything that needs no other exchange."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain

from feedback.curation.judgements import Judgement, judgement
from feedback.curation.near_duplicates import normalised
from feedback.curation.options import EVERYONE, Options
from feedback.curation.personal_data import Redactor
from feedback.curation.secrets import new_secrets, secrets
from feedback.curation.values import Section
from feedback.ports import TEXT_CACHE_SIZE, CurrentSection, FoundSection, KnowledgePort, Message
from feedback.records import AnswerSentence, Exchange, RetrievedPassage, ReviewedExchange, StoredCitation

SECTIONS = 8192
LEFT_UNJUDGED = frozenset({"unjudged", "correction-waits", "disputed", "dropped"})
MARK = re.compile(r"\s*\[\d{1,3}\](?=[\s.!?\[]|$)")
# What a question is understood from, as search reads it.
TURNS = 6


@dataclass(frozen=True, slots=True)
class Left:
    """An exchange that gives no row; `kinds` says more where that may be told."""

    stage: str
    reason: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What an exchange gives if it stays: an answer to write, one not to write, a section to find; at least one.

    `same` is equal for exchanges with the same question, history and passages. `standalone` asks the question in one
    text, a turn a line and the newest first, as the whole conversation is embedded. `blamed` are cited sections that
    somebody said were the wrong ones. `redacted` counts what was personal, by kind.
    """

    judgement: Judgement
    prompt: tuple[Message, ...]
    chosen: str | None
    rejected: str | None
    refusal: bool
    refused: bool
    same: str
    standalone: str
    positives: tuple[Section, ...] = ()
    blamed: tuple[Section, ...] = ()
    redacted: Mapping[str, int] = field(default_factory=dict)
    flaws: tuple[str, ...] = ()


class Drafting:
    """Drafts the rows of one exchange after the other."""

    def __init__(self, sources: KnowledgePort, options: Options) -> None:
        self._sources = sources
        self._options = options
        self._current = lru_cache(maxsize=SECTIONS)(sources.current_section)
        self._refusal = sources.completion(())

    def __call__(self, judged: ReviewedExchange) -> Draft | Left:
        """The draft, or the first reason for which there is none."""
        exchange = judged.exchange
        found = judgement(judged, min_agreement=self._options.min_agreement)
        return (
            self._ineligible(exchange)
            or _unjudged(found)
            or self._restricted(exchange)
            or _secret(judged)
            or self._stale(exchange)
            or self._drafted(exchange, found)
        )

    def _ineligible(self, exchange: Exchange) -> Left | None:
        if exchange.pruned:
            return Left("eligibility", "pruned")
        if self._options.since and exchange.at < self._options.since:
            return Left("eligibility", "before-since")
        if not exchange.question.strip():
            return Left("eligibility", "no-question")
        if not exchange.abstained and not (exchange.citations and exchange.answer.strip()):
            return Left("eligibility", "no-answer")  # small talk cites nothing
        if not exchange.shown:
            return Left("eligibility", "no-passages")
        return None

    def _restricted(self, exchange: Exchange) -> Left | None:
        """Rows go to whoever trains and uses a model, who may not be in the groups that asked."""
        allowed = self._options.readable
        if not (exchange.groups or {EVERYONE}) <= allowed:
            return Left("audience", "restricted")
        for document, anchor in _places(exchange):
            current = self._current(document, anchor)
            if current and not current.audience & allowed:
                return Left("audience", "restricted")
        return None

    def _stale(self, exchange: Exchange) -> Left | None:
        for cited in exchange.citations:
            current = self._current(cited.document, cited.anchor)
            if current is None:
                return Left("staleness", "deleted")
            if cited.version != current.version and not _stands(cited, exchange.shown, current):
                return Left("staleness", "changed")
        return None

    def _drafted(self, exchange: Exchange, found: Judgement) -> Draft | Left:
        redact = Redactor(regions=self._options.regions, names=self._options.names)
        kept = [each for each in exchange.shown if self._current(each.document, each.anchor)]
        shown = [_redacted_shown(each, redact) for each in kept[: self._options.passages]]
        if not shown:
            return Left("staleness", "deleted")
        asked = replace(
            exchange,
            question=redact(exchange.question),
            history=tuple((role, redact(text)) for role, text in exchange.history),
        )
        texts = [evidence(each) for each in shown]
        given = self._given(exchange, shown, texts, redact)
        corrected = self._corrected(found, texts, redact)
        right = given if found.outcome == "up" else corrected
        flaws = ("correction-unsupported",) if found.outcome == "corrected" and right is None else ()
        elsewhere = self._elsewhere(exchange, found, redact) if flaws else ()
        if right is None and not elsewhere and (exchange.abstained or not given):
            # Whether the passages held an answer nobody has shown; to teach against refusing would teach inventing.
            return Left("groundedness", "unsupported" if flaws else "refusal-not-disproved")
        if found.outcome == "up" and not exchange.abstained and not self._supported(given, texts):
            return Left("groundedness", "unsupported")
        chosen = None if right is None else self._sources.completion(right)
        wrong = found.outcome != "up" and (given or (exchange.abstained and right is not None))
        rejected = self._sources.completion(given) if wrong else None
        if chosen is not None and chosen == rejected:
            return Left("groundedness", "correction-says-the-same")
        positives = _sections(right or (), shown) or elsewhere
        blamed = _sections(given, shown) if found.wrong_source and found.outcome != "up" else ()
        return Draft(
            found,
            tuple(self._sources.prompt(asked, shown)),
            chosen,
            rejected,
            refusal=right is not None and not right,
            refused=exchange.abstained,
            same="\n\n".join([*map(normalised, _words(asked)), *texts]),
            standalone="\n".join(" ".join(words.split()) for words in reversed(_words(asked))),
            positives=positives,
            blamed=tuple(each for each in blamed if each not in positives),
            redacted=dict(redact.counts),
            flaws=flaws,
        )

    def _given(
        self, exchange: Exchange, shown: Sequence[RetrievedPassage], texts: Sequence[str], redact: Redactor
    ) -> tuple[AnswerSentence, ...]:
        """The answer's sentences, citing passages by their number; none for a refusal."""
        if exchange.abstained:
            return ()
        if not exchange.sentences:
            return tuple(self._sources.cite_sentences(redact(MARK.sub("", exchange.answer)), texts))
        places = {each.number: _number(each, shown, redact) for each in exchange.citations}
        made = []
        for said in exchange.sentences:
            numbers = [places[each] for each in said.citations if each in places]
            made.append(AnswerSentence(redact(said.text), tuple(dict.fromkeys(number for number in numbers if number))))
        return tuple(made)

    def _corrected(self, found: Judgement, texts: Sequence[str], redact: Redactor) -> tuple[AnswerSentence, ...] | None:
        """The correction's sentences; None without one, or when the passages do not support all of it."""
        if found.outcome != "corrected" or found.correction is None:
            return None
        text = _unmarked(found.correction.text, redact)
        if text.rstrip(".").casefold() == self._refusal.rstrip(".").casefold():
            return ()
        said = tuple(self._sources.cite_sentences(text, texts))
        return said if said and all(each.citations for each in said) else None

    def _elsewhere(self, exchange: Exchange, found: Judgement, redact: Redactor) -> tuple[Section, ...]:
        """The section that holds a correction and was not shown: what the retriever missed, at most one."""
        assert found.correction is not None
        text = _unmarked(found.correction.text, redact)
        for each in self._sources.sections_supporting(text, exchange.groups):
            if may_be_shown(each, self._current(each.document, each.anchor), self._options):
                return (found_section(each, redact),)
        return ()

    def _supported(self, said: Sequence[AnswerSentence], texts: Sequence[str]) -> bool:
        cited = [(each, [texts[number - 1] for number in each.citations]) for each in said]
        return bool(cited) and all(held and self._holds(each, held) for each, held in cited)

    def _holds(self, said: AnswerSentence, cited: Sequence[str]) -> bool:
        """What stands there word for word needs no check."""
        return any(collapsed(said.text) in collapsed(text) for text in cited) or self._sources.supports(
            said.text, cited
        )


def evidence(shown: RetrievedPassage) -> str:
    """What a passage says: title and headings, then its text."""
    return f"{heading(shown)}\n\n{shown.text}"


def heading(shown: RetrievedPassage) -> str:
    """Title and headings on one line, the title not said twice."""
    path = [each for each in shown.section.split(" > ") if each]
    return " › ".join([shown.title, *path[path[:1] == [shown.title] :]])


@lru_cache(maxsize=TEXT_CACHE_SIZE)
def collapsed(text: str) -> str:
    """The text on one line with single spaces."""
    return " ".join(text.split())


def _unjudged(found: Judgement) -> Left | None:
    return Left("judgement", found.outcome) if found.outcome in LEFT_UNJUDGED else None


def _secret(judged: ReviewedExchange) -> Left | None:
    exchange = judged.exchange
    typed = [
        exchange.question,
        exchange.answer,
        *(text for _, text in exchange.history),
        *(each.text for each in exchange.sentences),
        *(each.comment for each in judged.votes),
        *(each.text for each in judged.corrections),
        *(each.comment for each in judged.decisions),
    ]
    passages = (secrets(each.text) for each in exchange.shown)
    kinds = frozenset(chain(new_secrets("\n".join(typed)), *passages))
    return Left("secrets", "secret", tuple(sorted(kinds))) if kinds else None


def _places(exchange: Exchange) -> list[tuple[str, str]]:
    """The sections that the asker saw something of."""
    shown = [(each.document, each.anchor) for each in exchange.shown]
    return list(dict.fromkeys([*shown, *((each.document, each.anchor) for each in exchange.citations)]))


def _stands(cited: StoredCitation, shown: Sequence[RetrievedPassage], current: CurrentSection) -> bool:
    """Whether every passage of the cited section that was shown is still one of it, word for word."""
    now = {collapsed(piece) for piece in current.passages or (current.text,)}
    then = {
        collapsed(each.text)
        for each in shown
        if (each.document, each.anchor, each.version) == (cited.document, cited.anchor, cited.version)
    }
    return bool(then) and then <= now


def _redacted_shown(shown: RetrievedPassage, redact: Redactor) -> RetrievedPassage:
    text, title, section = redact(shown.text), redact(shown.title), redact(shown.section)
    changed = (text, title, section) != (shown.text, shown.title, shown.section)
    return replace(shown, text=text, title=title, section=section) if changed else shown


def _number(cited: StoredCitation, shown: Sequence[RetrievedPassage], redact: Redactor) -> int:
    """The number of the passage that is quoted; 0 when it is not among those that a model is sent."""
    quote = collapsed(redact(cited.quote))
    same = [
        number
        for number, each in enumerate(shown, start=1)
        if (each.document, each.anchor, each.version) == (cited.document, cited.anchor, cited.version)
    ]
    return next((number for number in same if quote in collapsed(shown[number - 1].text)), same[0] if same else 0)


def _sections(said: Sequence[AnswerSentence], shown: Sequence[RetrievedPassage]) -> tuple[Section, ...]:
    numbers = dict.fromkeys(number for each in said for number in each.citations)
    return tuple(section(shown[number - 1]) for number in numbers)


def _unmarked(text: str, redact: Redactor) -> str:
    """What somebody wrote, without the numbers of citations and what is personal."""
    return redact(MARK.sub("", text)).strip()


def section(shown: RetrievedPassage) -> Section:
    """A passage as the retriever embeds it."""
    return Section(section_id(shown), heading(shown), shown.text)


def may_be_shown(found: FoundSection, current: CurrentSection | None, options: Options) -> bool:
    """Whether a section that was found may stand in rows, being what the documents have now."""
    return current is not None and bool(current.audience & options.readable) and not secrets(found.text)


def found_section(found: FoundSection, redact: Redactor) -> Section:
    """The same for what search found."""
    return Section(section_id(found), redact(found.title), redact(found.text))


def section_id(of: RetrievedPassage | FoundSection) -> str:
    """Document and anchor, as a section is named by them."""
    return f"{of.document}#{of.anchor}"


def _words(exchange: Exchange) -> list[str]:
    return [*(text for _, text in exchange.history[-TURNS:]), exchange.question]
