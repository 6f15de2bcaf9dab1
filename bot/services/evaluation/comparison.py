"""Answers to a judged question file: figures of what people would see, and generators side by side.

Each question is looked up once; every generator answers it from the same passages, under the same check.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from bot.answering.answers import Answer, Citation, Done, Question, SentenceReady
from bot.answering.pipeline import FAILURES, AnsweringPipeline
from bot.answering.writing.chat_model import ReplyListener
from bot.answering.writing.generator import AnswerNotFound, Draft, Generator
from bot.answering.writing.providers import TokenUsage
from bot.errors import BotError, FailureKind, GenerationFailed
from bot.services.evaluation.scoring import Part, alike, cites_gold, form, quotes_gold, rates, shown, spoken, verbatim
from retrieval.evaluation.abstention import trade_off
from retrieval.evaluation.judgements import Question as Judged
from retrieval.evaluation.judgements import Section
from retrieval.evaluation.matching import documents_by_name, matcher
from retrieval.evaluation.metrics import figures
from retrieval.evaluation.outcomes import Outcome, is_answerable, search_questions
from retrieval.passages import Query
from retrieval.search import Results, Search

# A model that answers nothing to so many questions in a row is not asked the others.
PATIENCE = 5
GONE: frozenset[FailureKind] = frozenset({"timeout", "unavailable", "rate-limited"})

RATES = (
    *("answered", "abstained", "wrongly_answered", "own", "not_found", "grounded", "form", "sentences"),
    *("cited", "verbatim", "cited_gold", "quoted_gold", "f1", "recall", "tokens_in", "tokens_out"),
)
# Figures of which it is told whether two models truly differ.
COMPARED = ("answered", "own", "grounded", "form", "sentences", "cited_gold", "f1", "tokens_in", "tokens_out")
RESAMPLES, SEED = 2000, 0
LEVEL = 95


class ReplaySearch(Search):
    """A search that gives what it found when it last looked, whoever asks: all write from the same passages."""

    found = Results((), 0.0)

    def look(self, query: Query) -> Results:
        """Search, and keep what was found."""
        self.found = super().__call__(query)
        return self.found

    def __call__(self, query: Query, *, top: int = 10) -> Results:
        return self.found


@dataclass
class GeneratorTrace:
    """What a generator did with one question; `asked` is whether it was put to it at all."""

    asked: bool = False
    reply: str = ""
    tokens: TokenUsage | None = None
    proposed: int = 0
    admitted: int = 0
    not_found: bool = False
    failure: FailureKind | None = None


class InstrumentedGenerator:
    """A `Generator` that lets another one write and notes what it does; `make` takes who listens to its model."""

    def __init__(self, make: Callable[[ReplyListener], Generator]) -> None:
        self.heard = GeneratorTrace()
        self.is_writing = False
        self._generator = make(self._listen)

    @property
    def name(self) -> str:
        return self._generator.name

    @property
    def prompt_version(self) -> str:
        return self._generator.prompt_version

    def write(self, query: Query, results: Results) -> Iterator[Draft]:
        heard, seen = self.heard, set()
        heard.asked = self.is_writing = True
        try:
            for draft in self._generator.write(query, results):
                heard.proposed += not draft.again and draft.text.casefold() not in seen
                seen.add(draft.text.casefold())
                yield draft
        except AnswerNotFound:
            heard.not_found = True
            raise
        except GenerationFailed as error:
            heard.failure = error.kind
            raise
        finally:
            self.is_writing = False

    def _listen(self, text: str, tokens: TokenUsage | None) -> None:
        self.heard.reply += text
        if tokens:
            before = self.heard.tokens or TokenUsage(0, 0)
            self.heard.tokens = TokenUsage(before.read + tokens.read, before.written + tokens.written)


@dataclass(frozen=True, slots=True)
class CandidateAnswer:
    """What one question got from one generator; its timings count from the question."""

    outcome: Outcome
    answer: Answer
    heard: GeneratorTrace

    @property
    def first(self) -> float | None:
        """Seconds to the first sentence."""
        first = self.answer.timings.get("first")
        return None if first is None else self.outcome.seconds + first

    @property
    def total(self) -> float:
        return self.outcome.seconds + self.answer.timings.get("total", 0.0)


@dataclass
class Candidate:
    """A way to answer, and what it has answered so far; `watched` is its model's, if it has one."""

    name: str
    answering: AnsweringPipeline
    watched: InstrumentedGenerator | None = None
    given: list[CandidateAnswer] = field(default_factory=list)
    failures: int = 0
    gave_up: FailureKind | None = None

    def ask(self, outcome: Outcome) -> None:
        """Answer a question that was just looked up; nothing once it was given up."""
        if self.gave_up:
            return
        heard = GeneratorTrace()
        if self.watched:
            self.watched.heard = heard
        query = outcome.question.query
        for event in self.answering.stream(Question(query.text, query.history, query.groups)):
            if isinstance(event, SentenceReady) and self.watched and self.watched.is_writing:
                heard.admitted += 1
            elif isinstance(event, Done):
                self.given.append(CandidateAnswer(outcome, event.answer, heard))
        self._lose_patience(heard)

    def _lose_patience(self, heard: GeneratorTrace) -> None:
        if heard.failure in GONE and not heard.reply:
            self.failures += 1
        elif heard.asked:
            self.failures = 0
        if self.failures == PATIENCE:
            self.gave_up = heard.failure


