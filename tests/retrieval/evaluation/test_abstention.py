"""Figures of how well confidence tells answerable questions from others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.evaluation.abstention import auroc, calibration_error
from tests.retrieval.evaluation.judged import figures, question, results


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
