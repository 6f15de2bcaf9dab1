"""Runs the search over judged questions, and tells which of them have an answer."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from retrieval.errors import UnreadableJudgements
from retrieval.evaluation.judgements import Question
from retrieval.passages import Hit, Query
from retrieval.progress import Progress, ignore_progress
from retrieval.search import Results

# Hits below this rank are not looked at.
DEPTH = 50

SearchFunction = Callable[[Query], Results]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The hits and the confidence for one question, and the seconds that its search took."""

    question: Question
    hits: tuple[Hit, ...]
    confidence: float
    seconds: float


def search_questions(
    questions: Sequence[Question],
    qrels: Mapping[str, Sequence[str]],
    search: SearchFunction,
    *,
    progress: Progress = ignore_progress,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Outcome]:
    """The outcome of each question, in order, each searched for when it is reached.

    Raises `UnreadableJudgements` when there is no question, or when judgements name none of them.
    """
    if not questions:
        raise UnreadableJudgements("there are no questions to evaluate")
    if qrels and not any(question.id in qrels for question in questions):
        raise UnreadableJudgements("the judgements name none of the questions: their ids must be the same")
    search(questions[0].query)  # the first one loads the model, and is no measure of speed
    for done, question in enumerate(questions, start=1):
        started = clock()
        results = search(question.query)
        yield Outcome(question, results.hits[:DEPTH], results.confidence, clock() - started)
        progress("asking", done, len(questions))


def is_answerable(outcome: Outcome, qrels: Mapping[str, Sequence[str]]) -> bool:
    """Whether a question counts as answerable: it does where nothing tells."""
    return known_answerable(outcome.question, qrels) is not False


def known_answerable(question: Question, qrels: Mapping[str, Sequence[str]]) -> bool | None:
    """What the question's line says, else whether it has judgements or says what an answer must show.

    None where nothing tells: neither its line, nor any judgements.
    """
    if question.answerable is not None:
        return question.answerable
    if question.phrases or question.id in qrels:
        return True
    return False if qrels else None
