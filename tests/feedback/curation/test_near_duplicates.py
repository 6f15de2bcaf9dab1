"""Near texts are found as if all were compared with all, and groups do not change when texts are added at the end."""

import random
from itertools import combinations

import pytest

from feedback.curation.near_duplicates import NEAR, groups, jaccard, normalised, touched

WORDS = "leave days carry over manager ill travel hotel receipt laptop password visitor door holiday contract".split()


def texts(count: int, *, seed: int) -> list[str]:
    """Questions of which every third is an earlier one with a word more."""
    drawn = random.Random(seed)
    made: list[str] = []
    for number in range(count):
        if number % 3 == 2:
            made.append(f"{drawn.choice(made)} {drawn.choice(['now', 'ok', 'pls'])}")
        else:
            made.append(" ".join(drawn.sample(WORDS, 7)) + f" {drawn.randrange(1000)}")
    return made


def chained(given: list[str]) -> set[frozenset[int]]:
    """Groups by comparing all with all."""
    sets = [{number} for number in range(len(given))]
    for one, other in combinations(range(len(given)), 2):
        if sets[one] is not sets[other] and jaccard(given[one], given[other]) >= NEAR:
            sets[one] |= sets[other]
            for member in sets[other]:
                sets[member] = sets[one]
    return {frozenset(each) for each in sets}


def grouped(given: list[str]) -> set[frozenset[int]]:
    roots, _ = groups(given)
    return {frozenset(at for at, root in enumerate(roots) if root == wanted) for wanted in roots}


@pytest.mark.parametrize("count", [0, 1, 2, 12, 13, 300])
def test_groups_are_those_of_comparing_all_with_all(count):
    given = texts(count, seed=count)
    assert grouped(given) == chained(given)


def test_who_is_near_nobody_before_stays_so_when_texts_are_added():
    given = texts(300, seed=3)
    _, few = groups(given[:200])
    _, all_of_them = groups(given)
    assert all_of_them[:200] == few


def test_thousands_of_equal_questions_are_one_group():
    roots, founds = groups([normalised(f"How many days of leave in 20{number % 7}?") for number in range(5000)])
    assert len(set(roots)) <= 7
    assert sum(founds) == len(set(roots))


def test_texts_are_touched_by_near_ones_of_others():
    given = texts(300, seed=5)
    others = [f"{given[7]} now", "something else altogether"]
    near = {at for at, each in enumerate(given) if max(jaccard(each, other) for other in others) >= NEAR}
    assert touched(given, others) == near >= {7}
    assert touched(given, []) == touched([], others) == set()


def test_texts_are_compared_without_case_width_and_punctuation():
    assert normalised("  How  MANY days？\n") == normalised("how many\tdays?")
    assert jaccard("", "") == 1.0
    assert jaccard("a", "b") == 0.0