@dataclass(frozen=True)
class Judge:
    """What is known of the right answers; `text_of` gives the text of the document that a citation names."""

    qrels: Mapping[str, Sequence[str]]
    corpus: Mapping[str, Section]
    known: Mapping[str, frozenset[str]]
    text_of: Callable[[Citation], str]

    def parts(self, given: CandidateAnswer) -> dict[str, Part]:
        """Everything that can be told of one answer."""
        answer, heard = given.answer, given.heard
        return {
            **shown(answer),
            "verbatim": verbatim(answer.citations, self.text_of),
            "own": (bool(answer.sentences) and not answer.fallback, heard.asked),
            "not_found": (heard.not_found, heard.asked),
            "grounded": (heard.admitted, heard.proposed),
            "form": form(heard.reply) if heard.proposed else (0, 0),
            **({"tokens_in": (heard.tokens.read, 1), "tokens_out": (heard.tokens.written, 1)} if heard.tokens else {}),
            **self._judged(given),
        }

    def _judged(self, given: CandidateAnswer) -> dict[str, Part]:
        question, answer = given.outcome.question, given.answer
        if not is_answerable(given.outcome, self.qrels):
            return {"wrongly_answered": (bool(answer.sentences), 1)}
        parts: dict[str, Part] = {}
        names = self.qrels.get(question.id, ())
        if names:
            parts["cited_gold"] = (cites_gold(answer, [matcher(name, self.corpus, self.known) for name in names]), 1)
        sections = [self.corpus[name] for name in names if name in self.corpus]
        if sections:
            parts["quoted_gold"] = (quotes_gold(answer, sections), 1)
        if question.references:
            f1, recall = alike(spoken(answer), question.references)
            parts |= {"f1": (f1, 1), "recall": (recall, 1)}
        return parts


