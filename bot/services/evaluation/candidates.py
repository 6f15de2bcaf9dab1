"""Candidates of a comparison: ways to answer, with their answers and a trace of what the generator did for each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bot.answering.answers import Answer, Done, Question, SentenceReady
from bot.answering.deadline import CheckWanted, always_wanted
from bot.answering.pipeline import AnsweringPipeline
from bot.answering.writing.chat_model import ReplyListener
from bot.answering.writing.generator import AnswerNotFound, Draft, Generator
from bot.answering.writing.providers import TokenUsage
from bot.errors import FailureKind, GenerationFailed
from bot.services.evaluation.answer_check import AnswerCheck, check_answer
from retrieval.evaluation.outcomes import Outcome
from retrieval.passages import Query
from retrieval.search import Results, Search

# A model that sends nothing for so many questions in a row is not asked any further.
MAX_FAILURES = 5
UNREACHABLE: frozenset[FailureKind] = frozenset({"timeout", "unavailable", "rate-limited"})


class ReplaySearch(Search):
    """Returns the results of the last `record` for any query, so that all candidates write from the same passages.

    Before the first `record` it finds nothing.
    """

    results = Results((), 0.0)

    def record(self, query: Query) -> Results:
        """Search, keep the results and return them."""
        self.results = super().__call__(query)
        return self.results

    def __call__(self, query: Query, *, top: int = 10) -> Results:
        return self.results


@dataclass
class GeneratorTrace:
    """A record of what a generator did with one question; `asked` is whether it was asked at all.

    `proposed` counts its sentences, `admitted` those of them that were shown.
    """

    asked: bool = False
    reply: str = ""
    tokens: TokenUsage | None = None
    proposed: int = 0
    admitted: int = 0
    not_found: bool = False
    failure: FailureKind | None = None


class InstrumentedGenerator:
    """Wraps a `Generator`, and records in `trace` what that does.

    `make` builds the wrapped one from a listener to the replies of its model.
    """

    def __init__(self, make: Callable[[ReplyListener], Generator]) -> None:
        self.trace = GeneratorTrace()
        self.is_writing = False
        self._generator = make(self._record_reply)

    @property
    def name(self) -> str:
        return self._generator.name

    @property
    def prompt_version(self) -> str:
        return self._generator.prompt_version

    def write(self, query: Query, results: Results, *, check: CheckWanted = always_wanted) -> Iterator[Draft]:
        trace, seen = self.trace, set()
        trace.asked = self.is_writing = True
        try:
            for draft in self._generator.write(query, results, check=check):
                trace.proposed += not draft.again and draft.text.casefold() not in seen
                seen.add(draft.text.casefold())
                yield draft
        except AnswerNotFound:
            trace.not_found = True
            raise
        except GenerationFailed as error:
            trace.failure = error.kind
            raise
        finally:
            self.is_writing = False

    def _record_reply(self, text: str, tokens: TokenUsage | None) -> None:
        self.trace.reply += text
        if tokens:
            before = self.trace.tokens or TokenUsage(0, 0)
            self.trace.tokens = TokenUsage(before.read + tokens.read, before.written + tokens.written)


@dataclass(frozen=True, slots=True)
class CandidateAnswer:
    """The answer of one candidate to one question."""

    outcome: Outcome
    answer: Answer
    trace: GeneratorTrace
    check: AnswerCheck

    @property
    def seconds_to_first(self) -> float | None:
        """Return the seconds from the question, its search included, to the first sentence; None without one."""
        first = self.answer.timings.get("first")
        return None if first is None else self.outcome.seconds + first

    @property
    def seconds(self) -> float:
        """Return the seconds from the question, its search included, to the whole answer."""
        return self.outcome.seconds + self.answer.timings.get("total", 0.0)


@dataclass
class Candidate:
    """A way to answer, with its answers so far; `generator` is that of its `pipeline`, None without a model.

    `gave_up` is why its model is not asked any further, None while it is.
    """

    name: str
    pipeline: AnsweringPipeline
    generator: InstrumentedGenerator | None = None
    answers: list[CandidateAnswer] = field(default_factory=list)
    failures: int = 0
    gave_up: FailureKind | None = None

    def answer(self, outcome: Outcome) -> CandidateAnswer | None:
        """Answer a question that was just searched for, keep the answer and return it; None after giving up.

        Gives up when the model was unreachable for `MAX_FAILURES` questions in a row.
        """
        if self.gave_up:
            return None
        trace = GeneratorTrace()
        if self.generator:
            self.generator.trace = trace
        query, answer = outcome.question.query, None
        for event in self.pipeline.stream(Question(query.text, query.history, query.groups)):
            if isinstance(event, SentenceReady) and self.generator and self.generator.is_writing:
                trace.admitted += 1
            elif isinstance(event, Done):
                answer = CandidateAnswer(outcome, event.answer, trace, check_answer(outcome.question, event.answer))
                self.answers.append(answer)
        if trace.failure in UNREACHABLE and not trace.reply:
            self.failures += 1
        elif trace.asked:
            self.failures = 0
        if self.failures == MAX_FAILURES:
            self.gave_up = trace.failure
        return answer
