"""How sure a share is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.report.intervals import busiest_tenth, by_person, wilson


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        # Newcombe (1998), table I: method 3.
        pytest.param(81, 263, 0.2553, 0.3662, id="many"),
        pytest.param(15, 148, 0.0624, 0.1605, id="few"),
        pytest.param(0, 20, 0.0, 0.1611, id="none"),
        pytest.param(1, 29, 0.0061, 0.1718, id="one"),
    ],
)
def test_the_interval_is_the_published_one(part, whole, low, high):
    assert wilson(part, whole) == pytest.approx((low, high), abs=5e-5)


def test_of_nothing_everything_is_possible():
    assert wilson(0, 0) == (0, 1)


@given(st.integers(1, 10_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_the_share_lies_in_its_interval(pair):
    part, whole = pair
    low, high = wilson(part, whole)
    assert 0 <= low <= part / whole <= high <= 1


def test_votes_of_one_person_are_one_opinion():
    alone = by_person([(1, 0), (0, 1)] * 50)
    heavy = by_person([(1, 0), (0, 1)] * 10 + [(80, 0)])
    assert alone is not None
    assert heavy is not None
    assert alone == pytest.approx(wilson(50, 100), abs=0.02)
    low, high = wilson(90, 100)
    assert heavy[0] < low - 0.1
    assert heavy[1] - heavy[0] > 2 * (high - low)


def test_the_same_votes_give_the_same_interval_in_any_order():
    people = [(3, 1), (0, 2), (5, 5), (1, 0), (1, 0), (0, 4)]
    assert by_person(people) == by_person(people[::-1])


def test_of_few_people_nothing_is_said():
    assert by_person([(4, 3)] * 4) is None
    assert busiest_tenth([(1, 0)] * 9) is None


def test_the_busiest_tenth():
    assert busiest_tenth([(1, 0)] * 9 + [(10, 1)]) == 11 / 20
