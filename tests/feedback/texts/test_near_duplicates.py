"""Near texts are found as if all were compared with all, and groups do not change when texts are added at the end."""

import random
from itertools import combinations

import pytest

from feedback.texts.near_duplicates import NEAR, find_near_duplicates, group_near_duplicates, jaccard
from feedback.texts.words import normalize

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
    roots, _ = group_near_duplicates(given)
    return {frozenset(at for at, root in enumerate(roots) if root == wanted) for wanted in roots}


@pytest.mark.parametrize("count", [0, 1, 2, 12, 13, 300])
def test_groups_are_those_of_comparing_all_with_all(count):
    given = texts(count, seed=count)
    assert grouped(given) == chained(given)


def test_who_is_near_nobody_before_stays_so_when_texts_are_added():
    given = texts(300, seed=3)
    _, few = group_near_duplicates(given[:200])
    _, all_of_them = group_near_duplicates(given)
    assert all_of_them[:200] == few


def test_thousands_of_equal_questions_are_one_group():
    roots, founds = group_near_duplicates(
        [normalize(f"How many days of leave in 20{number % 7}?") for number in range(5000)]
    )
    assert len(set(roots)) <= 7
    assert sum(founds) == len(set(roots))


def test_texts_that_are_near_one_of_others_are_found():
    given = texts(300, seed=5)
    others = [f"{given[7]} now", "something else altogether"]
    near = {at for at, each in enumerate(given) if max(jaccard(each, other) for other in others) >= NEAR}
    assert find_near_duplicates(given, of=others) == near >= {7}
    assert find_near_duplicates(given, of=[]) == find_near_duplicates([], of=others) == set()


def test_empty_texts_are_equal_and_different_letters_share_nothing():
    assert jaccard("", "") == 1.0
    assert jaccard("a", "b") == 0.0
