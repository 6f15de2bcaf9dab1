"""Figures on judged questions: what counts as found, what each figure is, and what is refused."""

import math
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import UnreadableJudgements
from retrieval.evaluation.judgements import Question, Section
from retrieval.evaluation.metrics import (
    asked,
    auroc,
    calibration_error,
    called,
    covers,
    evaluate,
    gold,
    scores,
    shingles,
)
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
    asked = questions or [question(name) for name in found]
    return evaluate(asked, qrels or {}, corpus or {}, lambda query: found[query.text])


def test_a_small_set_has_the_figures_that_were_worked_out_by_hand():
    found = {
        # Both gold sections stand in the hits, the first at rank 2 (half of it), the second at rank 3.
        "both": results(
            passage("docs/travel.md", TRAIN),
            passage("docs/hr__leave.md", " ".join(CARRY.split()[:12])),
            passage("docs/hr__leave.md", SICK),
        ),
        # One hit holds both: it gains once, though two sections are found.
        "at-once": results(passage("docs/hr__leave.md", f"{CARRY} {SICK}")),
        # The right words in another document are not the section.
        "elsewhere": results(passage("docs/other.md", TRAIN), passage("docs/travel.pdf", TRAIN)),
        "nothing": results(),
    }
    qrels = {
        "both": ["leave#1", "leave#2"],
        "at-once": ["leave#1", "leave#2"],
        "elsewhere": ["travel#1"],
        "nothing": ["travel#1"],
    }
    got = figures(found, qrels, CORPUS)
    ideal = 1 + 1 / math.log2(3)
    second, third = 1 / math.log2(3), 1 / math.log2(4)
    assert got["judged"] == 4
    assert got["recall@1"] == pytest.approx((0 + 1 + 0 + 0) / 4)
    assert got["recall@5"] == got["recall@10"] == pytest.approx((1 + 1 + 1 + 0) / 4)
    assert got["MRR@10"] == pytest.approx((1 / 2 + 1 + 1 / 2 + 0) / 4)
    assert got["nDCG@10"] == pytest.approx(((second + third) / ideal + 1 / ideal + second + 0) / 4)


def test_what_is_read_counts_by_words_and_the_first_hit_always():
    long = passage("d/a.md", "word " * 400 + CARRY)
    corpus = {"a": Section("a", CARRY), "b": Section("b", SICK), "c": Section("c", TRAIN)}
    found = {
        "first": results(long),
        "then": results(long, passage("d/b.md", SICK)),
        "late": results(long, long, long, passage("d/c.md", TRAIN)),
    }
    got = figures(found, {"first": ["a"], "then": ["b"], "late": ["c"]}, corpus)
    assert got["recall@300words"] == pytest.approx(1 / 3)
    assert got["recall@1000words"] == pytest.approx(2 / 3)
    assert got["recall@5"] == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(CARRY, True, id="all"),
        pytest.param(CARRY.upper(), True, id="in-capitals"),
        pytest.param(" ".join(CARRY.split()[:11]), True, id="half"),  # 9 of its 18 shingles
        pytest.param(" ".join(CARRY.split()[:10]), False, id="less-than-half"),
        pytest.param("Say: " + CARRY + " That is all.", True, id="with-more-around"),
        pytest.param(SICK, False, id="another"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_half_of_the_shingles_find_a_section(text, found):
    assert covers(shingles(CARRY), text) is found


def test_a_table_head_that_is_shown_before_its_rows_is_read_too():
    hit = replace(passage("d/a.md", "two four six"), lead="one three five")
    corpus = {"a": Section("a", "one three five")}
    assert gold("a", corpus, {})(hit)
    assert not gold("a", corpus, {})(replace(hit, lead=""))


@pytest.mark.parametrize(
    ("words", "found"),
    [pytest.param(15, True, id="fifteen-words"), pytest.param(14, False, id="fourteen-words")],
)
def test_a_hit_inside_a_long_section_needs_fifteen_words(words, found):
    section = " ".join(f"w{number}" for number in range(100))
    assert covers(shingles(section), " ".join(f"w{number}" for number in range(20, 20 + words))) is found


def test_a_hit_lies_inside_when_four_fifths_of_it_do():
    section = " ".join(f"w{number}" for number in range(100))
    inside = [f"w{number}" for number in range(18)]  # 16 shingles; each word more is one more outside
    assert covers(shingles(section), " ".join([*inside, *"abcd"]))
    assert not covers(shingles(section), " ".join([*inside, *"abcde"]))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("handbook/hr/leave.md", True, id="document"),
        pytest.param("hr/leave.md", True, id="without-source"),
        pytest.param("handbook/hr/leave", True, id="without-suffix"),
        pytest.param("hr/leave", True, id="without-both"),
        pytest.param("leave.md", False, id="file-name-alone"),
        pytest.param("handbook/hr/leave.md#carry", True, id="anchor"),
        pytest.param("hr/leave#page=2", True, id="fragment"),
        pytest.param("hr/leave#other", False, id="other-anchor"),
        pytest.param("unknown", False, id="unknown-document"),
        pytest.param("unknown#carry", False, id="unknown-document-with-anchor"),
    ],
)
def test_a_judgement_names_a_document_or_a_place_in_it(name, found):
    hit = passage("handbook/hr/leave.md", anchor="carry", fragment="page=2")
    assert gold(name, {}, called([hit.document]))(hit) is found


def test_a_document_with_a_number_sign_in_its_name_is_a_document():
    hit = passage("handbook/c#.md", anchor="x")
    assert gold("c#", {}, called([hit.document]))(hit)


