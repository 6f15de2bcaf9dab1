"""Small judged sets for the tests: three sections, and passages, results and questions made by hand."""

from typing import Any

from retrieval.evaluation import metrics
from retrieval.evaluation.judgements import Question, Section
from retrieval.evaluation.outcomes import search_questions
from retrieval.passages import EVERYONE, Hit, Passage, Query
from retrieval.ranking.confidence import Signals
from retrieval.search import Results

CARRY = "Five days of leave may be carried over into the next year if your manager agrees in writing before December."
SICK = "Call your manager before ten in the morning when you are ill, and send a note from the third day on."
TRAIN = "Book second class on the train, and the earliest you can; first class needs the approval of a director."
CORPUS = {
    "leave#1": Section("hr/leave", CARRY),
    "leave#2": Section("hr/leave", SICK),
    "travel#1": Section("travel", TRAIN),
}


def passage(document: str, text: str = "text", *, anchor: str = "", fragment: str = "") -> Passage:
    everyone = frozenset({EVERYONE})
    return Passage(document, 0, (), anchor, fragment, text, 0, len(text), "v", "Title", "", everyone)


def results(*found: Passage, confidence: float = 0.5) -> Results:
    return Results(tuple(Hit(each, 1.0) for each in found), confidence, Signals())


def question(name: str, *, answerable: bool | None = None) -> Question:
    return Question(name, Query(name), answerable)


def figures(found: dict[str, Results], qrels=None, corpus=None, questions=None) -> dict[str, Any]:
    """The evaluation of a search that finds this for these questions."""
    qrels = qrels or {}
    outcomes = search_questions(questions or [question(name) for name in found], qrels, lambda query: found[query.text])
    return metrics.figures(list(outcomes), qrels, corpus or {})
