"""Searching for judged questions, one after the other."""

from itertools import count

import pytest

from retrieval.errors import UnreadableJudgements
from retrieval.evaluation import metrics
from retrieval.evaluation.outcomes import search_questions
from retrieval.passages import Query
from retrieval.search import Results
from tests.retrieval.evaluation.judged import figures, question, results


def test_judgements_for_other_questions_are_refused():
    with pytest.raises(UnreadableJudgements, match="none of the questions"):
        figures({"a": results()}, {"b": ["x"]})


def test_no_questions_are_refused():
    with pytest.raises(UnreadableJudgements, match="no questions"):
        figures({})


def test_questions_are_looked_up_one_by_one_as_they_are_asked_for():
    looked: list[str] = []

    def search(query: Query) -> Results:
        looked.append(query.text)
        return results()

    outcomes = search_questions([question("a"), question("b")], {}, search)
    assert next(outcomes).question.id == "a"
    assert looked == ["a", "a"]


def test_time_is_taken_of_each_search_but_of_no_first_one():
    ticks = count()
    calls: list[str] = []

    def search(query: Query) -> Results:
        calls.append(query.text)
        for _ in range(len(calls)):  # every search is slower than the one before
            next(ticks)
        return results()

    outcomes = search_questions([question("a"), question("b")], {}, search, clock=lambda: next(ticks) / 1000)
    got = metrics.figures(list(outcomes), {}, {})
    assert calls == ["a", "a", "b"]
    assert (got["p50_ms"], got["p99_ms"]) == (pytest.approx(3.5), pytest.approx(3.99))


def test_progress_is_reported_after_each_question():
    steps: list[tuple[str, int, int]] = []
    questions = [question("a"), question("b")]
    list(search_questions(questions, {}, lambda _: results(), progress=lambda *step: steps.append(step)))
    assert steps == [("asking", 1, 2), ("asking", 2, 2)]