def test_an_exact_name_wins_over_shorter_ones():
    hits = [passage("a/b/leave.md"), passage("b/leave.md")]
    exact = gold("b/leave.md", {}, called([hit.document for hit in hits]))
    assert [exact(hit) for hit in hits] == [False, True]


def test_a_name_that_fits_several_documents_is_refused():
    found = {"q": results(passage("hr/leave.md"), passage("old/leave.md"))}
    with pytest.raises(UnreadableJudgements, match=r"'leave' fits hr/leave\.md and old/leave\.md"):
        figures(found, {"q": ["leave"]})


def test_only_questions_that_are_judged_and_answerable_count_for_retrieval():
    asked = [question("a"), question("b"), question("c", answerable=False), question("d", answerable=True)]
    found = {"a": results(passage("d/x.md")), "b": results(), "c": results(), "d": results()}
    got = figures(found, {"a": ["x"], "c": ["x"]}, questions=asked)
    assert (got["questions"], got["judged"], got["recall@1"]) == (4, 1, 1.0)
    assert (got["answerable"], got["unanswerable"]) == (2, 2)


def test_without_judgements_there_are_no_retrieval_figures_and_all_are_answerable():
    got = figures({"a": results(), "b": results()})
    assert (got["judged"], got["nDCG@10"], got["recall@300words"]) == (0, None, None)
    assert (got["answerable"], got["unanswerable"], got["auroc"], got["thresholds"]) == (2, 0, None, None)


def test_judgements_for_other_questions_are_refused():
    with pytest.raises(UnreadableJudgements, match="none of the questions"):
        figures({"a": results()}, {"b": ["x"]})


def test_no_questions_are_refused():
    with pytest.raises(UnreadableJudgements, match="no questions"):
        figures({})


@given(st.lists(st.sampled_from("abcdef"), max_size=12), st.lists(st.sampled_from("abcdef"), max_size=6, unique=True))
def test_figures_lie_between_0_and_1_and_recall_grows_with_the_cut(found, wanted):
    hits = [passage(name) for name in found]
    got = scores([gold(name, {}, called(found)) for name in wanted], hits)
    assert all(0 <= value <= 1 for value in got.values())
    assert got["recall@1"] <= got["recall@5"] <= got["recall@10"]
    assert got["recall@300words"] <= got["recall@1000words"]


def test_confidence_that_orders_answerable_above_others_has_the_whole_area():
    found = {"a": results(confidence=0.9), "b": results(confidence=0.8), "c": results(confidence=0.3)}
    asked = [question("a"), question("b"), question("c", answerable=False)]
    got = figures(found, questions=asked)
    assert got["auroc"] == 1.0
    assert got["calibration_error"] == pytest.approx((0.1 + 0.2 + 0.3) / 3)
    rows = {row["threshold"]: (row["answered"], row["wrongly_answered"]) for row in got["thresholds"]}
    assert rows[0.3] == (1.0, 1.0)  # at the threshold is not below it
    assert rows[0.35] == (1.0, 0.0)
    assert rows[0.85] == (0.5, 0.0)
    assert rows[0.95] == (0.0, 0.0)


def test_bins_say_how_sure_and_how_often_right():
    found = {"a": results(confidence=0.92), "b": results(confidence=0.98), "c": results(confidence=0.3)}
    got = figures(found, questions=[question("a"), question("b", answerable=False), question("c")])
    assert [(row["questions"], row["answerable"]) for row in got["reliability"]] == [(1, 1.0), (2, 0.5)]
    assert [row["confidence"] for row in got["reliability"]] == pytest.approx([0.3, 0.95])


def test_questions_are_looked_up_one_by_one_as_they_are_asked_for():
    looked: list[str] = []

    def search(query: Query) -> Results:
        looked.append(query.text)
        return results()

    outcomes = asked([question("a"), question("b")], {}, search)
    assert next(outcomes).question.id == "a"
    assert looked == ["a", "a"]


NUMBERS = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=20)


@given(NUMBERS, NUMBERS)
def test_the_area_is_the_share_of_pairs_in_order_with_ties_half(right, wrong):
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in right for b in wrong]
    assert auroc(np.array(right), np.array(wrong)) == pytest.approx(sum(pairs) / len(pairs))


def test_certain_and_right_is_calibrated_certain_and_wrong_is_not():
    sure, truth = np.array([1.0, 1.0, 0.0]), np.array([True, True, False])
    assert calibration_error(sure, truth) == 0
    assert calibration_error(sure, ~truth) == 1
    assert calibration_error(np.array([0.5, 0.5]), np.array([True, False])) == 0


def test_time_is_taken_of_each_search_but_of_no_first_one():
    ticks = count()
    calls: list[str] = []

    def search(query: Query) -> Results:
        calls.append(query.text)
        for _ in range(len(calls)):  # every search is slower than the one before
            next(ticks)
        return results()

    got = evaluate([question("a"), question("b")], {}, {}, search, clock=lambda: next(ticks) / 1000)
    assert calls == ["a", "a", "b"]
    assert (got["p50_ms"], got["p99_ms"]) == (pytest.approx(3.5), pytest.approx(3.99))


def test_progress_is_told():
    told: list[tuple[str, int, int]] = []
    evaluate([question("a"), question("b")], {}, {}, lambda _: results(), progress=lambda *step: told.append(step))
    assert told == [("asking", 1, 2), ("asking", 2, 2)]
