"""Questions about one thing are grouped around the one in the middle."""

from feedback.texts.topics import group_by_topic

BICYCLE = [["park", "bicycle", "yard"], ["yard", "bicycle"], ["park", "bicycles", "yard"]]


def test_forms_of_a_word_are_one_topic_and_other_things_stay_apart():
    assert group_by_topic([*BICYCLE, ["canteen", "open"]], [1, 1, 1, 1]) == [[0, 1, 2], [3]]


def test_the_heaviest_topic_comes_first():
    assert group_by_topic([["gym"], ["canteen"], ["gym"]], [1, 5, 1]) == [[1], [0, 2]]


def test_questions_without_terms_are_each_alone():
    assert group_by_topic([[], []], [1, 1]) == [[0], [1]]


def test_nothing_has_no_topics():
    assert group_by_topic([], []) == []


def test_half_a_character_has_a_topic():
    assert group_by_topic([["\ud83d"], ["\ud83d"]], [1, 1]) == [[0, 1]]