def evaluated(
    questions: Sequence[Judged],
    qrels: Mapping[str, Sequence[str]],
    corpus: Mapping[str, Section],
    search: ReplaySearch,
    contestants: Sequence[Candidate],
    *,
    threshold: float,
    text_of: Callable[[Citation], str],
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Figures of retrieval, abstention and, by generator, of answers; None for what these files cannot tell.

    Raises `BotError` as soon as every contestant was given up, and what `retrieval.evaluation` raises.
    """
    outcomes = []
    for number, outcome in enumerate(search_questions(questions, qrels, search.look, progress=progress)):
        outcomes.append(outcome)
        # Whoever comes second finds the passages read already; so each is second as often as first.
        turn = number % max(1, len(contestants))
        for contestant in (*contestants[turn:], *contestants[:turn]):
            contestant.ask(outcome)
        _refuse_if_gone(contestants)
    known = documents_by_name(hit.passage.document for each in outcomes for hit in each.hits)
    judge = Judge(qrels, corpus, known, text_of)
    scored = {each.name: [judge.parts(given) for given in each.given] for each in contestants}
    return {
        **figures(outcomes, qrels, corpus),
        "threshold": _at(threshold, outcomes, qrels),
        "answers": {each.name: answer_figures(each, scored[each.name]) for each in contestants},
        "differences": differences(contestants, scored),
    }


def _refuse_if_gone(contestants: Sequence[Candidate]) -> None:
    if contestants and all(each.gave_up for each in contestants):
        which = ", ".join(f"{each.name!r} ({each.gave_up})" for each in contestants)
        raise BotError(f"no model answers: {which}; mend that (`footnote doctor`), or leave answers out: --no-answers")


def _at(threshold: float, outcomes: Sequence[Outcome], qrels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The trade-off at the threshold that is set."""
    truth = np.array([is_answerable(each, qrels) for each in outcomes], bool)
    if truth.all() or not truth.any():
        return {"threshold": threshold, "answered": None, "wrongly_answered": None}
    return trade_off(np.array([each.confidence for each in outcomes]), truth, threshold)


def answer_figures(contestant: Candidate, scored: Sequence[Mapping[str, Part]]) -> dict[str, Any]:
    """Figures of one generator's answers, as people would see them, quotes in its place where it fails included.

    `asked` counts the questions that it was put, and `own` is the share of those that it answered without a fallback.
    Shares of what was judged count an abstention as an answer that says and cites nothing; `words` is the median of
    the answers given; `gave_up` is why it was not asked any further.
    """
    given = [each for each in contestant.given if not each.answer.is_small_talk]
    kinds = Counter(_kind(each.answer.fallback) for each in given if each.answer.fallback)
    return {
        "questions": len(contestant.given),
        "asked": sum(each.heard.asked for each in contestant.given) if contestant.watched else None,
        **rates(scored, RATES),
        "fallbacks": dict(kinds.most_common()) if contestant.watched else None,
        "words": _median([len(spoken(each.answer).split()) for each in given if each.answer.sentences]),
        **percentiles("first_sentence", [each.first for each in given if each.first is not None]),
        **percentiles("total", [each.total for each in given if each.answer.sentences]),
        "gave_up": contestant.gave_up,
    }


def _median(counts: Sequence[int]) -> float | None:
    return float(median(counts)) if counts else None


def _kind(fallback: str) -> str:
    return next((kind for kind in FAILURES if f"({kind})" in fallback), "other")


def percentiles(name: str, seconds: Sequence[float]) -> dict[str, float | None]:
    """Median and 99th percentile in milliseconds; None of nothing."""
    found = np.percentile(np.array(seconds) * 1000, [50, 99]) if seconds else (None, None)
    return {f"{name}_p{of}_ms": None if each is None else float(each) for of, each in zip((50, 99), found, strict=True)}


def differences(
    contestants: Sequence[Candidate], scored: Mapping[str, Sequence[Mapping[str, Part]]]
) -> list[dict[str, Any]]:
    """How far each further generator is from the first, with an interval that tells whether it is more than noise.

    Questions are paired and drawn anew, all by the same seed. One that was given up is left out.
    """
    standing = [each for each in contestants if not each.gave_up]
    return [
        {"figure": name, "model": other.name, "than": standing[0].name, **found}
        for other in standing[1:]
        for name in COMPARED
        if (found := difference(_column(scored[standing[0].name], name), _column(scored[other.name], name)))
    ]


def _column(rows: Sequence[Mapping[str, Part]], name: str) -> list[Part]:
    return [row.get(name, (0, 0)) for row in rows]


def difference(base: Sequence[Part], other: Sequence[Part]) -> dict[str, float] | None:
    """The second rate less the first over so many questions, and its bounds in 95 of 100 draws of the same ones.

    None when one of them has no rate.
    """
    parts = np.array([base, other], np.float64)  # whose, question, reached or of how much
    if not len(base) or not parts[:, :, 1].sum(axis=1).all():
        return None
    draws = np.random.default_rng(SEED).multinomial(len(base), np.full(len(base), 1 / len(base)), size=RESAMPLES)
    drawn = draws @ parts  # whose, draw, reached or of how much
    usable = drawn[:, :, 1].all(axis=0)
    rate = drawn[:, usable, 0] / drawn[:, usable, 1]
    low, high = np.percentile(rate[1] - rate[0], [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    first, second = parts[:, :, 0].sum(axis=1) / parts[:, :, 1].sum(axis=1)
    return {"questions": len(base), "difference": float(second - first), "low": float(low), "high": float(high)}
