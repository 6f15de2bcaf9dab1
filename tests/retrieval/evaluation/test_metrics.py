"""Figures of retrieval on judged questions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.evaluation.judgements import Section
from retrieval.evaluation.matching import documents_by_name, matcher
from retrieval.evaluation.metrics import question_figures
from tests.retrieval.evaluation.judged import CARRY, CORPUS, SICK, TRAIN, figures, passage, question, results


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


@given(st.lists(st.sampled_from("abcdef"), max_size=12), st.lists(st.sampled_from("abcdef"), max_size=6, unique=True))
def test_figures_lie_between_0_and_1_and_recall_grows_with_the_cut(found, wanted):
    hits = [passage(name) for name in found]
    got = question_figures([matcher(name, {}, documents_by_name(found)) for name in wanted], hits)
    assert all(0 <= value <= 1 for value in got.values())
    assert got["recall@1"] <= got["recall@5"] <= got["recall@10"]
    assert got["recall@300words"] <= got["recall@1000words"]
